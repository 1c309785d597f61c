"""Titles, albums and artist names as hashed character n-grams (the hashing trick; no tf-idf)."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction import FeatureHasher

from classifier.features.groups import TEXT
from genrebase.store import names

N_BUCKETS: Final = 2**17
"""Width of the hash; four times as wide brought nothing."""
MAX_NGRAM_LENGTH: Final = 5
"""Characters of the longest n-gram within a word."""
_MAX_CHARACTERS: Final = 400
"""Characters of a text that are used."""

Texts = NDArray[np.object_]


def normalised_texts(frame: pd.DataFrame, name: str) -> Texts:
    """Return a column as normalised text; empty where it is missing."""
    if name not in frame.columns:
        return np.full(len(frame), "", dtype=object)
    column = frame[name].astype("string").fillna("")
    return np.array([names.normalise(text[:_MAX_CHARACTERS]) for text in column], dtype=object)


def credited_artists(frame: pd.DataFrame) -> list[list[str]]:
    """Return the normalised names of the credited artists of each row, each once."""
    if "artists" not in frame.columns:
        return [[] for _ in range(len(frame))]
    column = frame["artists"].astype("string").fillna("")
    return [
        list(dict.fromkeys(name for part in text.split("; ") if (name := names.normalise(part))))
        for text in column
    ]


def first_artists(frame: pd.DataFrame) -> Texts:
    """Return the normalised name of the first credited artist of each row; empty without any."""
    return np.array([(*artists, "")[0] for artists in credited_artists(frame)], dtype=object)


def artist_weights(artists: Texts, dtype: type[Any] = np.float32) -> NDArray[Any]:
    """Return one over the square root of the number of tracks by the same artist, per row."""
    _, codes, tracks = np.unique(artists, return_inverse=True, return_counts=True)
    return (1 / np.sqrt(tracks[codes])).astype(dtype)


def hashed_ngrams(texts: Texts) -> sparse.csr_matrix:
    """Return the logarithms of each text's n-gram counts, every row of unit length.

    Counted are the n-grams of 2 to 5 characters of each word with its borders, which identify
    languages and scenes, and the words themselves. (texts, `N_BUCKETS`) in float32.
    """
    unique, places = np.unique(texts, return_inverse=True)
    hasher = FeatureHasher(N_BUCKETS, input_type="string", alternate_sign=False, dtype=np.float32)
    counts: Any = hasher.transform(_ngrams(text) for text in unique)
    counts.data = np.log1p(counts.data)
    lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    scale = sparse.diags(1 / np.where(lengths > 0, lengths, 1), dtype=np.float32)
    return (scale @ counts).tocsr()[places]


def by_column(frame: pd.DataFrame) -> tuple[sparse.csr_matrix, ...]:
    """Return the hashed n-grams of each column of `TEXT`."""
    return tuple(hashed_ngrams(normalised_texts(frame, name)) for name in TEXT)


def _ngrams(text: str) -> Iterator[str]:
    for word in text.split():
        yield "=" + word
        bordered = f" {word} "
        for length in range(2, MAX_NGRAM_LENGTH + 1):
            for start in range(max(1, len(bordered) - length + 1)):
                yield bordered[start : start + length]
