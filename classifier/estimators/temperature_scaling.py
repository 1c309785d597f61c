"""Scores made into probabilities: by one temperature, learned on tracks held back."""

from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import check_is_fitted

from classifier.ports import Labels

Floats = NDArray[np.float64]

_HELD: Final = 5
"""One track in five of each genre is held back."""
_SPAN: Final = (-4.0, 6.0)
"""Natural logarithms that a scale is looked for between."""


class TemperatureScaled(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Let `model` learn from four fifths, find the scale, then learn from all.

    The scale is that of Guo et al. (ICML 2017, 4.2): one number that the scores are multiplied
    by, so that softmax loses least on the tracks held back. It changes no answer, only how sure
    it is. `decision_function` gives the scores, where there is none the logarithms of
    `predict_proba`. scikit-learn's own needs several tracks of every genre; this does not.
    """

    def __init__(self, model: Any, seed: int = 0) -> None:
        self.model = model
        self.seed = seed

    def fit(self, X: Floats, y: Labels, sample_weight: Floats | None = None) -> Self:
        """Learn; `sample_weight` is what each row counts."""
        held = _held_back(y, self.seed)
        self.scale_ = 1.0
        if held.any() and len(np.unique(y[~held])) > 1:
            first = self._fitted(X, y, sample_weight, ~held)
            told = np.isin(y, first.classes_) & held
            truth = np.searchsorted(first.classes_, y[told])
            weights = None if sample_weight is None else sample_weight[told]
            self.scale_ = _best_scale(_scores(first, X[told]), truth, weights)
        self.model_ = self._fitted(X, y, sample_weight, np.ones(len(y), dtype=bool))
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X: Floats) -> Floats:
        """Return probabilities, one row per row of `X`, summing to 1."""
        check_is_fitted(self)
        return np.asarray(softmax(self.scale_ * _scores(self.model_, X), axis=1))

    def _fitted(
        self,
        X: Floats,
        y: Labels,
        weights: Floats | None,
        rows: NDArray[np.bool_],
    ) -> Any:
        extra = {} if weights is None else {"sample_weight": weights[rows]}
        return clone(self.model).fit(X[rows], y[rows], **extra)


def _scores(model: Any, matrix: Floats) -> Floats:
    if not hasattr(model, "decision_function"):
        return np.asarray(model.predict_log_proba(matrix), dtype=np.float64)
    found = np.asarray(model.decision_function(matrix), dtype=np.float64)
    return found if found.ndim > 1 else np.column_stack([-found, found])


def _best_scale(scores: Floats, truth: NDArray[np.intp], weights: Floats | None) -> float:
    rows = np.arange(len(truth))

    def loss(exponent: float) -> float:
        told = log_softmax(np.exp(exponent) * scores, axis=1)[rows, truth]
        return -float(np.average(told, weights=weights))

    return float(np.exp(minimize_scalar(loss, bounds=_SPAN, method="bounded").x))


def _held_back(labels: Labels, seed: int) -> NDArray[np.bool_]:
    """Return a fifth of the rows of each genre that has as many."""
    drawn = np.random.default_rng(seed).permutation(len(labels))
    _, codes, counts = np.unique(labels[drawn], return_inverse=True, return_counts=True)
    order = np.argsort(codes, kind="stable")
    place = np.empty(len(labels), dtype=np.int64)
    place[order] = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    held = np.zeros(len(labels), dtype=bool)
    held[drawn] = place % _HELD == _HELD - 1
    return held
