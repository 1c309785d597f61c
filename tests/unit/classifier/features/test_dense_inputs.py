"""Numbers and text as networks take them."""

import numpy as np
import pandas as pd

from classifier.features.dense_inputs import DenseEncoder
from classifier.features.groups import TEXT
from classifier.features.ngram_bags import NgramBagEncoder


def tracks(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_a_gap_is_nothing_beside_a_mask() -> None:
    """Everything that tells of an unknown value is 0, but for the mask."""
    frame = tracks(tempo=[80.0, 100.0, 120.0, np.nan], energy=[0.1, 0.2, 0.3, 0.4])
    features = DenseEncoder(("audio",))
    told = features.fit_transform(frame).values
    with_tempo = features.transform(frame.assign(tempo=100.0)).values
    silent, filled = told[3], with_tempo[3]
    changed = np.flatnonzero(silent != filled)
    masks = [place for place in changed if silent[place] == 1]
    assert len(masks) == 1
    assert all(silent[place] == 0 for place in changed if place not in masks)
    assert told.shape == (4, features.width)


def test_categories_are_codes_and_an_unknown_one_is_0() -> None:
    """One that training never had is unknown."""
    frame = tracks(key=[0, 7, 7], mode=[1, 0, 1], tempo=[90.0, 100.0, 110.0])
    features = DenseEncoder(("audio",))
    features.fit_transform(frame)
    codes = features.transform(tracks(key=[0, 7, 3], mode=[None, 0, 1])).codes
    assert codes[:, 0].tolist() == [1, 2, 0]
    assert codes[:, 1].tolist() == [0, 1, 2]
    assert (codes < np.array(features.sizes_)).all()


def test_what_is_far_outside_counts_as_the_border() -> None:
    """A wrong value a million times too large moves nothing out of reach."""
    features = DenseEncoder(("audio",))
    features.fit_transform(tracks(tempo=[90.0, 100.0, 110.0]))
    assert np.abs(features.transform(tracks(tempo=[1e9, -1e9, 100.0])).values).max() <= 10


def test_pieces_that_few_artists_have_are_left_out() -> None:
    """An artist's name on many tracks is still one artist's."""
    artists = ["Zyx"] * 5 + [f"Artist {one}" for one in range(4)]
    frame = tracks(title=["Qzw qzw"] * 5 + ["Love song"] * 4, artists=artists)
    features = NgramBagEncoder(min_artists=3)
    words = features.fit_transform(frame)
    titles = words.bags[TEXT.index("title")]
    assert titles[:5].nnz == 0
    assert titles[5:].nnz > 0


def test_an_artist_with_many_tracks_does_not_outweigh_the_others() -> None:
    """Each track counts one over the root of its artist's tracks, 1 on the mean."""
    frame = tracks(title=["a"] * 5, artists=["Zyx"] * 4 + ["Abc"])
    weights = NgramBagEncoder().fit_transform(frame).weights
    assert weights[4] == 2 * weights[0]
    assert np.isclose(weights.mean(), 1)
