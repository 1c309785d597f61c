"""Numeric features of tracks."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from classifier.features.audio import (
    COLUMNS,
    NumericFeatures,
    descriptor_column,
    on_majority_scale,
)

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


def column(made: NumericFeatures, matrix: np.ndarray, name: str) -> list[float]:
    return matrix[:, list(made.get_feature_names_out()).index(name)].tolist()


def test_keys_a_fifth_apart_are_neighbours_on_the_circle() -> None:
    """C and G are closer than C and B."""
    made = NumericFeatures().fit(FRAME)
    matrix = made.transform(FRAME)
    x, y = (column(made, matrix, f"fifths_{name}") for name in ("cos", "sin"))
    places = np.column_stack([x, y])
    assert np.hypot(*(places[0] - places[1])) < np.hypot(*(places[0] - places[3]))


def test_categories_are_columns_of_their_own_or_codes() -> None:
    """One-hot, missing is all zeros; as codes, missing is NaN and the columns are marked."""
    hot = NumericFeatures(one_hot=True).fit(FRAME)
    matrix = hot.transform(FRAME)
    assert column(hot, matrix, "key_7") == [0, 1, 0, 0]
    assert column(hot, matrix, "mode_1") == [1, 0, 0, 1]
    assert hot.categorical == []
    coded = NumericFeatures().fit(FRAME)
    names = coded.get_feature_names_out()[coded.categorical]
    assert names.tolist() == ["key", "mode", "time_signature"]
    assert np.isnan(column(coded, coded.transform(FRAME), "key")[2])


def test_a_category_without_a_training_track_is_unknown() -> None:
    """Not another number, not an error."""
    made = NumericFeatures().fit(FRAME)
    strange = FRAME.assign(time_signature=pd.array([5, 4, 4, 4], dtype="Int64"))
    assert np.isnan(column(made, made.transform(strange), "time_signature")[0])


def test_absent_columns_are_unknown() -> None:
    """A frame with a single column is enough, and text instead of a number is unknown."""
    made = NumericFeatures().fit(FRAME)
    matrix = made.transform(pd.DataFrame({"energy": [0.5], "tempo": ["fast"], "x": [1]}))
    assert column(made, matrix, "energy") == [0.5]
    assert column(made, matrix, "has_audio") == [1]
    nothing = made.transform(pd.DataFrame(index=[0, 1]))
    assert column(made, nothing, "has_audio") == [0, 0]


def test_infinite_numbers_are_unknown() -> None:
    """A logarithm of zero does not stop the whole frame."""
    made = NumericFeatures().fit(FRAME)
    matrix = made.transform(pd.DataFrame({"energy": [np.inf], "mode": [1]}))
    assert np.isnan(column(made, matrix, "energy")[0])


def test_a_column_without_training_values_is_constant() -> None:
    """Its value is 0 for any input."""
    made = NumericFeatures().fit(FRAME)
    matrix = made.transform(pd.DataFrame({"tempo": [90.0, 180.0]}))
    assert column(made, matrix, "tempo") == [0, 0]


@pytest.mark.parametrize("groups", [("audio",), ("metadata",), ("audio", "metadata")])
@pytest.mark.parametrize("one_hot", [True, False])
def test_names_and_columns_agree(groups: tuple[str, ...], *, one_hot: bool) -> None:
    """For every choice of groups, also in a clone; always float32."""
    made = clone(NumericFeatures(groups, one_hot=one_hot)).fit(FRAME)
    matrix = made.transform(FRAME)
    assert matrix.shape == (4, len(made.get_feature_names_out()))
    assert matrix.dtype == np.float32


def test_the_provider_is_no_feature() -> None:
    """It depends on where a track was fetched, not on its audio."""
    assert all("provider" not in columns for columns in COLUMNS.values())


def test_features_of_files_are_not_mixed_with_those_of_catalogues() -> None:
    """A model of catalogue features ignores an energy on another scale."""
    catalogue = FRAME.assign(provider=pd.array(["csv"] * 4, dtype="string"))
    made = NumericFeatures().fit(catalogue)
    assert "own_energy" not in made.get_feature_names_out()
    matrix = made.transform(FRAME.assign(provider=["csv", "audio", None, "spotify"]))
    energy = column(made, matrix, "energy")
    assert energy[0] == 0.5
    assert np.isnan(energy[1])
    assert energy[3] == pytest.approx(0.1)
    assert column(made, matrix, "key")[1] == column(made, made.transform(FRAME), "key")[1]


def test_features_of_files_have_columns_of_their_own() -> None:
    """Where training has both, each has its column and is unknown in the other."""
    mixed = FRAME.assign(provider=pd.array(["csv", "audio", None, "csv"], dtype="string"))
    made = NumericFeatures(one_hot=True).fit(mixed)
    matrix = made.transform(mixed)
    assert np.isnan(column(made, matrix, "energy")[1])
    assert column(made, matrix, "own_energy")[1] == 0.25
    assert np.isnan(column(made, matrix, "own_energy")[0])
    coded = NumericFeatures().fit(mixed)
    names = coded.get_feature_names_out()[coded.categorical]
    assert names.tolist() == ["key", "mode", "time_signature"]


def test_descriptors_of_another_set_are_ignored() -> None:
    """Values of one name mean the same in one set only."""
    mine, other = descriptor_column("mine", "tempo"), descriptor_column("other", "tempo")
    made = NumericFeatures(("descriptors",)).fit(pd.DataFrame({mine: [1.0, 2.0], "tempo": [9, 9]}))
    assert made.get_feature_names_out().tolist() == [mine]
    result = made.transform(pd.DataFrame({other: [5.0, 5.0], mine: [np.inf, 1.5]}))
    assert np.isnan(result[0, 0])
    assert result[1, 0] == 1.5


def test_a_group_adds_its_columns_and_no_others() -> None:
    """Harmony adds 17 columns, timbre 48; none of them is a category."""
    made = NumericFeatures(("harmony", "timbre")).fit(pd.DataFrame({"degree_0": [0.5, 1.0]}))
    assert len(made.get_feature_names_out()) == 17 + 48
    assert made.categorical == []
    assert column(made, made.transform(pd.DataFrame({"degree_0": [0.25]})), "degree_0") == [0.25]


def test_compared_tracks_are_on_one_scale() -> None:
    """That of most of them: the others' features are unknown, except tempo, key and mode."""
    providers = pd.array(["csv", "audio", None, "csv"], dtype="string")
    mixed = FRAME.assign(provider=providers, tempo=[90.0, 100.0, None, 120.0])
    result = on_majority_scale(mixed)
    assert result["energy"].isna().tolist() == [False, True, True, False]
    assert result["tempo"].isna().tolist() == [False, False, True, False]
    files = on_majority_scale(mixed.assign(provider="audio"))
    assert files["energy"].equals(mixed["energy"])
    assert on_majority_scale(FRAME)["energy"].equals(FRAME["energy"])


@pytest.mark.parametrize("one_hot", [False, True])
def test_a_feature_that_is_not_used_does_not_count_as_audio(*, one_hot: bool) -> None:
    """Neither its value nor its presence has an effect: all of its training values are missing."""
    made = NumericFeatures(one_hot=one_hot).fit(FRAME.assign(energy=np.nan))
    rows = pd.DataFrame({"energy": [0.5, np.nan], "key": [np.nan, 2.0]})
    matrix = made.transform(rows)
    assert column(made, matrix, "has_audio") == [0, 1]
    assert np.array_equal(matrix[0], made.transform(rows.assign(energy=np.nan))[0], equal_nan=True)
