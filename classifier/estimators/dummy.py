"""`dummy`: knows how common each genre is, and nothing else. What every model must beat."""

from typing import Any

from sklearn.dummy import DummyClassifier

from classifier.estimators.dataframe_classifier import DataFrameClassifier, with_params
from classifier.features.audio import NumericFeatures


def make(
    *,
    features: tuple[str, ...],
    seed: int,
    threads: int,  # noqa: ARG001 - there is nothing to share out
    **params: Any,
) -> DataFrameClassifier:
    """Return the baseline: the shares of the genres in training, for every track."""
    model = DummyClassifier(strategy="prior", random_state=seed)
    return DataFrameClassifier(NumericFeatures(features), with_params(model, params))
