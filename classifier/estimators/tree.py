"""`tree`: one decision tree, small enough to read."""

from typing import Any

from sklearn.tree import DecisionTreeClassifier

from classifier.estimators.dataframe_classifier import DataFrameClassifier, numeric_classifier


def make(
    *,
    features: tuple[str, ...],
    seed: int,
    threads: int,  # noqa: ARG001 - a tree grows in one thread
    **params: Any,
) -> DataFrameClassifier:
    """Return a tree of depth 12 at most, whose leaves hold 20 tracks at least."""
    model = DecisionTreeClassifier(max_depth=12, min_samples_leaf=20, random_state=seed)
    return numeric_classifier(model, params, features, seed=seed)
