"""Temperature scaling: calibrated probabilities from scores, fitted on a hold-out."""

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from classifier.arrays import Floats, Mask
from classifier.ports import Labels

_HOLD_OUT_DIVISOR: Final = 5
"""One track in five of each genre is held out."""
_LOG_SCALE_BOUNDS: Final = (-4.0, 6.0)
"""Natural logarithms of the scales that are searched."""


class TemperatureScaled(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Fit `model` to four fifths, find the scale on the rest, then fit it to all.

    The scale is that of Guo et al. (ICML 2017, 4.2), an inverse temperature: one factor of the
    scores that minimises the softmax log-loss of the hold-out. It changes no prediction, only its
    confidence. Scores are `decision_function`, or else the logarithms of `predict_proba`.
    scikit-learn's own calibration needs several tracks of every genre; this does not.
    """

    def __init__(self, model: Any, seed: int = 0) -> None:
        self.model = model
        self.seed = seed

    def fit(self, X: Floats, y: Labels, sample_weight: Floats | None = None) -> Self:
        """Fit model and scale; `sample_weight` is the weight of each row."""
        held_out = _hold_out(y, self.seed)
        self.scale_ = 1.0
        if held_out.any() and len(np.unique(y[~held_out])) > 1:
            model = self._fitted(X, y, sample_weight, ~held_out)
            rows = np.isin(y, model.classes_) & held_out
            truth = np.searchsorted(model.classes_, y[rows])
            weights = None if sample_weight is None else sample_weight[rows]
            self.scale_ = _best_scale(_scores(model, X[rows]), truth, weights)
        self.model_ = self._fitted(X, y, sample_weight, np.ones(len(y), dtype=bool))
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X: Floats) -> Floats:
        """Return probabilities (rows, genres); every row sums to 1."""
        check_is_fitted(self)
        return np.asarray(softmax(self.scale_ * _scores(self.model_, X), axis=1))

    def _fitted(self, X: Floats, y: Labels, weights: Floats | None, rows: Mask) -> Any:
        extra = {} if weights is None else {"sample_weight": weights[rows]}
        return clone(self.model).fit(X[rows], y[rows], **extra)


def _scores(model: Any, matrix: Floats) -> Floats:
    if not hasattr(model, "decision_function"):
        return np.asarray(model.predict_log_proba(matrix), dtype=np.float64)
    scores = np.asarray(model.decision_function(matrix), dtype=np.float64)
    return scores if scores.ndim > 1 else np.column_stack([-scores, scores])


def _best_scale(scores: Floats, truth: NDArray[np.intp], weights: Floats | None) -> float:
    rows = np.arange(len(truth))

    def loss(log_scale: float) -> float:
        logs = log_softmax(np.exp(log_scale) * scores, axis=1)[rows, truth]
        return -float(np.average(logs, weights=weights))

    return float(np.exp(minimize_scalar(loss, bounds=_LOG_SCALE_BOUNDS, method="bounded").x))


def _hold_out(labels: Labels, seed: int) -> Mask:
    """Return a stratified fifth of the rows; none of a genre with fewer than five."""
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    place = pd.Series(shuffled).groupby(labels[shuffled]).cumcount().to_numpy()
    held_out = np.zeros(len(labels), dtype=bool)
    held_out[shuffled] = place % _HOLD_OUT_DIVISOR == _HOLD_OUT_DIVISOR - 1
    return held_out
