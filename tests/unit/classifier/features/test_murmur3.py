"""Hashes of many slices equal scikit-learn's hashes of each."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction import FeatureHasher
from sklearn.utils import murmurhash3_32

from classifier.features import hashed_ngrams, murmur3


@given(st.lists(st.binary(max_size=23), max_size=30))
def test_each_hash_is_that_of_scikit_learn(slices: list[bytes]) -> None:
    """Of any length: whole blocks of four bytes, and what is left."""
    data = np.frombuffer(b"".join(slices), dtype=np.uint8)
    ends = np.cumsum([len(one) for one in slices], dtype=np.int64)
    begins = ends - np.array([len(one) for one in slices], dtype=np.int64)
    hashes = murmur3.hash_slices(data, begins, ends)
    assert hashes.tolist() == [murmurhash3_32(one) for one in slices]


@given(st.lists(st.text(alphabet="ab é漢🎵-='", max_size=12), max_size=8))
def test_the_ngrams_are_those_that_a_loop_counts(texts: list[str]) -> None:
    """Of every word with its borders, and the words themselves; in the buckets of a hasher."""

    def ngrams(text: str) -> list[str]:
        words = [f" {word} " for word in text.split()]
        parts = [
            word[start : start + length]
            for word in words
            for length in range(2, 6)
            for start in range(max(1, len(word) - length + 1))
        ]
        return [f"={word.strip(' ')}" for word in words] + parts

    hasher = FeatureHasher(
        hashed_ngrams.N_BUCKETS, input_type="string", alternate_sign=False, dtype=np.float32
    )
    expected = (
        np.log1p(hasher.transform([ngrams(text) for text in texts]).toarray()) if texts else []
    )
    bags = hashed_ngrams.hashed_ngrams(np.array(texts, dtype=object))
    assert bags.shape == (len(texts), hashed_ngrams.N_BUCKETS)
    for row, counts in zip(bags.toarray(), expected, strict=True):
        length = np.linalg.norm(counts)
        np.testing.assert_allclose(row, counts / length if length else counts, rtol=1e-5)
