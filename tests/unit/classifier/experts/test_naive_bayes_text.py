"""The expert for text."""

import numpy as np
import pandas as pd

from classifier.experts.naive_bayes_text import NaiveBayesTextExpert

FRAME = pd.DataFrame(
    {
        "title": ["Noche de fiesta", "Bailando la noche", "Deep pressure", "Pressure drop"] * 5,
        "album": None,
        "artists": [f"Somebody {row}" for row in range(20)],
    }
)
GENRES = np.array(["latin", "latin", "techno", "techno"] * 5)


def test_a_language_is_recognised_in_words_never_seen() -> None:
    """By pieces of words that are like those of the genre."""
    title = (
        NaiveBayesTextExpert()
        .fit(FRAME, GENRES)
        .predict_scores(pd.DataFrame({"title": ["Noches bailadas"]}))[0]
    )
    assert title[0, 0] > title[0, 1]


def test_unknown_text_says_nothing_for_either() -> None:
    """Empty: 0. Of letters nobody had: the same for genres of the same size."""
    said = (
        NaiveBayesTextExpert()
        .fit(FRAME, GENRES)
        .predict_scores(pd.DataFrame({"title": ["", "ほし"]}))
    )
    assert (said[0, 0] == 0).all()
    assert np.ptp(said[0, 1]) < 0.2
    assert (said[1:] == 0).all()


def test_an_artist_of_many_tracks_is_not_as_many_examples() -> None:
    """Sixteen tracks of one weigh like four of four."""
    many = pd.DataFrame({"title": ["x"] * 16 + ["y"] * 4, "artists": ["A"] * 16 + list("BCDE")})
    genres = np.array(["one"] * 16 + ["two"] * 4)
    expert = NaiveBayesTextExpert().fit(many, genres)
    asked = expert.predict_scores(pd.DataFrame({"title": ["x", "y"]}))[0]
    assert np.isclose(asked[0, 0] - asked[0, 1], asked[1, 1] - asked[1, 0], atol=1e-3)
