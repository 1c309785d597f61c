"""Numbers and categories as inputs of a network."""

import numpy as np
import pandas as pd

from classifier.features.dense_inputs import DenseEncoder


def tracks(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_a_missing_value_is_0_with_a_mask() -> None:
    """Every column of the missing value is 0, except its mask."""
    frame = tracks(tempo=[80.0, 100.0, 120.0, np.nan], energy=[0.1, 0.2, 0.3, 0.4])
    features = DenseEncoder(("audio",))
    values = features.fit_transform(frame).values
    with_tempo = features.transform(frame.assign(tempo=100.0)).values
    missing, filled = values[3], with_tempo[3]
    changed = np.flatnonzero(missing != filled)
    masks = [place for place in changed if missing[place] == 1]
    assert len(masks) == 1
    assert all(missing[place] == 0 for place in changed if place not in masks)
    assert values.shape == (4, features.width)


def test_categories_are_codes_and_an_unknown_category_is_0() -> None:
    """Unknown is also one that is not in the training data."""
    frame = tracks(key=[0, 7, 7], mode=[1, 0, 1], tempo=[90.0, 100.0, 110.0])
    features = DenseEncoder(("audio",))
    features.fit_transform(frame)
    codes = features.transform(tracks(key=[0, 7, 3], mode=[None, 0, 1])).codes
    assert codes[:, 0].tolist() == [1, 2, 0]
    assert codes[:, 1].tolist() == [0, 1, 2]
    assert (codes < np.array(features.sizes_)).all()


def test_values_far_outside_are_clipped() -> None:
    """Also one that is a million times too large."""
    features = DenseEncoder(("audio",))
    features.fit_transform(tracks(tempo=[90.0, 100.0, 110.0]))
    assert np.abs(features.transform(tracks(tempo=[1e9, -1e9, 100.0])).values).max() <= 10
