"""`naive_bayes`: a bell curve per genre and feature, each feature on its own."""

from typing import Any

from sklearn.naive_bayes import GaussianNB

from classifier.estimators.dataframe_classifier import DataFrameClassifier, with_params
from classifier.estimators.preprocessing import Preprocessor
from classifier.estimators.temperature_scaling import TemperatureScaled
from classifier.features.audio import NumericFeatures


def make(
    *,
    features: tuple[str, ...],
    seed: int,
    threads: int,  # noqa: ARG001 - there is nothing to share out
    **params: Any,
) -> DataFrameClassifier:
    """Return Gaussian naive Bayes; features that depend on each other make it too sure.

    So a temperature is learned on tracks held back, and every variance has a tenth of the widest
    added: the curve of a flag that is always 0 in a genre would have no width at all.
    """
    numbers = Preprocessor(NumericFeatures(features), complete=True, scaling="standard", seed=seed)
    model = with_params(GaussianNB(var_smoothing=0.1), params)
    return DataFrameClassifier(numbers, TemperatureScaled(model, seed=seed))
