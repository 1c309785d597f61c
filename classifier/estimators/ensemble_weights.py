"""Log-linear pooling: ensemble weights, fitted on validation tracks no base model was trained on.

`PooledClassifier` is what `blend` and the deep estimators share: stacked scores in, one weight
vector for unseen artists and one for seen artists, calibrated probabilities out.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from classifier import threads
from classifier.arrays import Floats, Mask
from classifier.experts import Scores
from classifier.experts.artist_target_encoding import ArtistHistoryExpert
from classifier.ports import Labels, Validation

Weights = NDArray[np.float64]

PRIOR_STRENGTH: Final = 2.0
"""How many tracks' worth of log-loss one unit between a weight and its prior costs, squared."""
CHUNK_ROWS: Final = 10_000
"""Rows at once: with 114 genres 45 MB per score."""
UNSEEN_ARTIST, SEEN_ARTIST = 0, 1
"""Row of `weights_`: tracks without and with a training track by one of their artists."""
_MAX_ITERATIONS: Final = 500
_TOLERANCE: Final = 1e-13
"""Relative change of the loss at which its minimum is found: then weights are exact to some 1e-5.
In float32, and with scipy's 2e-9, rounding errors moved them by 0.001."""


class PooledClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Base of classifiers that pool the scores of several models.

    A subclass's `fit` sets `artist_history_`, calls `_fit_prior`, trains its models and then calls
    `_fit_weights`.
    """

    prior_weights: ClassVar[Mapping[str, float]]
    """Weight of each score where there is no validation track to fit a better one."""
    unseen_artists_only: ClassVar[frozenset[str]] = frozenset()
    """Scores that have no weight for seen artists."""
    artist_history_: ArtistHistoryExpert | None
    score_names_: list[str]

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """Return probabilities (tracks, genres); every row sums to 1."""
        check_is_fitted(self)
        probabilities = np.zeros((len(X), len(self.classes_)))
        with threads.single_blas_thread():
            for start in range(0, len(X), CHUNK_ROWS):
                rows = X.iloc[start : start + CHUNK_ROWS]
                scores, seen = self.predict_scores(rows), self.seen_artist_mask(rows)
                for regime in (UNSEEN_ARTIST, SEEN_ARTIST):
                    chosen = seen == regime
                    probabilities[start : start + CHUNK_ROWS][chosen] = log_linear_pool(
                        scores[:, chosen], self.weights_[regime]
                    )
        return probabilities

    def predict(self, X: pd.DataFrame) -> Labels:
        """Return the most probable genre of each row."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return the scores named `score_names_`: (scores, tracks, genres)."""
        raise NotImplementedError

    def seen_artist_mask(self, X: pd.DataFrame) -> Mask:
        """Return which rows credit an artist with a training track.

        False for every row of a model over numbers alone, which does not look at artists.
        """
        if self.artist_history_ is None:
            return np.zeros(len(X), dtype=bool)
        return np.asarray(self.artist_history_.artist_track_counts(X) > 0)

    def _fit_prior(self, labels: Labels) -> NDArray[np.intp]:
        """Set `classes_` and the log share of each; return the class code of each label."""
        self.classes_, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
        self.prior_ = np.log(counts / len(labels)).astype(np.float32)
        return np.asarray(codes)

    def _prior_scores(self, rows: int) -> Scores:
        return np.broadcast_to(self.prior_, (1, rows, len(self.classes_)))

    def _fit_weights(self, validation: Validation | None) -> None:
        """Fit weights per regime, starting from `prior_weights`; their rows are the regimes."""
        self.weights_ = np.array([[self.prior_weights[name] for name in self.score_names_]] * 2)
        general = np.array([name not in self.unseen_artists_only for name in self.score_names_])
        self.weights_[SEEN_ARTIST, ~general] = 0.0
        if validation is None:
            return
        frame, labels = of_classes(validation, self.classes_)
        truth, seen = np.searchsorted(self.classes_, labels), self.seen_artist_mask(frame)
        for regime in (UNSEEN_ARTIST, SEEN_ARTIST):
            chosen = seen == regime
            if chosen.any():
                with threadpool_limits(1, user_api="blas"):
                    scores = self.predict_scores(frame[chosen])
                    used = slice(None) if regime == UNSEEN_ARTIST or general.all() else general
                    weights = fit_weights(scores[used], truth[chosen], self.weights_[regime, used])
                self.weights_[regime, used] = weights


def of_classes(validation: Validation, classes: Labels) -> Validation:
    """Return the validation tracks whose genre is one of `classes`."""
    frame, labels = validation
    chosen = np.isin(labels, classes)
    return frame[chosen], labels[chosen]


def log_linear_pool(scores: NDArray[np.float32], weights: Weights) -> Floats:
    """Return probabilities (tracks, genres) from scores (scores, tracks, genres)."""
    sums = np.tensordot(weights.astype(np.float32), scores, axes=1).astype(np.float64)
    return np.asarray(softmax(sums, axis=1))


def fit_weights(
    scores: NDArray[np.float32], truth: NDArray[np.intp], prior_weights: Weights
) -> Weights:
    """Return the non-negative weights that minimise the log-loss.

    Their sum is not fixed, so they calibrate as well: it is the inverse of a temperature. Few
    tracks leave them near `prior_weights`, none at them. `truth` are columns of the scores.
    """
    if len(truth) == 0:
        return prior_weights
    true_scores = scores[:, np.arange(len(truth)), truth].mean(axis=1, dtype=np.float64)
    penalty = PRIOR_STRENGTH / len(truth)

    def loss(weights: Weights) -> tuple[float, Weights]:
        value, gradient = 0.0, np.zeros(len(weights))
        for start in range(0, len(truth), CHUNK_ROWS):
            some = scores[:, start : start + CHUNK_ROWS].astype(np.float64)
            sums = np.tensordot(weights, some, axes=1)
            maxima = sums.max(axis=1, keepdims=True)
            probabilities = np.exp(sums - maxima)
            totals = probabilities.sum(axis=1, keepdims=True)
            probabilities /= totals
            value += float((np.log(totals) + maxima).sum())
            gradient += np.tensordot(some, probabilities, axes=2)
        off = weights - prior_weights
        value = value / len(truth) - float(weights @ true_scores) + penalty * float(off @ off)
        return value, gradient / len(truth) - true_scores + 2 * penalty * off

    fitted: Any = minimize(
        loss,
        prior_weights,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * len(prior_weights),
        options={"maxiter": _MAX_ITERATIONS, "ftol": _TOLERANCE, "gtol": 1e-7},
    )
    return np.asarray(fitted.x)
