"""Features from the sightings of an artist's other tracks: in which genres, and at which rank."""

from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator

from classifier.arrays import Floats, Ids
from classifier.experts.artist_target_encoding import hash_names, match_names
from classifier.features import hashed_ngrams
from classifier.features.audio import Matrix, numeric_column
from classifier.ports import Labels

CHUNK_ROWS: Final = 5_000
"""Tracks transformed at once: each is joined with all training tracks of its artists."""
COLUMNS_PER_GENRE, EXTRA_COLUMNS = 4, 4


class ArtistSightingFeatures(BaseEstimator):  # type: ignore[misc]  # untyped there
    """Numbers about the training tracks by the credited artists of a track.

    A label is the genre a track ranked highest in; in which others it was seen, and how high,
    indicates where its artists' next track may be seen. Per genre of the labels: the share of the
    artists' tracks that were seen in it, and their mean rank there; both again for the track whose
    popularity is nearest. Then the tracks' mean popularity, the track's difference from it, the
    number of tracks, and the difference from the nearest one. NaN where there are no values.

    Only tracks in `X` count, even if `sightings` hold others.
    """

    def fit(self, X: pd.DataFrame, y: Labels, sightings: pd.DataFrame) -> Self:
        """Record where the tracks in `X` were seen; `sightings`: (track_id, genre, best_rank)."""
        self.genres_ = np.unique(y)
        ids = X["track_id"].to_numpy(dtype=np.int64)
        self.seen_, self.ranks_ = _sighting_table(ids, self.genres_, sightings)
        self.popularity_ = numeric_column(X, "popularity").astype(np.float32)
        owners, hashes = hash_names(hashed_ngrams.credited_artists(X))
        self.hashes_, places = np.unique(hashes, return_inverse=True)
        ones = np.ones(len(owners), dtype=np.float32)
        self.tracks_ = sparse.csr_matrix((ones, (places, owners)), (len(self.hashes_), len(X)))
        return self

    def transform(self, X: pd.DataFrame) -> Matrix:
        """Return (rows, `COLUMNS_PER_GENRE` * genres + `EXTRA_COLUMNS`)."""
        starts = range(0, max(len(X), 1), CHUNK_ROWS)
        return np.concatenate([self._chunk(X.iloc[at : at + CHUNK_ROWS]) for at in starts])

    def _chunk(self, frame: pd.DataFrame) -> Matrix:
        artist_tracks = self._artist_tracks(frame)
        counts = np.diff(artist_tracks.indptr)
        n_tracks = counts.astype(np.float32)
        popularity = numeric_column(frame, "popularity").astype(np.float32)
        rows = np.repeat(np.arange(len(frame)), counts)
        track_popularity = self.popularity_[artist_tracks.indices]
        nearest, off = _nearest(rows, track_popularity - popularity[rows], len(frame))
        seen = np.asarray(artist_tracks @ self.seen_)
        ranks = np.asarray(artist_tracks @ self.ranks_)
        at = artist_tracks.indices[nearest] if len(rows) else np.zeros(len(frame), dtype=np.intp)
        mean = _mean(rows, track_popularity, len(frame))
        with np.errstate(divide="ignore", invalid="ignore"):  # 0 / 0 is unknown
            blocks = [
                seen / n_tracks[:, np.newaxis],
                ranks / seen,
                self.seen_[at] if len(self.seen_) else seen,
                np.where(self.seen_[at] > 0, self.ranks_[at], np.nan) if len(rows) else ranks,
                np.stack([mean, popularity - mean, n_tracks, off], axis=1),
            ]
        matrix = np.hstack(blocks).astype(np.float32)
        matrix[counts == 0] = np.nan
        return matrix

    def _artist_tracks(self, frame: pd.DataFrame) -> sparse.csr_matrix:
        """Return (rows, training tracks) of 0 and 1: which are by an artist of the row."""
        by_artist = match_names(hashed_ngrams.credited_artists(frame), self.hashes_)
        artist_tracks = (by_artist @ self.tracks_).tocsr()
        artist_tracks.sort_indices()  # otherwise ties depend on the order of the product
        artist_tracks.data[:] = 1
        return artist_tracks


def _sighting_table(ids: Ids, genres: Labels, sightings: pd.DataFrame) -> tuple[Matrix, Matrix]:
    """Return (tracks, genres) of whether each was seen there, and at which rank."""
    seen = np.zeros((len(ids), len(genres)), dtype=np.float32)
    ranks = np.zeros_like(seen)
    order = np.argsort(ids, kind="stable")
    seen_ids = sightings["track_id"].to_numpy(dtype=np.int64)
    names = sightings["genre"].to_numpy(dtype=str)
    if len(ids) == 0 or len(seen_ids) == 0:
        return seen, ranks
    rows = order[np.searchsorted(ids[order], seen_ids).clip(max=len(ids) - 1)]
    columns = np.searchsorted(genres, names).clip(max=len(genres) - 1)
    match = (ids[rows] == seen_ids) & (genres[columns] == names)
    rows, columns = rows[match], columns[match]
    seen[rows, columns] = 1
    ranks[rows, columns] = numeric_column(sightings, "best_rank")[match]
    return seen, np.nan_to_num(ranks)


def _nearest(
    rows: NDArray[np.intp], off: NDArray[np.float32], size: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return for each row the pair with the smallest |`off`|, the first of ties, and its `off`."""
    if len(rows) == 0:
        return np.zeros(size, dtype=np.intp), np.full(size, np.nan, dtype=np.float32)
    order = np.lexsort((np.nan_to_num(np.abs(off), nan=np.inf), rows))
    first = order[np.searchsorted(rows[order], np.arange(size)).clip(max=len(rows) - 1)]
    return first, off[first]


def _mean(rows: NDArray[np.intp], values: NDArray[np.float32], size: int) -> Floats:
    finite = np.isfinite(values)
    sums = np.bincount(rows[finite], values[finite], minlength=size)
    counts = np.bincount(rows[finite], minlength=size)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
