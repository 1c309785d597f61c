"""`tree`: one decision tree, small enough to read."""

from sklearn.tree import DecisionTreeClassifier

from classifier.estimators.dataframe_classifier import numeric_factory

make = numeric_factory(
    lambda seed, _: DecisionTreeClassifier(max_depth=12, min_samples_leaf=20, random_state=seed)
)
"""A tree of depth 12 at most, whose leaves hold 20 tracks at least; it grows in one thread."""
