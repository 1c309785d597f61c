"""Target encoding of artists and albums: the genres of their other tracks, smoothed."""

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
"""Number of tracks with the overall genre shares that are added to everybody's own."""

_SEPARATOR: Final = "\x1f"
"""Between an artist and an album: no normalised name contains it."""
_ALL_ARTISTS: Final = 1
"""Position of that score."""


class ArtistHistoryExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """Four scores: the genres of the training tracks of an artist or an album.

    Of the first artist, of all credited artists, of the first artist on this album, and of
    anybody on an album of this name. Each is a log-ratio to the genre's share among all tracks:
    log of ((count + a * share) / (tracks + a)) / share, 0 without training tracks.
    Counts come from training tracks only. For training tracks themselves, use out-of-fold
    predictions (see `training.out_of_fold`): their own label is among the counts.
    """

    name = "history"
    score_names = ("first_artist", "all_artists", "artist_album", "album_name")

    def fit(self, X: pd.DataFrame, y: Labels) -> Self:
        """Count the tracks of each genre under each name."""
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.shares_ = (np.bincount(codes) / len(codes)).astype(np.float32)
        self.hashes_, self.counts_ = [], []
        for names in _names_by_score(X):
            owners, hashes = hash_names(names)
            unique, places = np.unique(hashes, return_inverse=True)
            ones = np.ones(len(places), dtype=np.float32)
            shape = (len(unique), len(self.classes_))
            self.hashes_.append(unique)
            self.counts_.append(sparse.csr_matrix((ones, (places, codes[owners])), shape=shape))
        return self

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return log-ratios (4, rows, genres); 0 where no name has a training track."""
        names = enumerate(_names_by_score(X))
        return np.stack(
            [log_ratios(self._counts(rows, score), self.shares_) for score, rows in names]
        )

    def artist_track_counts(self, X: pd.DataFrame) -> NDArray[np.float32]:
        """Return the number of training tracks of the credited artists, per row of `X`."""
        counts = self._counts(hashed_ngrams.credited_artists(X), _ALL_ARTISTS)
        return np.asarray(counts.sum(axis=1))

    def _counts(self, names: list[list[str]], score: int) -> NDArray[np.float32]:
        """Return the training tracks (rows, genres) under the names of each row."""
        membership = match_names(names, self.hashes_[score])
        return np.asarray((membership @ self.counts_[score]).toarray())


def log_ratios(counts: NDArray[np.float32], shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the smoothed log-ratios of counted tracks (rows, classes) to the classes' shares."""
    prior = np.float32(PRIOR_STRENGTH)
    tracks = counts.sum(axis=1, keepdims=True)
    ratios = (counts / shares + prior) / (tracks + prior)
    return np.asarray(np.log(ratios), dtype=np.float32)


def _names_by_score(frame: pd.DataFrame) -> Iterator[list[list[str]]]:
    """Yield for each score the names of each row whose training tracks count."""
    credited = hashed_ngrams.credited_artists(frame)
    albums = hashed_ngrams.normalised_texts(frame, "album")
    yield [artists[:1] for artists in credited]
    yield credited
    yield [
        [artists[0] + _SEPARATOR + album] if artists and album else []
        for artists, album in zip(credited, albums, strict=True)
    ]
    yield [[album] if album else [] for album in albums]


def hash_names(rows: list[list[str]]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Return (row, hash) of every name."""
    flat = [name for names in rows for name in names]
    owners = np.repeat(np.arange(len(rows)), [len(names) for names in rows])
    hashes = {name: name_hash(name) for name in dict.fromkeys(flat)}
    return owners, np.array([hashes[name] for name in flat], dtype=np.uint64)


def match_names(rows: list[list[str]], hashes: NDArray[np.uint64]) -> sparse.csr_matrix:
    """Return (rows, `hashes`) of 0 and 1: which of the sorted `hashes` each row has a name of."""
    owners, wanted = hash_names(rows)
    shape = (len(rows), len(hashes))
    if len(hashes) == 0 or len(wanted) == 0:
        return sparse.csr_matrix(shape, dtype=np.float32)
    places = np.searchsorted(hashes, wanted).clip(max=len(hashes) - 1)
    match = hashes[places] == wanted
    ones = np.ones(match.sum(), np.float32)
    return sparse.csr_matrix((ones, (owners[match], places[match])), shape=shape)


def name_hash(name: str) -> int:
    """Return a 64-bit hash: the first 8 bytes of the name's BLAKE2."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
