"""`naive_bayes`: a Gaussian per genre and feature, features taken as independent."""

from typing import Any

from sklearn.naive_bayes import GaussianNB

from classifier.estimators.dataframe_classifier import DataFrameClassifier, numeric_classifier


def make(
    *,
    features: tuple[str, ...],
    seed: int,
    threads: int,  # noqa: ARG001 - there is nothing to run in parallel
    **params: Any,
) -> DataFrameClassifier:
    """Return Gaussian naive Bayes; features that depend on each other make it overconfident.

    So a temperature is fitted on a hold-out, and every variance has a tenth of the largest added:
    the Gaussian of a flag that is always 0 in a genre would have no width at all.
    """
    model = GaussianNB(var_smoothing=0.1)
    return numeric_classifier(
        model, params, features, seed=seed, calibrate=True, impute=True, scaling="standard"
    )
