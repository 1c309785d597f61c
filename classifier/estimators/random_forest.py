"""`random_forest`: a forest of depth 10, the usual reference in this field."""

from sklearn.ensemble import RandomForestClassifier

from classifier.estimators.dataframe_classifier import numeric_factory

make = numeric_factory(
    lambda seed, threads: RandomForestClassifier(
        n_estimators=100, max_depth=10, min_samples_leaf=5, random_state=seed, n_jobs=threads
    )
)
"""100 trees; a node stores a share per genre, so leaves hold 5 tracks at least."""
