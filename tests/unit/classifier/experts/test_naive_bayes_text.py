"""Naive Bayes over character n-grams."""

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


def test_a_language_is_recognised_in_unseen_words() -> None:
    """By n-grams they share with the genre's words."""
    title = (
        NaiveBayesTextExpert()
        .fit(FRAME, GENRES)
        .predict_scores(pd.DataFrame({"title": ["Noches bailadas"]}))[0]
    )
    assert title[0, 0] > title[0, 1]


def test_unseen_text_is_no_evidence() -> None:
    """Empty: 0. Of unseen letters: the same for genres of the same size."""
    predictions = (
        NaiveBayesTextExpert()
        .fit(FRAME, GENRES)
        .predict_scores(pd.DataFrame({"title": ["", "ほし"]}))
    )
    assert (predictions[0, 0] == 0).all()
    assert np.ptp(predictions[0, 1]) < 0.2
    assert (predictions[1:] == 0).all()


def test_an_artist_of_many_tracks_is_not_as_many_examples() -> None:
    """Sixteen tracks of one artist weigh like four of four artists."""
    many = pd.DataFrame({"title": ["x"] * 16 + ["y"] * 4, "artists": ["A"] * 16 + list("BCDE")})
    genres = np.array(["one"] * 16 + ["two"] * 4)
    expert = NaiveBayesTextExpert().fit(many, genres)
    predictions = expert.predict_scores(pd.DataFrame({"title": ["x", "y"]}))[0]
    assert np.isclose(
        predictions[0, 0] - predictions[0, 1], predictions[1, 1] - predictions[1, 0], atol=1e-3
    )
