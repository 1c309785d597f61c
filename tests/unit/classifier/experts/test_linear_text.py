"""The linear models over n-grams."""

import numpy as np
import pandas as pd
import pytest

from classifier.experts.linear_text import LinearTextExpert

SIZE = 300


def world(genres: int) -> tuple[pd.DataFrame, np.ndarray]:
    """The word of a title gives its genre; artists' names are random."""
    random = np.random.default_rng(0)
    codes = random.integers(0, genres, SIZE)
    words = np.array(["stone", "cloud", "river"])
    frame = pd.DataFrame(
        {
            "title": [f"{words[code]} {random.integers(1 << 20):x}" for code in codes],
            "artists": [f"{random.integers(1 << 40):x}" for _ in range(SIZE)],
            "album": None,
        }
    )
    return frame, np.array(["folk", "rap", "rock"])[codes]


@pytest.mark.parametrize("genres", [2, 3])
def test_words_of_titles_are_learned(genres: int) -> None:
    frame, labels = world(genres)
    expert = LinearTextExpert().fit(frame[:200], labels[:200])
    scores = expert.predict_scores(frame[200:])
    assert scores.shape == (1, 100, genres)
    names = np.unique(labels)
    assert (names[scores[0].argmax(axis=1)] == labels[200:]).mean() > 0.95
    again = LinearTextExpert().fit(frame[:200], labels[:200])
    assert np.array_equal(again.predict_scores(frame[200:]), scores)


def test_without_common_ngrams_all_genres_are_equal() -> None:
    frame = pd.DataFrame({"title": ["one", "two"], "artists": ["a", "b"], "album": None})
    scores = LinearTextExpert().fit(frame, np.array(["rap", "rock"])).predict_scores(frame)
    assert not scores.any()
