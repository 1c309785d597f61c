"""95% confidence intervals by a cluster bootstrap that resamples artists, not tracks.

The tracks of one artist resemble each other; resampling tracks makes intervals about four times
too narrow. Each resample draws as many artists as there are, with replacement (Davison & Hinkley,
Bootstrap Methods and their Application, 1997, 3.8).
"""

from typing import Final

import numpy as np
from scipy import sparse

from classifier.arrays import Codes, Floats, Ids, Mask
from classifier.model_records import Comparison, Interval

N_RESAMPLES: Final = 500
"""Enough for bounds that move by less than a tenth of the interval's width between two seeds."""
_PERCENTILES: Final = (2.5, 97.5)


class ArtistBootstrap:
    """Resamples of the artists of some tracks; every array returned has one row per resample."""

    def __init__(self, artists: Ids, *, seed: int, n_resamples: int = N_RESAMPLES) -> None:
        """`artists` holds the artist of each track."""
        unique, self._codes = np.unique(artists, return_inverse=True)
        self._count = len(unique)
        random = np.random.default_rng(seed)
        self._weights = np.empty((n_resamples, self._count))
        for row in self._weights:  # one at a time: all draws at once are hundreds of megabytes
            draws = random.integers(self._count, size=self._count)
            row[:] = np.bincount(draws, minlength=self._count)
        self.n_tracks = self.sums(np.ones(len(artists)))

    def sums(self, values: Floats) -> Floats:
        """Return the sum of `values` over the tracks."""
        per_artist = np.bincount(self._codes, weights=values, minlength=self._count)
        return np.asarray(self._weights @ per_artist)

    def means(self, values: Floats) -> Floats:
        """Return the mean of `values` over the tracks."""
        return np.asarray(self.sums(values) / self.n_tracks)

    def counts(self, groups: Codes, size: int, chosen: Mask | None = None) -> Floats:
        """Return (resamples, `size`): the number of (`chosen`) tracks of each group 0..size-1."""
        rows = slice(None) if chosen is None else chosen
        codes, groups = self._codes[rows], groups[rows]
        ones = np.ones(len(codes))
        per_artist = sparse.csr_array(
            sparse.coo_array((ones, (groups, codes)), shape=(size, self._count))
        )
        return np.ascontiguousarray((per_artist @ self._weights.T).T)

    def grouped_sums(self, groups: Codes, size: int, values: Floats) -> Floats:
        """Return (resamples, `size`): the sum of `values` per group."""
        cells = self._codes * size + groups
        flat = np.bincount(cells, weights=values, minlength=self._count * size)
        return np.asarray(self._weights @ flat.reshape(self._count, size))

    def interval(self, values: Floats) -> Interval | None:
        """Return the interval of one value per resample; None for less than two artists."""
        return None if self._count < 2 else percentile_interval(values)

    def cliffs_delta_interval(self, bins: Codes, ours: Mask, others: Mask) -> Interval | None:
        """Return the interval of Cliff's delta of two groups of tracks.

        `bins` are the tracks' values as codes from 0 whose order is that of the values. None
        where a group has less than two artists.
        """
        size = int(bins.max()) + 1
        mine, theirs = (self.counts(bins, size, chosen) for chosen in (ours, others))
        upto = theirs.cumsum(axis=1)
        smaller, greater = upto - theirs, upto[:, -1:] - upto
        pairs = mine.sum(axis=1) * upto[:, -1]
        with np.errstate(invalid="ignore", divide="ignore"):  # a resample may miss a group
            deltas = (mine * (smaller - greater)).sum(axis=1) / pairs
        few = any(len(np.unique(self._codes[chosen])) < 2 for chosen in (ours, others))
        return None if few else percentile_interval(deltas)


def percentile_interval(values: Floats) -> Interval | None:
    """Return the interval of one value per resample; None where most resamples have none."""
    finite = values[np.isfinite(values)]
    if len(finite) < len(values) / 2 or len(finite) == 0:
        return None
    low, high = np.percentile(finite, _PERCENTILES)
    return Interval(float(low), float(high))


def paired_comparison(
    correct: Mask, other: Mask | Floats, artists: Ids, *, seed: int
) -> Comparison | None:
    """Compare two models on the same tracks, paired; None without at least two artists.

    `other` may be the probability of being correct on each track, 0..1, instead of a mask.
    """
    if len(np.unique(artists)) < 2:
        return None
    gains = correct.astype(np.float64) - other.astype(np.float64)
    bootstrap = ArtistBootstrap(artists, seed=seed)
    interval = bootstrap.interval(bootstrap.means(gains))
    return None if interval is None else Comparison(len(gains), float(gains.mean()), interval)
