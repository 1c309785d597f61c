"""Leakage: features that were derived from the label."""

import numpy as np
import pandas as pd
import pytest

from classifier.evaluation.leakage import (
    leak_warnings,
    missingness_accuracy,
    missingness_warnings,
    near_duplicate_warnings,
    near_duplicates,
    single_feature_accuracy,
)

RANDOM = np.random.default_rng(0)
CODES = RANDOM.integers(4, size=600)
LEARN = np.arange(600) < 400
FRAME = pd.DataFrame(
    {
        "tempo": RANDOM.random(600),
        "energy": CODES + RANDOM.random(600) * 0.5,
        "loudness": np.where(CODES == 2, np.nan, -CODES),
        "valence": [np.nan] * 600,
    }
)


def detected_features() -> dict[str, float]:
    return single_feature_accuracy(FRAME, CODES, LEARN, ~LEARN, list(FRAME.columns))


def test_a_feature_derived_from_the_label_is_reported() -> None:
    """A feature that is missing for one genre only leaks, too."""
    shares = detected_features()
    assert shares["energy"] > 0.95
    assert shares["loudness"] == 1.0
    assert [sentence.split("'")[1] for sentence in leak_warnings(shares)] == ["loudness"]


def test_an_uninformative_feature_is_not_reported() -> None:
    """Noise is at chance; a feature without values predicts nothing."""
    shares = detected_features()
    assert shares["tempo"] < 0.4
    assert shares["valence"] == 0.0


def test_without_validation_tracks_nothing_is_suspected() -> None:
    """No validation side, no warning."""
    assert single_feature_accuracy(FRAME, CODES, LEARN, np.zeros(600, dtype=bool), ["tempo"]) == {}


def test_informative_missing_values_are_reported() -> None:
    """Loudness is missing for one genre in four: half of the predictions are correct."""
    result = missingness_accuracy(FRAME, CODES, LEARN, ~LEARN, list(FRAME.columns))
    assert result is not None
    assert result.accuracy > result.baseline + 0.15
    assert "collector enrich" in missingness_warnings(result)[0]


def test_values_missing_by_chance_are_not_reported() -> None:
    """One in five of every feature, in every genre: no better than the baseline."""
    holes = FRAME[["tempo", "energy"]].mask(RANDOM.random((600, 2)) < 0.2)
    result = missingness_accuracy(holes, CODES, LEARN, ~LEARN, ["tempo", "energy"])
    assert result is not None
    assert result.accuracy < result.baseline + 0.1
    assert missingness_warnings(result) == []


def test_an_unseen_pattern_of_missing_values_gets_the_majority_class() -> None:
    """That of the training tracks."""
    frame = pd.DataFrame({"tempo": np.where(LEARN, 1.0, np.nan)})
    result = missingness_accuracy(frame, np.where(LEARN, 1, CODES), LEARN, ~LEARN, ["tempo"])
    assert result is not None
    assert result.accuracy == result.baseline


def test_without_validation_tracks_missing_values_are_not_reported() -> None:
    """No validation side, no report."""
    nobody = np.zeros(600, dtype=bool)
    assert missingness_warnings(missingness_accuracy(FRAME, CODES, LEARN, nobody, ["tempo"])) == []


def pieces(sides_by_recording: bool) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """120 recordings of ten pieces each, three genres, nine columns of noise."""
    random = np.random.default_rng(1)
    recording = np.repeat(np.arange(120), 10)
    values = random.random((120, 9))[recording] + random.normal(0, 0.02, (1200, 9))
    frame = pd.DataFrame(values, columns=list("abcdefghi"))
    train = recording % 5 > 0 if sides_by_recording else random.random(1200) < 0.8
    return frame, recording % 3, train


def test_near_duplicates_of_training_tracks_are_reported() -> None:
    """Pieces of one recording on two sides are near duplicates, of the same genre."""
    frame, codes, train = pieces(sides_by_recording=False)
    duplicates = near_duplicates(frame, codes, train, ~train, list(frame))
    assert duplicates is not None
    assert (duplicates.count, duplicates.same_genre) == (duplicates.checked, 1.0)
    (sentence,) = near_duplicate_warnings(duplicates)
    assert sentence.startswith("100.0% of ")
    assert "pieces of one recording" in sentence


def test_recordings_on_one_side_are_no_near_duplicates() -> None:
    """With each recording on one side, nothing is reported; nor of too few features."""
    frame, codes, train = pieces(sides_by_recording=True)
    duplicates = near_duplicates(frame, codes, train, ~train, list(frame))
    assert duplicates is not None
    assert duplicates.count == 0
    assert near_duplicate_warnings(duplicates) == []
    assert near_duplicates(frame, codes, train, ~train, ["a", "b"]) is None
    assert near_duplicates(frame, codes, train, ~train & train, list(frame)) is None
    assert near_duplicate_warnings(None) == []


def test_missing_values_make_no_near_duplicates() -> None:
    """Tracks without most values are not near to one another for that."""
    frame, codes, train = pieces(sides_by_recording=True)
    frame.loc[np.arange(1200) % 4 == 0, list("abcdefg")] = np.nan
    duplicates = near_duplicates(frame, codes, train, ~train, list(frame))
    assert near_duplicate_warnings(duplicates) == []


@pytest.mark.parametrize("kind", ["uniform 4", "uniform 5", "normal 6", "correlated", "whole"])
def test_independent_tracks_are_no_near_duplicates(kind: str) -> None:
    """Few features, few dimensions, or few different values: near by chance."""
    random = np.random.default_rng(1)
    values = {
        "uniform 4": lambda: random.random((2_000, 4)),
        "uniform 5": lambda: random.random((2_000, 5)),
        "normal 6": lambda: random.normal(size=(2_000, 6)),
        "correlated": lambda: random.normal(size=(2_000, 2)) @ random.normal(size=(2, 8)),
        "whole": lambda: random.integers(0, 6, size=(2_000, 4)).astype(float),
    }[kind]()
    train = np.arange(2_000) < 1_283
    frame, codes = pd.DataFrame(values).add_prefix("f"), random.integers(4, size=2_000)
    duplicates = near_duplicates(frame, codes, train, ~train, list(frame))
    assert duplicates is not None
    assert near_duplicate_warnings(duplicates) == []


@pytest.mark.parametrize("columns", [4, 6, 12])
def test_copies_are_near_duplicates_whatever_the_number_of_features(columns: int) -> None:
    """A tenth of the held-out tracks equal a training track but for their last digits."""
    random = np.random.default_rng(2)
    values = random.random((2_000, columns))
    train = np.arange(2_000) < 1_283
    values[1_283:1_355] = values[:72] + random.normal(scale=1e-4, size=(72, columns))
    frame, codes = pd.DataFrame(values).add_prefix("f"), random.integers(4, size=2_000)
    duplicates = near_duplicates(frame, codes, train, ~train, list(frame))
    assert duplicates is not None
    assert duplicates.count >= 72
    assert len(near_duplicate_warnings(duplicates)) == 1
