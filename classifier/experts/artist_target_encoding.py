"""What the artists' other tracks say: the genres they count for."""

import hashlib
from collections.abc import Iterator
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator

from classifier.experts import Scores
from classifier.features import hashed_ngrams
from classifier.ports import Labels

PRIOR_STRENGTH: Final = 0.3
"""How many tracks of the usual mixture everybody is taken to have beside their own."""

_WITHIN: Final = "\x1f"
"""Between an artist and an album: no normalised name holds it."""


class ArtistHistoryExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """Four voices: the genres of other tracks of the artists, and of the album.

    Of all tracks of the first artist, of all credited artists, of the first artist on this album,
    and of anybody on an album of this name. Each says how much likelier the tracks that are known
    make a genre than it is among all tracks: log of ((count + a * share) / (tracks + a)) / share,
    nothing where nothing is known.
    Tracks are known by learning from them; one that is asked about is not among them, unless it
    is one that was learned from (for these the trainer asks refits, see `outoffold`).
    """

    name = "history"
    score_names = ("first_artist", "all_artists", "artist_album", "album_name")

    def fit(self, X: pd.DataFrame, y: Labels) -> Self:
        """Count the tracks of each genre under each name."""
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.shares_ = (np.bincount(codes) / len(codes)).astype(np.float32)
        found = [_keys(rows) for rows in _names(X)]
        learned = [_counted(keys, codes, len(self.classes_)) for keys in found]
        self.keys_ = [keys for keys, _ in learned]
        self.counts_ = [counts for _, counts in learned]
        return self

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return log-ratios; 0 where none of the names is known."""
        said = [self._ratio(counts) for counts in (self._known(X, voice) for voice in range(4))]
        return np.stack(said)

    def artist_track_counts(self, X: pd.DataFrame) -> NDArray[np.float32]:
        """Return how many tracks of the credited artists are known, per row of `X`."""
        return np.asarray(self._known(X, 1).sum(axis=1))

    def _known(self, frame: pd.DataFrame, voice: int) -> NDArray[np.float32]:
        rows = list(_names(frame))[voice]
        keys, learned = self.keys_[voice], self.counts_[voice]
        owners, asked = _keys(rows)
        if len(keys) == 0 or len(asked) == 0:
            return np.zeros((len(frame), len(self.classes_)), dtype=np.float32)
        places = np.searchsorted(keys, asked).clip(max=len(keys) - 1)
        match = keys[places] == asked
        chosen = sparse.csr_matrix(
            (np.ones(match.sum(), np.float32), (owners[match], places[match])),
            shape=(len(frame), len(keys)),
        )
        return np.asarray((chosen @ learned).toarray())

    def _ratio(self, counts: NDArray[np.float32]) -> NDArray[np.float32]:
        towards = np.float32(PRIOR_STRENGTH)
        tracks = counts.sum(axis=1, keepdims=True)
        return np.asarray(
            np.log((counts / self.shares_ + towards) / (tracks + towards)), dtype=np.float32
        )


def _names(frame: pd.DataFrame) -> Iterator[list[list[str]]]:
    """Yield for each voice the names of each row under which other tracks are looked up."""
    credited = hashed_ngrams.credited_artists(frame)
    albums = hashed_ngrams.normalised_texts(frame, "album")
    yield [artists[:1] for artists in credited]
    yield credited
    yield [
        [artists[0] + _WITHIN + album] if artists and album else []
        for artists, album in zip(credited, albums, strict=True)
    ]
    yield [[album] if album else [] for album in albums]


def _keys(rows: list[list[str]]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Return (row, key) for every name; a key is the first 8 bytes of the name's BLAKE2."""
    flat = [name for names in rows for name in names]
    owners = np.repeat(np.arange(len(rows)), [len(names) for names in rows])
    known = {name: name_hash(name) for name in dict.fromkeys(flat)}
    return owners, np.array([known[name] for name in flat], dtype=np.uint64)


def name_hash(name: str) -> int:
    """Return 64 bits that stand for a name."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")


def _counted(
    found: tuple[NDArray[np.int64], NDArray[np.uint64]], codes: NDArray[np.intp], genres: int
) -> tuple[NDArray[np.uint64], sparse.csr_matrix]:
    """Return the keys, sorted, and how many tracks of each genre each has."""
    owners, keys = found
    known, places = np.unique(keys, return_inverse=True)
    ones = np.ones(len(places), dtype=np.float32)
    counts = sparse.csr_matrix((ones, (places, codes[owners])), shape=(len(known), genres))
    return known, counts
