"""Pool the predictions for a track of an unseen artist with those for its siblings.

Siblings are the other tracks of the artist that is credited first; their labels are not used. An
artist's tracks tend to be of one genre, so each sibling is a further indication of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifier.arrays import Floats
from classifier.estimators.ensemble_weights import fit_weights, log_linear_pool
from classifier.experts import log_probabilities

Probabilities = NDArray[np.float64]
LogRatios = NDArray[np.float32]
Counts = NDArray[np.int64]

GROUP_STARTS: Final = (1, 3, 10)
"""Numbers of siblings from which on a group of tracks has weights of its own: 1-2, 3-9, 10+."""
PRIOR_WEIGHTS: Final = (1.0, 1.0, 0.5)
"""Weights of prior, track and siblings where there is no validation track to fit better ones: the
first two alone are the prediction for the track alone."""


@dataclass(frozen=True, slots=True)
class SiblingPool:
    """Weights of a log-linear pool of a track, its siblings and the genre shares."""

    log_prior: NDArray[np.float32]
    """(genres,): logarithm of each genre's share of the training tracks."""
    weights: Floats
    """(groups, 3): of prior, track and siblings, by number of siblings."""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "SiblingPool":
        """Return the pool of `as_json`."""
        return cls(
            np.array(stored["log_prior"], dtype=np.float32),
            np.array(stored["weights"], dtype=np.float64),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the pool as JSON."""
        return {"log_prior": self.log_prior.tolist(), "weights": self.weights.tolist()}

    def log_ratios(self, probabilities: Probabilities) -> LogRatios:
        """Return the logarithm of each probability divided by the genre's share."""
        return log_probabilities(probabilities) - self.log_prior

    def predict_proba(
        self, probabilities: Probabilities, sums: LogRatios, counts: Counts
    ) -> Probabilities:
        """Return pooled probabilities (tracks, genres).

        `sums`: (tracks, genres), the sum of the log-ratios of each track's siblings; `counts`:
        their number. A track without siblings keeps its probabilities.
        """
        pooled = np.array(probabilities, dtype=np.float64)
        groups = np.searchsorted(GROUP_STARTS, counts, side="right")
        for group, weights in enumerate(self.weights, start=1):
            rows = groups == group
            if rows.any():
                scores = self._scores(probabilities[rows], sums[rows], counts[rows])
                pooled[rows] = log_linear_pool(scores, weights)
        return pooled

    def fit(
        self, probabilities: Probabilities, sums: LogRatios, counts: Counts, truth: NDArray[Any]
    ) -> "SiblingPool":
        """Return a pool with weights fitted on held-out tracks of unseen artists.

        A track may be there several times, with different numbers of siblings. `truth` are codes
        of genres.
        """
        groups = np.searchsorted(GROUP_STARTS, counts, side="right")
        fitted = []
        for group, weights in enumerate(self.weights, start=1):
            rows = groups == group
            scores = self._scores(probabilities[rows], sums[rows], counts[rows])
            fitted.append(fit_weights(scores, truth[rows], weights))
        return SiblingPool(self.log_prior, np.array(fitted))

    def _scores(
        self, probabilities: Probabilities, sums: LogRatios, counts: Counts
    ) -> NDArray[np.float32]:
        """Return the scores that are pooled: (3, tracks, genres).

        The mean log-ratio of n siblings is multiplied by n / (n + 1): few siblings may be chance.
        """
        prior = np.broadcast_to(self.log_prior, probabilities.shape)
        siblings = sums / (counts[:, np.newaxis] + 1)
        return np.stack([prior, self.log_ratios(probabilities), siblings]).astype(np.float32)


def unfitted(shares: Floats) -> SiblingPool:
    """Return a pool with `PRIOR_WEIGHTS`; `shares` are those of the genres in training."""
    weights = np.array([PRIOR_WEIGHTS] * len(GROUP_STARTS))
    return SiblingPool(log_probabilities(shares), weights)
