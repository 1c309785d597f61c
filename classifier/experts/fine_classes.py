"""Finer classes than genres as training targets of networks: playlists, and other genres seen."""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator

from classifier.arrays import Ids
from classifier.experts import artist_target_encoding
from classifier.experts.artist_target_encoding import hash_names, match_names
from classifier.experts.mlp_numpy import Matrix
from classifier.features import hashed_ngrams
from classifier.features.audio import numeric_column
from classifier.ports import Labels

MIN_TRACKS: Final = 8
"""Training tracks of a class; 20 were worse on the validation tracks of six and ten genres."""
MAX_CLASSES: Final = 512
"""Besides one per genre: the largest ones. The networks grow with them."""
MAX_HISTORY_CELLS: Final = 50_000_000
"""Tracks times classes up to which artists have a history of them: 200 MB."""

Starts = NDArray[np.intp]
"""For each genre, sorted by name, the first of its classes; these follow one another."""
_Keys = NDArray[np.object_]
"""Per track the name of its class within its genre; empty: that of the genre alone."""


@dataclass(frozen=True, slots=True)
class FineClasses:
    """The class of each training track: its genre, and within it one of the finer classes."""

    codes: NDArray[np.intp]
    starts: Starts


def fine_classes(X: pd.DataFrame, y: Labels, sightings: pd.DataFrame | None) -> FineClasses | None:
    """Return the classes of the tracks in `X`; None if there is none but the genres.

    A track's class is the playlist of its sighting under its label or, without one, the set of
    the other genres it was seen under. What such tracks have in common (a scene, a mood, a decade)
    is narrower than a genre: a network that tells them apart, and then adds them up by genre,
    knows more of a genre than its name. Only tracks in `X` count, whatever `sightings` hold.
    """
    if sightings is None or len(X) == 0:
        return None
    genres, genre_codes = np.unique(y, return_inverse=True)
    ids = numeric_column(X, "track_id").astype(np.int64)
    keys = _kept(genre_codes, _playlists(ids, y, sightings))
    keys = np.where(keys == "", _other_genres(ids, y, sightings), keys)
    pairs = list(zip(genre_codes.tolist(), _kept(genre_codes, keys), strict=True))
    classes = sorted(set(pairs))
    if len(classes) == len(genres):
        return None
    code_of = {pair: code for code, pair in enumerate(classes)}
    starts = np.searchsorted([genre for genre, _ in classes], np.arange(len(genres)))
    return FineClasses(np.array([code_of[pair] for pair in pairs], dtype=np.intp), starts)


def of_genres(probabilities: Matrix, starts: Starts | None) -> Matrix:
    """Return the probabilities of the genres from those of their classes (rows, classes)."""
    if starts is None:
        return probabilities
    return np.asarray(np.add.reduceat(probabilities, starts, axis=1))


class FineClassHistory(BaseEstimator):  # type: ignore[misc]  # untyped there
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


def fine_class_history(
    X: pd.DataFrame, fine: FineClasses, splits: NDArray[np.int64]
) -> tuple[FineClassHistory, Matrix] | None:
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
        history = FineClassHistory().fit(X[~held], fine.codes[~held], shares)
        out_of_fold[held] = history.transform(X[held])
    return FineClassHistory().fit(X, fine.codes, shares), out_of_fold


def _kept(genre_codes: NDArray[np.intp], keys: _Keys) -> _Keys:
    """Return the keys without those of small classes, and without all but the largest ones."""
    pairs = pd.Series(list(zip(genre_codes.tolist(), keys, strict=True)), dtype=object)
    counts = pairs[keys != ""].value_counts(sort=False)
    counts = counts[counts >= MIN_TRACKS]
    largest = sorted(counts.index, key=lambda pair: (-counts[pair], pair))[:MAX_CLASSES]
    return np.where(pairs.isin(largest).to_numpy(), keys, "")


def _playlists(ids: Ids, y: Labels, sightings: pd.DataFrame) -> _Keys:
    """Return the playlist of each track under its label; empty without one."""
    if "playlist" not in sightings.columns:
        return np.full(len(ids), "", dtype=object)
    rows = sightings[sightings["playlist"].notna().to_numpy(dtype=bool)]
    keys = pd.MultiIndex.from_arrays([rows["track_id"].to_numpy(dtype=np.int64), rows["genre"]])
    playlists = pd.Series(("in " + rows["playlist"]).to_numpy(dtype=object), index=keys)
    playlists = playlists[~playlists.index.duplicated()]
    labelled = pd.MultiIndex.from_arrays([ids, np.asarray(y, dtype=object)])
    matched: Any = playlists.reindex(labelled).fillna("")
    return np.asarray(matched.to_numpy(dtype=object))


def _other_genres(ids: Ids, y: Labels, sightings: pd.DataFrame) -> _Keys:
    """Return the genres each track was seen under besides its label; empty without one."""
    seen = pd.DataFrame(
        {
            "track": sightings["track_id"].to_numpy(dtype=np.int64),
            "genre": sightings["genre"].to_numpy(dtype=object),
        }
    )
    label = seen["track"].map(dict(zip(ids.tolist(), y.tolist(), strict=True)))
    others = seen[(label.notna() & (label != seen["genre"])).to_numpy()].drop_duplicates()
    by_track = others.sort_values(["track", "genre"]).groupby("track")["genre"].agg("; ".join)
    names: Any = by_track.reindex(ids).fillna("")
    return np.asarray(names.to_numpy(dtype=object))
