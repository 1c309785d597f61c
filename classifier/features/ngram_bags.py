"""Titles, albums and artist names as bags of character n-grams, for a network that embeds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator

from classifier.features import hashed_ngrams

MIN_ARTISTS: Final = 3
"""An n-gram of fewer artists is left out: it would only identify the artist."""


@dataclass(frozen=True, slots=True)
class NgramBags:
    """The n-grams of tracks."""

    bags: tuple[sparse.csr_matrix, ...]
    """Per column of `TEXT` the weights (tracks, n-grams in use)."""
    weights: NDArray[np.float32]
    """Weight of each track as a training example: one over the square root of its artist's tracks,
    1 on average."""


class NgramBagEncoder(BaseEstimator):  # type: ignore[misc]  # untyped there
    """Turn frames into bags of the n-grams that several artists have (see `hashed_ngrams`)."""

    def __init__(self, min_artists: int = MIN_ARTISTS) -> None:
        self.min_artists = min_artists

    def fit_transform(self, X: pd.DataFrame) -> NgramBags:
        """Choose the hash buckets in use, and return what `transform` would."""
        columns, artists = hashed_ngrams.by_column(X), hashed_ngrams.first_artists(X)
        codes = np.unique(artists, return_inverse=True)[1]
        ones = np.ones(len(codes), dtype=np.float32)
        by_artist = sparse.csr_matrix((ones, (codes, np.arange(len(codes)))))
        artist_counts = [np.diff((by_artist @ counts).tocsc().indptr) for counts in columns]
        self.buckets_ = [np.flatnonzero(counts >= self.min_artists) for counts in artist_counts]
        return self._bags(columns, artists)

    def transform(self, X: pd.DataFrame) -> NgramBags:
        """Return the bags and the weight of each row."""
        return self._bags(hashed_ngrams.by_column(X), hashed_ngrams.first_artists(X))

    def _bags(
        self, columns: Sequence[sparse.csr_matrix], artists: hashed_ngrams.Texts
    ) -> NgramBags:
        bags = tuple(
            counts[:, buckets].tocsr()
            for counts, buckets in zip(columns, self.buckets_, strict=True)
        )
        weights = hashed_ngrams.artist_weights(artists, dtype=np.float64)
        mean = weights.mean() if len(weights) else 1
        return NgramBags(bags, (weights / mean).astype(np.float32))
