"""Titles, albums and names as counts of the pieces of text they are made of."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction import FeatureHasher

from genrebase.store import names

N_BUCKETS: Final = 2**17
"""Pieces are told apart by a hash this wide; four times as wide brought nothing."""
MAX_NGRAM_LENGTH: Final = 5
"""Characters of the longest piece within a word."""
_CUT: Final = 400
"""Characters of a text that are looked at."""

Texts = NDArray[np.object_]


def normalised_texts(frame: pd.DataFrame, name: str) -> Texts:
    """Return a column as normalised text; empty where it is missing."""
    if name not in frame.columns:
        return np.full(len(frame), "", dtype=object)
    column = frame[name].astype("string").fillna("")
    return np.array([names.normalise(text[:_CUT]) for text in column], dtype=object)


def credited_artists(frame: pd.DataFrame) -> list[list[str]]:
    """Return the normalised names of the credited artists of each row, each once."""
    if "artists" not in frame.columns:
        return [[] for _ in range(len(frame))]
    column = frame["artists"].astype("string").fillna("")
    return [
        list(dict.fromkeys(name for part in text.split("; ") if (name := names.normalise(part))))
        for text in column
    ]


def hashed_ngrams(found: Texts) -> sparse.csr_matrix:
    """Return for each text the logarithms of its counts, one row of unit length each.

    What is counted are the pieces of 2 to 5 characters of each word with its borders, which tell
    languages and scenes, and the words themselves. (texts, `N_BUCKETS`) in float32.
    """
    unique, places = np.unique(found, return_inverse=True)
    hasher = FeatureHasher(N_BUCKETS, input_type="string", alternate_sign=False, dtype=np.float32)
    counts: Any = hasher.transform(_pieces(text) for text in unique)
    counts.data = np.log1p(counts.data)
    lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    scale = sparse.diags(1 / np.where(lengths > 0, lengths, 1), dtype=np.float32)
    return (scale @ counts).tocsr()[places]


def _pieces(text: str) -> Iterator[str]:
    for word in text.split():
        yield "=" + word
        bordered = f" {word} "
        for length in range(2, MAX_NGRAM_LENGTH + 1):
            for start in range(max(1, len(bordered) - length + 1)):
                yield bordered[start : start + length]
