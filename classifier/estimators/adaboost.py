"""`adaboost`: small trees, each trained with more weight on what the ones before misclassified."""

from typing import Any, Self

from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier

from classifier.errors import TooFewTracks
from classifier.estimators.dataframe_classifier import numeric_factory


class CheckedAdaBoost(AdaBoostClassifier):  # type: ignore[misc]  # untyped there
    """scikit-learn's, with a clear message where there is nothing to fit."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit; raise `TooFewTracks` where the first tree is no better than guessing."""
        try:
            super().fit(X, y, sample_weight)
        except ValueError as error:
            if "worse than random" not in str(error):
                raise
            raise TooFewTracks(
                "AdaBoost did not classify the genres better than guessing: train on more tracks "
                "or more features, or with another estimator."
            ) from error
        return self


def _model(seed: int, _: int) -> CheckedAdaBoost:
    """Return 50 trees of depth 6 (SAMME), in one thread: each waits for the one before.

    Stumps separate only two genres at a time; votes over many genres are nearly even, which the
    temperature corrects.
    """
    tree = DecisionTreeClassifier(max_depth=6, min_samples_leaf=20)
    return CheckedAdaBoost(tree, n_estimators=50, learning_rate=0.5, random_state=seed)


make = numeric_factory(_model, calibrate=True, impute=True)
