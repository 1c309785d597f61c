"""Titles, albums and artist names as hashed character n-grams (the hashing trick; no tf-idf)."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import murmurhash3_32

from classifier.features import murmur3
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
    words = [text.split() for text in unique]
    flat = np.array([word for text in words for word in text], dtype=object)
    vocabulary, codes = np.unique(flat, return_inverse=True)
    ends = np.cumsum([0, *map(len, words)])
    ones = np.ones(len(codes), dtype=np.float32)
    in_texts = sparse.csr_matrix((ones, codes, ends), shape=(len(unique), len(vocabulary)))
    counts: Any = in_texts @ _word_counts(vocabulary)
    counts.sort_indices()
    counts.data = np.log1p(counts.data)
    lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    scale = sparse.diags(1 / np.where(lengths > 0, lengths, 1), dtype=np.float32)
    return (scale @ counts).tocsr()[places]


def by_column(frame: pd.DataFrame) -> tuple[sparse.csr_matrix, ...]:
    """Return the hashed n-grams of each column of `TEXT`."""
    return tuple(hashed_ngrams(normalised_texts(frame, name)) for name in TEXT)


def _word_counts(words: Texts) -> sparse.csr_matrix:
    """Return how often each bucket occurs among the n-grams of each word: (words, buckets)."""
    of_words = np.array([murmurhash3_32("=" + word) for word in words], dtype=np.int32)
    rows, hashes = [np.arange(len(words))], [of_words]
    for word_rows, ngram_hashes in _hashes_of_ngrams(words):
        rows.append(word_rows)
        hashes.append(ngram_hashes)
    row_of_each, hash_of_each = np.concatenate(rows), np.concatenate(hashes)
    # as scikit-learn's FeatureHasher does, so that stored models keep their buckets
    buckets = np.abs(hash_of_each.astype(np.int64)) % N_BUCKETS
    ones = np.ones(len(buckets), dtype=np.float32)
    counts = sparse.coo_matrix((ones, (row_of_each, buckets)), shape=(len(words), N_BUCKETS))
    return counts.tocsr()


def _hashes_of_ngrams(words: Texts) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int32]]]:
    """Yield, for each length of n-grams, the word that each belongs to, and its hash."""
    bordered = [f" {word} " for word in words]
    text = "".join(bordered)
    sizes = np.array([len(one) for one in bordered], dtype=np.int64)
    first = np.cumsum(sizes) - sizes
    utf8 = np.frombuffer(text.encode(), dtype=np.uint8)
    # of each character the place of its first byte: those that continue one are 10xxxxxx
    starts = np.append(np.flatnonzero((utf8 & 0xC0) != 0x80), len(utf8))
    for length in range(2, MAX_NGRAM_LENGTH + 1):
        counts = np.maximum(sizes - length + 1, 1)  # a shorter word is one n-gram
        word_of_each = np.repeat(np.arange(len(words)), counts)
        within = np.arange(len(word_of_each)) - np.repeat(np.cumsum(counts) - counts, counts)
        begin = first[word_of_each] + within
        end = np.minimum(begin + length, (first + sizes)[word_of_each])
        yield word_of_each, murmur3.hash_slices(utf8, starts[begin], starts[end])
