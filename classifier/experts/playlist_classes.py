"""Finer classes than genres as training targets of networks: the playlists of each genre."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator

from classifier.experts import artist_target_encoding
from classifier.experts.artist_target_encoding import hash_names, match_names
from classifier.experts.mlp_numpy import Matrix
from classifier.features import hashed_ngrams
from classifier.features.audio import numeric_column
from classifier.ports import Labels

MIN_TRACKS: Final = 20
"""Training tracks of a playlist under one genre; those of smaller ones are of the genre alone."""
MAX_PLAYLISTS: Final = 512
"""The largest ones are classes: the networks grow with them."""

MAX_HISTORY_CELLS: Final = 50_000_000
"""Tracks times classes up to which artists have a history of playlists: 200 MB."""

Starts = NDArray[np.intp]
"""For each genre, sorted by name, the first of its classes; these follow one another."""


@dataclass(frozen=True, slots=True)
class FineClasses:
    """The class of each training track: its genre, and within it a playlist or none."""

    codes: NDArray[np.intp]
    starts: Starts


def playlist_classes(
    X: pd.DataFrame, y: Labels, sightings: pd.DataFrame | None
) -> FineClasses | None:
    """Return the classes of the tracks in `X`; None if `sightings` have too few playlists.

    What a playlist has in common (a scene, a mood, a decade) is narrower than a genre. A network
    that tells playlists apart, and then adds them up by genre, knows more of a genre than its
    name. Of each track only the playlist of the sighting under its own label counts; tracks that
    are not in `X` do not count, whatever `sightings` hold.
    """
    genres, genre_codes = np.unique(y, return_inverse=True)
    names = _playlists(X, y, sightings)
    used = names != ""
    if not used.any():
        return None
    pairs = pd.Series(list(zip(genre_codes[used], names[used], strict=True)), dtype=object)
    counts = pairs.value_counts(sort=False)
    counts = counts[counts >= MIN_TRACKS]
    if len(counts) == 0:
        return None
    largest = sorted(counts.index, key=lambda pair: (-counts[pair], pair))[:MAX_PLAYLISTS]
    kept = np.zeros(len(names), dtype=bool)
    kept[used] = pairs.isin(largest).to_numpy()
    keys = list(zip(genre_codes, np.where(kept, names, ""), strict=True))
    classes = sorted(set(keys))
    code_of = {key: code for code, key in enumerate(classes)}
    starts = np.searchsorted([genre for genre, _ in classes], np.arange(len(genres)))
    return FineClasses(np.array([code_of[key] for key in keys], dtype=np.intp), starts)


def of_genres(probabilities: Matrix, starts: Starts | None) -> Matrix:
    """Return the probabilities of the genres from those of their classes (rows, classes)."""
    if starts is None:
        return probabilities
    return np.asarray(np.add.reduceat(probabilities, starts, axis=1))


class PlaylistHistory(BaseEstimator):  # type: ignore[misc]  # untyped there
    """In which classes the training tracks of the credited artists are.

    A log-ratio per class, smoothed as in `ArtistHistoryExpert`; 0 without training tracks.
    """

    def fit(self, X: pd.DataFrame, codes: NDArray[np.intp], shares: Matrix) -> Self:
        """Count the tracks in `X` of each class; `shares` of the classes are positive."""
        self.shares_ = shares
        owners, hashes = hash_names(hashed_ngrams.credited_artists(X))
        self.hashes_, places = np.unique(hashes, return_inverse=True)
        ones = np.ones(len(owners), dtype=np.float32)
        shape = (len(self.hashes_), len(shares))
        self.counts_ = sparse.csr_matrix((ones, (places, codes[owners])), shape=shape)
        return self

    def transform(self, X: pd.DataFrame) -> Matrix:
        """Return the log-ratios (rows, classes)."""
        by_artist = match_names(hashed_ngrams.credited_artists(X), self.hashes_)
        counts = np.asarray((by_artist @ self.counts_).toarray())
        return artist_target_encoding.log_ratios(counts, self.shares_)


def playlist_history(
    X: pd.DataFrame, fine: FineClasses, splits: NDArray[np.int64]
) -> tuple[PlaylistHistory, Matrix] | None:
    """Return the history of all tracks, and that of each track by those of the other splits.

    None if it would take too much memory.
    """
    counts = np.bincount(fine.codes)
    if len(X) * len(counts) > MAX_HISTORY_CELLS:
        return None
    shares = (counts / len(X)).astype(np.float32)
    out_of_fold = np.zeros((len(X), len(counts)), dtype=np.float32)
    for split in np.unique(splits):
        held = splits == split
        history = PlaylistHistory().fit(X[~held], fine.codes[~held], shares)
        out_of_fold[held] = history.transform(X[held])
    return PlaylistHistory().fit(X, fine.codes, shares), out_of_fold


def _playlists(X: pd.DataFrame, y: Labels, sightings: pd.DataFrame | None) -> NDArray[np.object_]:
    """Return the playlist of each track under its label; empty without one."""
    names = np.full(len(X), "", dtype=object)
    if sightings is None or "playlist" not in sightings.columns or len(X) == 0:
        return names
    rows = sightings[sightings["playlist"].notna().to_numpy(dtype=bool)]
    keys = pd.MultiIndex.from_arrays([rows["track_id"].to_numpy(dtype=np.int64), rows["genre"]])
    playlists = pd.Series(rows["playlist"].to_numpy(dtype=object), index=keys)
    playlists = playlists[~playlists.index.duplicated()]
    ids = numeric_column(X, "track_id").astype(np.int64)
    matched = playlists.reindex(pd.MultiIndex.from_arrays([ids, np.asarray(y, dtype=object)]))
    return matched.fillna("").to_numpy(dtype=object)
