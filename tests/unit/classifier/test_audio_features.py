"""Sound as numbers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from classifier.features.audio import COLUMNS, AudioFeatures

FRAME = pd.DataFrame(
    {
        "energy": [0.5, 0.25, None, 0.1],
        "key": pd.array([0, 7, None, 11], dtype="Int64"),
        "mode": pd.array([1, 0, None, 1], dtype="Int64"),
        "time_signature": pd.array([4, 3, None, 4], dtype="Int64"),
        "explicit": pd.array([True, None, False, True], dtype="boolean"),
        "release_year": pd.array([1999, None, 2001, 2002], dtype="Int64"),
    }
)


def column(made: AudioFeatures, matrix: np.ndarray, name: str) -> list[float]:
    return matrix[:, list(made.get_feature_names_out()).index(name)].tolist()


def test_keys_a_fifth_apart_are_neighbours_on_the_circle() -> None:
    """C and G are closer than C and B."""
    made = AudioFeatures().fit(FRAME)
    matrix = made.transform(FRAME)
    x, y = (column(made, matrix, f"fifths_{name}") for name in ("cos", "sin"))
    places = np.column_stack([x, y])
    assert np.hypot(*(places[0] - places[1])) < np.hypot(*(places[0] - places[3]))


def test_categories_are_columns_of_their_own_or_codes() -> None:
    """One-hot, missing is all zeros; as codes, missing is NaN and the columns are marked."""
    hot = AudioFeatures(one_hot=True).fit(FRAME)
    matrix = hot.transform(FRAME)
    assert column(hot, matrix, "key_7") == [0, 1, 0, 0]
    assert column(hot, matrix, "mode_1") == [1, 0, 0, 1]
    assert hot.categorical == []
    coded = AudioFeatures().fit(FRAME)
    names = coded.get_feature_names_out()[coded.categorical]
    assert names.tolist() == ["key", "mode", "time_signature"]
    assert np.isnan(column(coded, coded.transform(FRAME), "key")[2])


def test_a_category_never_seen_in_training_is_unknown() -> None:
    """Not another number, not an error."""
    made = AudioFeatures().fit(FRAME)
    strange = FRAME.assign(time_signature=pd.array([5, 4, 4, 4], dtype="Int64"))
    assert np.isnan(column(made, made.transform(strange), "time_signature")[0])


def test_what_is_absent_is_unknown() -> None:
    """A frame with a single known column is enough, and text in a number's place is unknown."""
    made = AudioFeatures().fit(FRAME)
    matrix = made.transform(pd.DataFrame({"energy": [0.5], "tempo": ["fast"], "x": [1]}))
    assert column(made, matrix, "energy") == [0.5]
    assert column(made, matrix, "has_audio") == [1]
    nothing = made.transform(pd.DataFrame(index=[0, 1]))
    assert column(made, nothing, "has_audio") == [0, 0]


def test_infinite_numbers_are_unknown() -> None:
    """Somebody's log of zero does not stop the whole frame."""
    made = AudioFeatures().fit(FRAME)
    matrix = made.transform(pd.DataFrame({"energy": [np.inf], "mode": [1]}))
    assert np.isnan(column(made, matrix, "energy")[0])


def test_a_column_nobody_knew_in_training_says_nothing_later() -> None:
    """It is blank for good: the same number whatever comes."""
    made = AudioFeatures().fit(FRAME)
    matrix = made.transform(pd.DataFrame({"tempo": [90.0, 180.0]}))
    assert column(made, matrix, "tempo") == [0, 0]


@pytest.mark.parametrize("groups", [("audio",), ("metadata",), ("audio", "metadata")])
@pytest.mark.parametrize("one_hot", [True, False])
def test_names_and_columns_agree(groups: tuple[str, ...], *, one_hot: bool) -> None:
    """For every choice of groups, also in a clone; always float32."""
    made = clone(AudioFeatures(groups, one_hot=one_hot)).fit(FRAME)
    matrix = made.transform(FRAME)
    assert matrix.shape == (4, len(made.get_feature_names_out()))
    assert matrix.dtype == np.float32


def test_the_provider_is_not_looked_at() -> None:
    """It tells where a track was fetched, not how it sounds."""
    assert all("provider" not in columns for columns in COLUMNS.values())
