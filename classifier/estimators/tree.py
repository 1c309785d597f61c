"""`tree`: one decision tree, small enough to be read."""

from typing import Any

from sklearn.tree import DecisionTreeClassifier

from classifier.estimators.dataframe_classifier import DataFrameClassifier, with_params
from classifier.estimators.preprocessing import Preprocessor
from classifier.features.audio import NumericFeatures


def make(
    *,
    features: tuple[str, ...],
    seed: int,
    threads: int,  # noqa: ARG001 - a tree grows in one thread
    **params: Any,
) -> DataFrameClassifier:
    """Return a tree of depth 12 at most, whose leaves hold 20 tracks at least."""
    model = DecisionTreeClassifier(max_depth=12, min_samples_leaf=20, random_state=seed)
    numbers = Preprocessor(NumericFeatures(features), seed=seed)
    return DataFrameClassifier(numbers, with_params(model, params))
