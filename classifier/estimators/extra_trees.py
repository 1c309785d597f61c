"""`extra_trees`: randomised trees (random split points) that vote."""

from sklearn.ensemble import ExtraTreesClassifier

from classifier.estimators.dataframe_classifier import numeric_factory

make = numeric_factory(
    lambda seed, threads: ExtraTreesClassifier(
        n_estimators=150,
        min_samples_leaf=3,
        max_leaf_nodes=3_000,
        max_features=0.5,
        random_state=seed,
        n_jobs=threads,
    )
)
"""150 trees. A node stores a share per genre: 3,000 leaves a tree hold 113 genres within 0.8 GB.
Random splits need a few more leaves than optimised ones for the same accuracy."""
