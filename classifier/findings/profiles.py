"""How near a track is to a genre: to its profile, the mean and spread of its tracks. Pure.

`standardised`: the root mean square of how many standard deviations of the genre's tracks each
known feature lies from their mean. `mahalanobis`: the same where the features' correlations are
taken out (P. C. Mahalanobis, 1936), with the genre's covariance drawn towards a multiple of the
identity (Ledoit & Wolf, 2004) after standardising, so that few tracks do. Both are about 1 for an
ordinary track of the genre; a feature that is unknown is left out, and a track without any has no
distance. Only the sound's quantities count, for keys and modes have no mean.

A genre of all kinds is wide, and near to everything. Which genre fits a track best is therefore
asked by its surprise: minus the logarithm of the density of a normal distribution of that profile.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

from classifier.features.audio import numeric_column
from classifier.findings.effect_sizes import CONTINUOUS_FEATURES

Floats = NDArray[np.float64]
Distance = Literal["standardised", "mahalanobis"]

DISTANCES: Final[tuple[Distance, ...]] = get_args(Distance)
MIN_PROFILE_TRACKS: Final = 5
"""Tracks with features that a genre needs to have a profile."""
_FLOOR: Final = 0.01
"""Of all tracks' standard deviation: a genre that never varies is not infinitely strict."""


@dataclass(frozen=True, slots=True)
class GenreProfile:
    """One genre."""

    genre: str
    n: int
    """Its tracks with features."""
    mean: Floats
    """(features,)"""
    std: Floats
    """(features,): standard deviations over n - 1."""
    precision: Floats | None
    """(features, features) of the standardised features; None: they count as independent."""
    covariance: Floats | None
    """What `precision` is the inverse of."""

    def distances(self, points: Floats) -> Floats:
        """Return how far each point lies from the mean; NaN where nothing is known of it."""
        away = (points - self.mean) / self.std
        known = np.isfinite(away)
        squares = np.full(len(points), np.nan)
        for pattern in np.unique(known, axis=0):
            rows = (known == pattern).all(axis=1)
            if pattern.any():
                part = away[np.ix_(rows, pattern)]
                squares[rows] = self._squared(part, pattern) / pattern.sum()
        return np.asarray(np.sqrt(squares))

    def negative_log_density(self, points: Floats) -> Floats:
        """Return how unlikely each point is in the genre; NaN where nothing is known of it.

        Minus the log-density per known feature, less a constant that is the same for all genres.
        """
        known = np.isfinite((points - self.mean) / self.std)
        width = np.full(len(points), np.nan)
        for pattern in np.unique(known, axis=0):
            if pattern.any():
                rows = (known == pattern).all(axis=1)
                width[rows] = np.log(self.std[pattern]).mean() + self._volume(pattern)
        return np.asarray(self.distances(points) ** 2 / 2 + width)

    def _volume(self, pattern: NDArray[np.bool_]) -> float:
        """Return half the log-determinant of the correlations per feature; 0 without any."""
        if self.covariance is None:
            return 0.0
        part = self.covariance[np.ix_(pattern, pattern)]
        return float(np.linalg.slogdet(part)[1] / (2 * pattern.sum()))

    def _squared(self, away: Floats, pattern: NDArray[np.bool_]) -> Floats:
        if self.precision is None or self.covariance is None:
            return np.asarray((away**2).sum(axis=1))
        inverse = (
            self.precision
            if pattern.all()
            else np.linalg.inv(self.covariance[np.ix_(pattern, pattern)])
        )
        return np.asarray(((away @ inverse) * away).sum(axis=1))


def audio_matrix(frame: pd.DataFrame) -> Floats:
    """Return the sound of each track as a row of numbers, NaN where unknown."""
    return np.column_stack([numeric_column(frame, name) for name in CONTINUOUS_FEATURES])


def fit_profiles(
    sound: Floats, labels: NDArray[np.str_], distance: Distance = "standardised"
) -> dict[str, GenreProfile]:
    """Return a profile of each genre that has enough tracks with features."""
    heard = np.isfinite(sound).any(axis=1)
    overall = _spread(sound[heard])
    found = {}
    for genre in np.unique(labels[heard]):
        own = sound[heard & (labels == genre)]
        if len(own) >= MIN_PROFILE_TRACKS:
            found[str(genre)] = _profile(str(genre), own, overall, distance)
    return found


def percentile(own: Floats, distances: Floats) -> Floats:
    """Return the share of a genre's `own` tracks that lie nearer to its profile, in percent.

    0 is its most typical track, 100 farther off than any; of tracks equally far, half count.
    """
    ordered = np.sort(own[np.isfinite(own)])
    below = np.searchsorted(ordered, distances, side="left")
    upto = np.searchsorted(ordered, distances, side="right")
    shares = (below + upto) * 50.0 / max(1, len(ordered))
    return np.where(np.isfinite(distances), shares, np.nan)


def _profile(genre: str, own: Floats, overall: Floats, distance: Distance) -> GenreProfile:
    with_any = np.isfinite(own).any(axis=0)
    mean = np.full(own.shape[1], np.nan)
    mean[with_any] = np.nanmean(own[:, with_any], axis=0)
    spread = np.fmax(_spread(own), _FLOOR * overall)
    spread[~(spread > 0)] = 1.0  # nothing varies anywhere: whatever differs is far off
    if distance == "standardised":
        return GenreProfile(genre, len(own), mean, spread, None, None)
    away = np.nan_to_num((own - mean) / spread)
    covariance, _ = ledoit_wolf(away, assume_centered=True)
    return GenreProfile(genre, len(own), mean, spread, np.linalg.inv(covariance), covariance)


def _spread(sound: Floats) -> Floats:
    """Return the sample standard deviation of each column; NaN for less than two values."""
    count = np.isfinite(sound).sum(axis=0)
    found = np.full(sound.shape[1], np.nan)
    enough = count > 1
    found[enough] = np.nanstd(sound[:, enough], axis=0, ddof=1)
    return found
