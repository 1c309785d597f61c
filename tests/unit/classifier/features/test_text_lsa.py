"""Latent semantic analysis of the text columns."""

import numpy as np
import pandas as pd

from classifier.features import hashed_ngrams
from classifier.features.text_lsa import MIN_ARTISTS, TextLSA

WORDS = {"spanish": ("corazon", "noche", "fuego"), "german": ("nacht", "herz", "feuer")}


def frame(size: int = 200) -> pd.DataFrame:
    """Titles in two languages, each track by its own artist."""
    random = np.random.default_rng(5)
    languages = np.where(np.arange(size) % 2 == 0, "spanish", "german")
    titles = [" ".join(random.choice(WORDS[one], 2)) for one in languages]
    return pd.DataFrame(
        {"title": titles, "artists": [f"artist {n}" for n in range(size)], "album": None}
    )


def fitted(rows: pd.DataFrame, **parameters: int) -> TextLSA:
    columns = hashed_ngrams.by_column(rows)
    return TextLSA(**parameters).fit(columns, hashed_ngrams.first_artists(rows))


def test_texts_of_two_languages_lie_apart() -> None:
    """Also those of artists that it was not fitted to; no label is used."""
    rows = frame()
    numbers = fitted(rows[:100]).transform(hashed_ngrams.by_column(rows[100:]))
    spanish, german = numbers[::2], numbers[1::2]
    gaps = np.abs(spanish.mean(axis=0) - german.mean(axis=0))
    assert gaps.max() > 1
    assert np.isfinite(numbers).all()


def test_an_n_gram_of_few_artists_is_left_out() -> None:
    """It would only identify the artist."""
    rows = frame()
    rows["title"] = [
        f"{one} xqz" if n < MIN_ARTISTS - 1 else one for n, one in enumerate(rows.title)
    ]
    other = rows.assign(title=rows["title"].str.replace(" xqz", ""))
    buckets = [len(fitted(one).buckets_[0]) for one in (rows, other)]
    assert buckets[0] == buckets[1]
    rows["title"] = [f"{one} xqz" if n < MIN_ARTISTS else one for n, one in enumerate(other.title)]
    assert len(fitted(rows).buckets_[0]) > buckets[1]


def test_missing_and_unseen_texts_are_zero() -> None:
    """A column without any text has no numbers."""
    rows = frame()
    unseen = pd.DataFrame({"title": [None, "www"], "artists": ["zzz", "zzz"], "album": None})
    numbers = fitted(rows).transform(hashed_ngrams.by_column(unseen))
    titles = fitted(rows).components_[0].shape[1]
    assert not numbers[:, :titles].any()
    assert fitted(rows).components_[1].shape[1] == 0
    nothing = rows.assign(title=None, artists=None)
    assert fitted(nothing).transform(hashed_ngrams.by_column(nothing)).shape == (200, 0)


def test_the_same_rows_give_the_same_numbers() -> None:
    """The decomposition is seeded."""
    rows = frame()
    columns = hashed_ngrams.by_column(rows)
    one, two = (fitted(rows).transform(columns) for _ in range(2))
    assert np.array_equal(one, two)
