"""Genre profiles: the mean and standard deviation of a genre's tracks, and distances to it. Pure.

`standardised`: the root mean square of the z-scores of a track's features within the genre.
`mahalanobis`: the same without the features' correlations (P. C. Mahalanobis, 1936); the
covariance of the standardised features is shrunk towards a multiple of the identity (Ledoit &
Wolf, 2004), so that few tracks are enough. Both are about 1 for an ordinary track of the genre.
Missing features are left out; a track without any has no distance. Only continuous audio features
are used, because keys and modes have no mean.

A broad genre is near to every track. Genres are therefore ranked by the negative log-density of
the track under a Gaussian with the genre's profile.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

from classifier.arrays import Floats, Mask
from classifier.features.audio import numeric_column
from classifier.findings.effect_sizes import CONTINUOUS_FEATURES

Distance = Literal["standardised", "mahalanobis"]

DISTANCES: Final[tuple[Distance, ...]] = get_args(Distance)
MIN_PROFILE_TRACKS: Final = 5
"""Tracks with features that a profile needs."""
_FLOOR: Final = 0.01
"""Minimum standard deviation, as a share of that of all tracks: no division by 0."""


@dataclass(frozen=True, slots=True)
class GenreProfile:
    """The profile of one genre."""

    genre: str
    n: int
    """Tracks with features."""
    mean: Floats
    """(features,)"""
    std: Floats
    """(features,): with n - 1 degrees of freedom."""
    precision: Floats | None
    """(features, features) of the standardised features; None: taken as independent."""
    covariance: Floats | None
    """The inverse of `precision`."""

    def distances(self, points: Floats) -> Floats:
        """Return the distance of each point from the mean; NaN without any feature."""
        scores = (points - self.mean) / self.std
        present = np.isfinite(scores)
        squares = np.full(len(points), np.nan)
        for pattern in np.unique(present, axis=0):
            rows = (present == pattern).all(axis=1)
            if pattern.any():
                part = scores[np.ix_(rows, pattern)]
                squares[rows] = self._squared(part, pattern) / pattern.sum()
        return np.asarray(np.sqrt(squares))

    def negative_log_density(self, points: Floats) -> Floats:
        """Return the negative log-density of each point per available feature; NaN without any.

        A constant that is the same for all genres is left out.
        """
        present = np.isfinite((points - self.mean) / self.std)
        log_scale = np.full(len(points), np.nan)
        for pattern in np.unique(present, axis=0):
            if pattern.any():
                rows = (present == pattern).all(axis=1)
                log_scale[rows] = np.log(self.std[pattern]).mean() + self._volume(pattern)
        return np.asarray(self.distances(points) ** 2 / 2 + log_scale)

    def _volume(self, pattern: Mask) -> float:
        """Return half the log-determinant of the covariance per feature; 0 if independent."""
        if self.covariance is None:
            return 0.0
        part = self.covariance[np.ix_(pattern, pattern)]
        return float(np.linalg.slogdet(part)[1] / (2 * pattern.sum()))

    def _squared(self, scores: Floats, pattern: Mask) -> Floats:
        if self.precision is None or self.covariance is None:
            return np.asarray((scores**2).sum(axis=1))
        inverse = (
            self.precision
            if pattern.all()
            else np.linalg.inv(self.covariance[np.ix_(pattern, pattern)])
        )
        return np.asarray(((scores @ inverse) * scores).sum(axis=1))


def audio_matrix(frame: pd.DataFrame) -> Floats:
    """Return the continuous audio features, NaN where missing: (tracks, features)."""
    return np.column_stack([numeric_column(frame, name) for name in CONTINUOUS_FEATURES])


def fit_profiles(
    values: Floats, labels: NDArray[np.str_], distance: Distance = "standardised"
) -> dict[str, GenreProfile]:
    """Return the profile of each genre with enough tracks with features."""
    rows = np.isfinite(values).any(axis=1)
    overall = _std(values[rows])
    by_genre = {}
    for genre in np.unique(labels[rows]):
        own = values[rows & (labels == genre)]
        if len(own) >= MIN_PROFILE_TRACKS:
            by_genre[str(genre)] = _profile(str(genre), own, overall, distance)
    return by_genre


def percentile(own: Floats, distances: Floats) -> Floats:
    """Return the percentage of a genre's `own` distances that are smaller.

    0 is its most typical track, 100 is farther than any; ties count half.
    """
    ordered = np.sort(own[np.isfinite(own)])
    below = np.searchsorted(ordered, distances, side="left")
    at_most = np.searchsorted(ordered, distances, side="right")
    shares = (below + at_most) * 50.0 / max(1, len(ordered))
    return np.where(np.isfinite(distances), shares, np.nan)


def _profile(genre: str, own: Floats, overall: Floats, distance: Distance) -> GenreProfile:
    with_any = np.isfinite(own).any(axis=0)
    mean = np.full(own.shape[1], np.nan)
    mean[with_any] = np.nanmean(own[:, with_any], axis=0)
    std = np.fmax(_std(own), _FLOOR * overall)
    std[~(std > 0)] = 1.0  # constant over all tracks: any difference is large
    if distance == "standardised":
        return GenreProfile(genre, len(own), mean, std, None, None)
    scores = np.nan_to_num((own - mean) / std)
    covariance, _ = ledoit_wolf(scores, assume_centered=True)
    return GenreProfile(genre, len(own), mean, std, np.linalg.inv(covariance), covariance)


def _std(values: Floats) -> Floats:
    count = np.isfinite(values).sum(axis=0)
    std = np.full(values.shape[1], np.nan)
    enough = count > 1
    std[enough] = np.nanstd(values[:, enough], axis=0, ddof=1)
    return std
