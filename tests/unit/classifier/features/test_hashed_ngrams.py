"""Text as hashed character n-grams."""

import numpy as np
import pandas as pd

from classifier.features import hashed_ngrams


def test_missing_text_is_empty() -> None:
    """Absent columns, NULL and NaN alike."""
    frame = pd.DataFrame({"title": pd.array(["A  Song", None], dtype="string")})
    assert list(hashed_ngrams.normalised_texts(frame, "title")) == ["a song", ""]
    assert list(hashed_ngrams.normalised_texts(frame, "album")) == ["", ""]
    assert list(hashed_ngrams.normalised_texts(pd.DataFrame({"title": [np.nan]}), "title")) == [""]


def test_credited_artists_are_each_there_once() -> None:
    """Normalised, in order; none where the column is missing."""
    frame = pd.DataFrame({"artists": ["AC/DC; Björk; ac/dc", None, ""]})
    assert hashed_ngrams.credited_artists(frame) == [["ac/dc", "björk"], [], []]
    assert hashed_ngrams.credited_artists(pd.DataFrame(index=range(2))) == [[], []]


def test_rows_have_unit_length_and_empty_ones_none() -> None:
    """So that a long title weighs no more than a short one."""
    counts = hashed_ngrams.hashed_ngrams(np.array(["la la la la", "ñandú", ""], dtype=object))
    lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    assert np.allclose(lengths, [1, 1, 0])


def test_a_text_counts_alike_wherever_it_stands() -> None:
    """Its row depends on nothing but itself."""
    both = hashed_ngrams.hashed_ngrams(np.array(["b", "a", "b"], dtype=object))
    alone = hashed_ngrams.hashed_ngrams(np.array(["b"], dtype=object))
    assert (both[0] != alone[0]).nnz == 0
    assert (both[2] != alone[0]).nnz == 0
