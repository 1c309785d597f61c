"""`adaboost`: small trees, each looking hardest at what the ones before got wrong."""

from typing import Any, Self

from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier

from classifier.errors import TooFewTracks
from classifier.estimators.dataframe_classifier import DataFrameClassifier, with_params
from classifier.estimators.preprocessing import Preprocessor
from classifier.estimators.temperature_scaling import TemperatureScaled
from classifier.features.audio import NumericFeatures


class CheckedAdaBoost(AdaBoostClassifier):  # type: ignore[misc]  # untyped there
    """scikit-learn's, with a sentence where there is nothing to learn."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn; raise `TooFewTracks` where the first tree is no better than guessing."""
        try:
            super().fit(X, y, sample_weight)
        except ValueError as error:
            if "worse than random" not in str(error):
                raise
            raise TooFewTracks(
                "AdaBoost found nothing that tells the genres apart better than guessing: train "
                "on more tracks or more features, or with another estimator."
            ) from error
        return self


def make(
    *,
    features: tuple[str, ...],
    seed: int,
    threads: int,  # noqa: ARG001 - each tree waits for the one before
    **params: Any,
) -> DataFrameClassifier:
    """Return 50 trees of depth 6 (SAMME), with a learned temperature.

    Stumps cannot tell more than two genres apart at a time; votes over many genres are nearly
    even, which is what the temperature mends.
    """
    tree = DecisionTreeClassifier(max_depth=6, min_samples_leaf=20)
    model = CheckedAdaBoost(tree, n_estimators=50, learning_rate=0.5, random_state=seed)
    numbers = Preprocessor(NumericFeatures(features), complete=True, seed=seed)
    return DataFrameClassifier(numbers, TemperatureScaled(with_params(model, params), seed=seed))
