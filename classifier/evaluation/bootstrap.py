"""95% intervals that resample artists, not tracks.

The tracks of one artist resemble each other; resampling tracks makes intervals about four times
too narrow. Each resample draws as many artists as there are, with repetition (the cluster
bootstrap; Davison & Hinkley, Bootstrap Methods and their Application, 1997, 3.8).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from classifier.records import Comparison, Interval

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

N_RESAMPLES: Final = 500
"""Enough for bounds that move by less than a tenth of the interval's width between two seeds."""
_BOUNDS: Final = (2.5, 97.5)


class ArtistBootstrap:
    """Bootstrap draws over the artists of some tracks."""

    def __init__(self, artists: NDArray[np.int64], *, seed: int) -> None:
        """`artists[i]` is whose track `i` is."""
        known, codes = np.unique(artists, return_inverse=True)
        self._codes: Codes = codes
        self._count = len(known)
        draws = np.random.default_rng(seed).integers(
            self._count, size=(N_RESAMPLES, self._count), dtype=np.int64
        )
        rows = np.arange(N_RESAMPLES)[:, np.newaxis] * self._count
        flat = np.bincount((draws + rows).ravel(), minlength=N_RESAMPLES * self._count)
        self._weights = flat.reshape(N_RESAMPLES, self._count).astype(np.float64)
        self._tracks = self.sums(np.ones(len(artists)))

    def sums(self, values: Floats) -> Floats:
        """Return the sum of `values` over the tracks of each resample."""
        per_artist = np.bincount(self._codes, weights=values, minlength=self._count)
        return np.asarray(self._weights @ per_artist)

    def counts(self, groups: Codes, size: int, chosen: NDArray[np.bool_] | None = None) -> Floats:
        """Return how many (`chosen`) tracks of each group 0..size-1 each resample holds."""
        codes, groups = (
            (self._codes, groups) if chosen is None else (self._codes[chosen], groups[chosen])
        )
        flat = np.bincount(codes * size + groups, minlength=self._count * size)
        return np.asarray(self._weights @ flat.reshape(self._count, size).astype(np.float64))

    def grouped_sums(self, groups: Codes, size: int, values: Floats) -> Floats:
        """Return the sum of `values` per group in each resample."""
        flat = np.bincount(
            self._codes * size + groups, weights=values, minlength=self._count * size
        )
        return np.asarray(self._weights @ flat.reshape(self._count, size))

    def means(self, values: Floats) -> Floats:
        """Return the mean of `values` over the tracks of each resample."""
        return np.asarray(self.sums(values) / self._tracks)

    @property
    def n_tracks(self) -> Floats:
        """Return how many tracks each resample holds."""
        return self._tracks

    def interval(self, values: Floats) -> Interval | None:
        """Return the interval of one figure per resample; None for less than two artists."""
        return None if self._count < 2 else percentile_interval(values)


def percentile_interval(values: Floats) -> Interval | None:
    """Return the interval of one figure per resample; None where most resamples have none."""
    finite = values[np.isfinite(values)]
    if len(finite) < len(values) / 2 or len(finite) == 0:
        return None
    low, high = np.percentile(finite, _BOUNDS)
    return Interval(float(low), float(high))


def paired_comparison(
    mine: NDArray[np.bool_],
    other: NDArray[np.bool_] | Floats,
    artists: NDArray[np.int64],
    *,
    seed: int,
) -> Comparison | None:
    """Compare two sets of hits on the same tracks, paired; None without at least two artists.

    `other` may be the chance of a hit on each track, 0..1, in the place of hits.
    """
    if len(np.unique(artists)) < 2:
        return None
    gains = mine.astype(np.float64) - other.astype(np.float64)
    resampled = ArtistBootstrap(artists, seed=seed)
    interval = resampled.interval(resampled.means(gains))
    if interval is None:
        return None
    return Comparison(len(gains), float(gains.mean()), interval)
