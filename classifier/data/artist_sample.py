"""Choose the tracks of a training by artist: at most N training tracks of each genre. Pure.

The primary artists of a genre are taken in the order of a hash of their names, each with all of
its tracks on the training side, as long as they fit into N. So the choice hardly changes when the
database grows, and two databases with the same tracks choose the same. The tracks that test seen
artists are those of the chosen artists. Unseen artists are chosen in the same way, at most N
tracks of each genre on each of their sides. No track changes its side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Ids, Mask
from genrebase.store import names

_CREDIT_SEPARATOR: Final = "; "
"""Between the names in the column `artists`."""
_TRAIN, _SEEN, _NONE = 0, 1, 4
_GROUPS: Final[Mapping[str, int]] = {
    "train": _TRAIN,
    "validation_seen": _SEEN,
    "test_seen": _SEEN,
    "validation_new": 2,
    "validation": 2,
    "test_new": 3,
    "test": 3,
}
"""The side of a track to its group; a published split has the sides without a suffix."""
_LIMITED: Final = ((_TRAIN, (_TRAIN, _SEEN, _NONE)), (2, (2,)), (3, (3,)))
"""The groups whose tracks are counted, each with the groups that follow its artists."""
_LIMIT_OF: Final = np.array([0, 0, 1, 2, 0])
"""The place in `_LIMITED` of each group."""
_SPARE: Final = 4
"""How many times the limit of tracks are kept of a genre while all tracks are read."""
_KEPT: Final = 500_000
"""Keys that are kept, in about 12 MB, before those that cannot be chosen are dropped."""
_NO_BOUND: Final = np.iinfo(np.uint64).max


@dataclass(frozen=True, slots=True)
class TrackKeys:
    """What decides about each track; the arrays have an entry per track."""

    track_ids: Ids
    genres: NDArray[np.str_] | NDArray[np.int32]
    """The genre, or a code of it."""
    artists: NDArray[np.uint64]
    """Hash of the primary artist's name."""
    titles: NDArray[np.uint32]
    """Hash of the title."""
    groups: NDArray[np.int8]

    @classmethod
    def of(cls, tracks: pd.DataFrame, genre_codes: dict[str, int]) -> "TrackKeys":
        """Return the keys of tracks with the columns track_id, label, side, artists and title.

        New genres are added to `genre_codes`.
        """
        codes, labels = pd.factorize(tracks["label"])
        of_label = [genre_codes.setdefault(str(name), len(genre_codes)) for name in labels]
        credit_codes, credited = pd.factorize(tracks["artists"].fillna(""))
        artists = [
            names.hash_number(str(text).partition(_CREDIT_SEPARATOR)[0]) for text in credited
        ]
        groups = tracks["side"].map(_GROUPS).fillna(_NONE)
        titles = pd.util.hash_array(
            tracks["title"].fillna("").to_numpy(dtype=object), categorize=False
        )
        return cls(
            tracks["track_id"].to_numpy(dtype=np.int64),
            np.array(of_label, dtype=np.int32)[codes],
            np.array(artists, dtype=np.uint64)[credit_codes],
            (titles >> np.uint64(32)).astype(np.uint32),
            groups.to_numpy(np.int8).astype(np.int8),
        )

    @classmethod
    def concatenate(cls, parts: "list[TrackKeys]") -> "TrackKeys":
        """Return the keys of all parts (at least one), in their order."""
        by_field = zip(*(part.arrays() for part in parts), strict=True)
        return cls(*(np.concatenate(arrays) for arrays in by_field))

    def __len__(self) -> int:
        return len(self.track_ids)

    def where(self, mask: Mask) -> "TrackKeys":
        """Return the keys of these tracks."""
        return TrackKeys(*(array[mask] for array in self.arrays()))

    def arrays(self) -> list[NDArray[Any]]:
        """Return the arrays, in the order of the fields."""
        return [getattr(self, one.name) for one in fields(self)]


class KeyCollector:
    """Collects the keys of all tracks, and drops those that `choose` will hardly take.

    They are those of artists whose hash is greater than the hashes of `_SPARE` times the limit of
    tracks. So its memory depends on the genres and the limit, and not on the number of tracks.
    """

    def __init__(self, limit: int, *, keeps_all: bool = False) -> None:
        """Collect for `limit` training tracks of each genre; `keeps_all` drops nothing."""
        self._limit, self._most = limit, None if keeps_all else _KEPT
        self._parts: list[TrackKeys] = []
        self._bounds = np.full((len(_LIMITED), 0), _NO_BOUND, dtype=np.uint64)
        """The greatest hash of an artist that is kept, by place in `_LIMITED` and genre."""

    def add(self, keys: TrackKeys) -> None:
        """Add tracks; their genres are codes."""
        self._parts.append(self._within_bounds(keys))
        kept = sum(map(len, self._parts))
        if self._most is not None and kept > self._most:
            keys = TrackKeys.concatenate(self._parts)
            self._parts.clear()
            self._lower_bounds(keys)
            self._parts.append(self._within_bounds(keys))
            self._most = max(_KEPT, 2 * len(self._parts[0]))

    def chosen_ids(self) -> Ids | None:
        """Return the tracks that `choose` takes of all; None if too many keys were dropped.

        That happens where artists with many tracks do not fit and are passed over.
        """
        keys = self._within_bounds(TrackKeys.concatenate(self._parts))
        self._parts = [keys]
        taken, below_limit = _choose(keys, self._limit)
        for place, genre in below_limit:
            if genre < self._bounds.shape[1] and self._bounds[place, genre] != _NO_BOUND:
                return None
        return keys.track_ids[taken]

    def _within_bounds(self, keys: TrackKeys) -> TrackKeys:
        missing = int(keys.genres.max(initial=-1)) + 1 - self._bounds.shape[1]
        if missing > 0:
            added = np.full((len(_LIMITED), missing), _NO_BOUND, dtype=np.uint64)
            self._bounds = np.concatenate([self._bounds, added], axis=1)
        return keys.where(keys.artists <= self._bounds[_LIMIT_OF[keys.groups], keys.genres])

    def _lower_bounds(self, keys: TrackKeys) -> None:
        for place, (counted, groups) in enumerate(_LIMITED):
            rows = np.flatnonzero(np.isin(keys.groups, groups))
            order = rows[np.lexsort((keys.artists[rows], keys.genres[rows]))]
            is_counted = keys.groups[order] == counted
            for start, stop in _runs(keys.genres[order]):
                numbers = np.cumsum(is_counted[start:stop])
                last = int(np.searchsorted(numbers, _SPARE * self._limit))
                if last < stop - start:
                    row = order[start + last]
                    self._bounds[place, keys.genres[row]] = keys.artists[row]


def choose(keys: TrackKeys, limit: int) -> Mask:
    """Return which tracks are taken, with at most `limit` training tracks of each genre.

    Genres with no more than that are taken whole. An artist that does not fit is passed over. If
    all others together do not reach the limit, the first artist passed over fills it with a part
    of its tracks, by a hash of their titles.
    """
    return _choose(keys, limit)[0]


def _choose(keys: TrackKeys, limit: int) -> tuple[Mask, list[tuple[int, Any]]]:
    """Return also the places in `_LIMITED` and genres of which all artists were considered."""
    chosen, below_limit = np.zeros(len(keys), dtype=bool), []
    for place, (counted, groups) in enumerate(_LIMITED):
        rows = np.flatnonzero(np.isin(keys.groups, groups))
        order = rows[np.lexsort((keys.titles[rows], keys.artists[rows], keys.genres[rows]))]
        is_counted = keys.groups[order] == counted
        for start, stop in _runs(keys.genres[order]):
            genre = order[start:stop]
            taken, is_below = _choose_in_genre(keys.artists[genre], is_counted[start:stop], limit)
            chosen[genre] = taken
            if is_below:
                below_limit.append((place, keys.genres[genre[0]]))
    return chosen, below_limit


def _choose_in_genre(
    artists: NDArray[np.uint64], is_counted: Mask, limit: int
) -> tuple[Mask, bool]:
    """Return which of the tracks of a genre, in the order of artist and title, are taken.

    Also whether whole artists did not reach the limit.
    """
    if int(is_counted.sum()) <= limit:
        return np.ones(len(artists), dtype=bool), True
    taken = np.zeros(len(artists), dtype=bool)
    left, passed_over = limit, None
    numbers = np.concatenate([[0], np.cumsum(is_counted)])
    for start, stop in _runs(artists):
        size = int(numbers[stop] - numbers[start])
        if size > left:
            passed_over = passed_over or (start, stop)
        elif size > 0:
            taken[start:stop] = True
            left -= size
        if left == 0:
            return taken, False
    if passed_over is not None:
        start, stop = passed_over
        end = int(np.searchsorted(numbers, numbers[start] + left, side="left"))
        taken[start : min(end, stop)] = True
    return taken, True


def _runs(values: NDArray[Any]) -> list[tuple[int, int]]:
    """Return the start and end of each run of equal values."""
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    if len(values) == 0:
        return []
    return list(zip(starts.tolist(), [*starts[1:].tolist(), len(values)], strict=True))
