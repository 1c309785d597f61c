"""`bagging`: deep trees, each trained on a bootstrap sample of the tracks, that vote."""

from sklearn.ensemble import BaggingClassifier
from sklearn.tree import DecisionTreeClassifier

from classifier.estimators.dataframe_classifier import numeric_factory

make = numeric_factory(
    lambda seed, _: BaggingClassifier(
        DecisionTreeClassifier(min_samples_leaf=5, max_leaf_nodes=2_000),
        n_estimators=50,
        random_state=seed,
    )
)
"""50 trees that consider every feature at every split. They grow in one thread: more would be
processes, each with a copy of the tracks. A node stores a share per genre: 2,000 leaves a tree
hold 113 genres within 180 MB."""
