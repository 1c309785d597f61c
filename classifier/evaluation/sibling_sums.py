"""Sums over a track's siblings: the other tracks of the artist that is credited first. Pure."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifier.arrays import Ids, Mask

Sums = NDArray[np.float32]

NO_ARTIST: Final = -1
"""Artist of a track without credits (see `data.regimes`)."""
_CHUNK_ROWS: Final = 1_000
"""Tracks of an artist that are compared with all of its tracks at once."""


class SiblingSums:
    """Sums of the rows of a matrix over the siblings of each track."""

    def __init__(self, artists: Ids, order: NDArray[Any], values: Sums) -> None:
        """Each array has a row per track; the first siblings are those that `order` sorts first.

        A track whose artist is `NO_ARTIST` has no siblings.
        """
        self._values = values
        self._artists = np.where(artists == NO_ARTIST, -2 - np.arange(len(artists)), artists)
        self._sorted = np.lexsort((order, self._artists))
        _, starts, sizes = np.unique(
            self._artists[self._sorted], return_index=True, return_counts=True
        )
        self._starts, self._sizes = np.repeat(starts, sizes), np.repeat(sizes, sizes)
        self._places = np.arange(len(artists)) - self._starts
        sums = np.cumsum(values[self._sorted], axis=0, dtype=np.float64)
        self._totals = np.vstack([np.zeros((1, values.shape[1])), sums])

    def first(self, siblings: int | None = None) -> tuple[Sums, Ids]:
        """Return the sums over the first `siblings` of each track (None: all), and their number.

        A track with fewer siblings has all of them.
        """
        limit = self._sizes if siblings is None else np.minimum(siblings, self._sizes)
        # a track that is among its artist's first ones takes one more, and is subtracted
        taken = np.minimum(limit + (self._places < limit), self._sizes)
        is_taken = self._places < taken
        sums = self._totals[self._starts + taken] - self._totals[self._starts]
        sums[is_taken] -= self._values[self._sorted][is_taken]
        all_sums, counts = np.empty_like(self._values), np.empty(len(taken), dtype=np.int64)
        all_sums[self._sorted], counts[self._sorted] = sums, taken - is_taken
        return all_sums, counts

    def without(self, codes: NDArray[Any], has: Mask) -> tuple[Sums, Ids]:
        """Return the sums over the siblings that lack a property of each track, and their number.

        `codes`: the property of each track, a column of `has` (tracks, properties).
        """
        sums, counts = np.zeros_like(self._values), np.zeros(len(codes), dtype=np.int64)
        for start in np.unique(self._starts):
            rows = self._sorted[start : start + self._sizes[start]]
            for at in range(0, len(rows), _CHUNK_ROWS):
                part = rows[at : at + _CHUNK_ROWS]
                lacks = ~has[rows][:, codes[part]].T  # (tracks of the part, all tracks)
                lacks[np.arange(len(part)), at + np.arange(len(part))] = False
                sums[part] = lacks.astype(np.float32) @ self._values[rows]
                counts[part] = lacks.sum(axis=1)
        return sums, counts
