"""`dummy`: predicts the genre shares of the training tracks. The baseline for every model."""

from typing import Any

from sklearn.dummy import DummyClassifier

from classifier.estimators.dataframe_classifier import DataFrameClassifier, with_params
from classifier.features.audio import NumericFeatures


def make(
    *,
    features: tuple[str, ...],
    seed: int,
    threads: int,  # noqa: ARG001 - there is nothing to run in parallel
    **params: Any,
) -> DataFrameClassifier:
    """Return the baseline: the same probabilities for every track."""
    model = DummyClassifier(strategy="prior", random_state=seed)
    return DataFrameClassifier(NumericFeatures(features), with_params(model, params))
