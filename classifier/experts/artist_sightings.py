"""What the artists' other tracks were seen under, and how far up."""

from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator

from classifier.experts.artist_target_encoding import name_hash
from classifier.features import hashed_ngrams
from classifier.features.audio import Matrix, numeric_column
from classifier.ports import Labels

CHUNK_ROWS: Final = 5_000
"""Tracks asked about at once: each is laid beside all known tracks of its artists."""
COLUMNS_PER_GENRE, EXTRA_COLUMNS = 4, 4
"""Numbers for each genre, and beside these."""


class ArtistSightingFeatures(BaseEstimator):  # type: ignore[misc]  # untyped there
    """Numbers about the known tracks by the credited artists of a track.

    A label says under which genre a track came up first; where else it was seen, and how far up,
    says what its artists' next track may come up under. Per genre of the labels: the share of the
    artists' tracks that were seen under it, and their mean rank there; both again for the one of
    them whose popularity is nearest. Then their mean popularity, how far the track lies above it,
    how many they are, and how far the nearest one lies away. NaN where nothing is known.

    Only tracks in `X` are known, whatever else `sightings` hold.
    """

    def fit(self, X: pd.DataFrame, y: Labels, sightings: pd.DataFrame) -> Self:
        """Learn where the tracks in `X` were seen; `sightings`: (track_id, genre, best_rank)."""
        self.genres_ = np.unique(y)
        ids = X["track_id"].to_numpy(dtype=np.int64)
        self.seen_, self.ranks_ = _table(ids, self.genres_, sightings)
        self.popularity_ = numeric_column(X, "popularity").astype(np.float32)
        owners, asked = _names(X)
        self.keys_, places = np.unique(asked, return_inverse=True)
        ones = np.ones(len(owners), dtype=np.float32)
        self.tracks_ = sparse.csr_matrix((ones, (places, owners)), (len(self.keys_), len(X)))
        return self

    def transform(self, X: pd.DataFrame) -> Matrix:
        """Return `COLUMNS_PER_GENRE` numbers per genre and `EXTRA_COLUMNS` more for each row of `X`."""
        parts = [self._asked(X.iloc[at : at + CHUNK_ROWS]) for at in range(0, len(X), CHUNK_ROWS)]
        return np.concatenate([self._asked(X.iloc[:0]), *parts])

    def _asked(self, frame: pd.DataFrame) -> Matrix:
        beside = self._beside(frame)
        known = np.diff(beside.indptr).astype(np.float32)
        none = known == 0
        popularity = numeric_column(frame, "popularity").astype(np.float32)
        rows = np.repeat(np.arange(len(frame)), np.diff(beside.indptr))
        theirs = self.popularity_[beside.indices]
        nearest, away = _nearest(rows, theirs - popularity[rows], len(frame))
        seen, ranks = np.asarray(beside @ self.seen_), np.asarray(beside @ self.ranks_)
        at = beside.indices[nearest] if len(rows) else np.zeros(len(frame), dtype=np.intp)
        mean = _mean(rows, theirs, len(frame))
        with np.errstate(divide="ignore", invalid="ignore"):  # nothing by nothing is unknown
            found = [
                seen / known[:, np.newaxis],
                ranks / seen,
                self.seen_[at] if len(self.seen_) else seen,
                np.where(self.seen_[at] > 0, self.ranks_[at], np.nan) if len(rows) else ranks,
                np.stack([mean, popularity - mean, known, away], axis=1),
            ]
        matrix = np.hstack(found).astype(np.float32)
        matrix[none] = np.nan
        return matrix

    def _beside(self, frame: pd.DataFrame) -> sparse.csr_matrix:
        """Return which known tracks each row is laid beside: (rows, known tracks) of 0 and 1."""
        owners, asked = _names(frame)
        if len(self.keys_) == 0 or len(asked) == 0:
            return sparse.csr_matrix((len(frame), len(self.seen_)), dtype=np.float32)
        places = np.searchsorted(self.keys_, asked).clip(max=len(self.keys_) - 1)
        match = self.keys_[places] == asked
        ones = np.ones(match.sum(), np.float32)
        chosen = sparse.csr_matrix(
            (ones, (owners[match], places[match])), (len(frame), len(self.keys_))
        )
        beside = (chosen @ self.tracks_).tocsr()
        beside.sort_indices()  # else ties depend on how it was multiplied
        beside.data[:] = 1
        return beside


def _names(frame: pd.DataFrame) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
    """Return (row, key) of every credited artist."""
    credited = hashed_ngrams.credited_artists(frame)
    owners = np.repeat(np.arange(len(credited)), [len(names) for names in credited])
    keys = np.array([name_hash(name) for names in credited for name in names], dtype=np.uint64)
    return owners, keys


def _table(
    ids: NDArray[np.int64], genres: Labels, sightings: pd.DataFrame
) -> tuple[Matrix, Matrix]:
    """Return (tracks, genres) of whether each was seen there, and at which rank."""
    seen = np.zeros((len(ids), len(genres)), dtype=np.float32)
    ranks = np.zeros_like(seen)
    order = np.argsort(ids, kind="stable")
    told = sightings["track_id"].to_numpy(dtype=np.int64)
    names = sightings["genre"].to_numpy(dtype=str)
    if len(ids) == 0 or len(told) == 0:
        return seen, ranks
    rows = order[np.searchsorted(ids[order], told).clip(max=len(ids) - 1)]
    columns = np.searchsorted(genres, names).clip(max=len(genres) - 1)
    match = (ids[rows] == told) & (genres[columns] == names)
    rows, columns = rows[match], columns[match]
    seen[rows, columns] = 1
    if "best_rank" in sightings.columns:
        ranks[rows, columns] = numeric_column(sightings, "best_rank")[match]
    return seen, np.nan_to_num(ranks)


def _nearest(
    rows: NDArray[np.intp], off: NDArray[np.float32], size: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return for each row which pair lies nearest, the first of equals, and how far."""
    distance = np.nan_to_num(np.abs(off), nan=np.inf)
    order = np.lexsort((distance, rows))
    first = np.searchsorted(rows[order], np.arange(size)).clip(max=max(len(rows) - 1, 0))
    if len(rows) == 0:
        return np.zeros(size, dtype=np.intp), np.full(size, np.nan, dtype=np.float32)
    return order[first], off[order[first]]


def _mean(rows: NDArray[np.intp], values: NDArray[np.float32], size: int) -> NDArray[np.float64]:
    """Return the mean of what is known in each row, NaN for nothing."""
    known = np.isfinite(values)
    sums = np.bincount(rows[known], values[known], minlength=size)
    counts = np.bincount(rows[known], minlength=size)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
