"""Titles, albums and names as bags of numbered pieces, for a network that embeds them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator

from classifier.features import hashed_ngrams
from classifier.features.groups import TEXT

MIN_ARTISTS: Final = 3
"""A piece that fewer artists have is left out: it would only name the artist."""


@dataclass(frozen=True, slots=True)
class NgramBags:
    """Tracks as the pieces of text they are made of."""

    bags: tuple[sparse.csr_matrix, ...]
    """Per column of `TEXT`, one row per track: weights of the pieces that are known."""
    weights: NDArray[np.float32]
    """What a track counts as an example of a language: one over the root of its artist's tracks,
    1 on the mean."""


class NgramBagEncoder(BaseEstimator):  # type: ignore[misc]  # untyped there
    """Turn frames into bags of the n-grams that several artists have (`hashed_ngrams.hashed_ngrams`)."""

    def __init__(self, least_artists: int = MIN_ARTISTS) -> None:
        self.least_artists = least_artists

    def fit_transform(self, X: pd.DataFrame) -> NgramBags:
        """Learn which pieces there are, and return what `transform` would."""
        counted = _counted(X)
        artists = _artists(X)
        self.known_ = [self._shared(counts, artists) for counts in counted]
        return self._known(counted, artists)

    def transform(self, X: pd.DataFrame) -> NgramBags:
        """Return the bags of each row."""
        return self._known(_counted(X), _artists(X))

    def _known(self, counted: list[sparse.csr_matrix], artists: NDArray[np.intp]) -> NgramBags:
        bags = tuple(
            counts[:, known].tocsr() for counts, known in zip(counted, self.known_, strict=True)
        )
        tracks = np.bincount(artists)[artists] if len(artists) else np.ones(0)
        weights = 1 / np.sqrt(tracks)
        return NgramBags(
            bags, (weights / (weights.mean() if len(weights) else 1)).astype(np.float32)
        )

    def _shared(self, counts: sparse.csr_matrix, artists: NDArray[np.intp]) -> NDArray[np.int64]:
        """Return the buckets that enough artists have something in."""
        ones = np.ones(len(artists), dtype=np.float32)
        owned = sparse.csr_matrix((ones, (artists, np.arange(len(artists)))))
        having = np.diff((owned @ counts).tocsc().indptr)
        return np.flatnonzero(having >= self.least_artists)


def _counted(frame: pd.DataFrame) -> list[sparse.csr_matrix]:
    return [
        hashed_ngrams.hashed_ngrams(hashed_ngrams.normalised_texts(frame, name)) for name in TEXT
    ]


def _artists(frame: pd.DataFrame) -> NDArray[np.intp]:
    """Return a number for the first artist of each row."""
    first = [names[0] if names else "" for names in hashed_ngrams.credited_artists(frame)]
    return np.asarray(np.unique(np.array(first, dtype=str), return_inverse=True)[1])
