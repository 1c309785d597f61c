"""Preprocessing of the training tracks."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from classifier import estimators
from classifier.data.training_data import SplitDataset, split_dataset
from classifier.errors import BadTrainingConfig
from classifier.estimators.preprocessing import Preprocessor
from classifier.features.audio import NumericFeatures
from classifier.training_config import Preprocessing, TrainingConfig
from tests.synthetic_music import Music

RANDOM = np.random.default_rng(0)
LABELS = np.repeat(["blues", "metal"], [90, 30])
FRAME = pd.DataFrame(
    {
        "tempo": RANDOM.normal(120, 20, 120),
        "energy": np.where(LABELS == "metal", 0.8, 0.3) + RANDOM.normal(0, 0.05, 120),
        "loudness": RANDOM.normal(-8, 2, 120),
        "key": np.where(LABELS == "metal", RANDOM.integers(0, 2, 120) * 7, 4),
        "explicit": LABELS == "metal",
        "popularity": pd.array(np.where(np.arange(120) % 4, 50, np.nan), dtype="Float64"),
    }
)


def features(**chosen: Any) -> Preprocessor:
    settings = {"impute": True, **chosen}
    return Preprocessor(NumericFeatures(), **settings)


def columns(matrix: np.ndarray, prepared: Preprocessor, name: str) -> np.ndarray:
    """Return a column of a matrix whose categories are codes."""
    return matrix[:, list(prepared.numbers_.get_feature_names_out()).index(name)]


@pytest.fixture(scope="module")
def selection() -> SplitDataset:
    return split_dataset(Music(guests=0.2, silent=0.2).snapshot(), TrainingConfig())


def test_missing_values_are_imputed_and_flagged() -> None:
    """By the median of the training tracks, also in later tracks."""
    prepared = features(one_hot=False)
    matrix = prepared.fit_resample(FRAME, LABELS)[0]
    assert np.isfinite(matrix).all()
    assert (columns(matrix, prepared, "popularity") == 50).all()
    assert (matrix[:, -1] == FRAME["popularity"].isna()).all()
    later = prepared.transform(FRAME.assign(popularity=np.nan, tempo=np.nan))
    assert (columns(later, prepared, "tempo") == np.float32(FRAME["tempo"].median())).all()


def test_values_that_are_always_missing_together_share_a_flag() -> None:
    """A track without audio features differs from others by one flag, not by nine."""
    silent = FRAME.assign(popularity=50).astype({"key": float})
    silent.loc[::5, ["tempo", "energy", "loudness", "key"]] = np.nan
    prepared = features()
    prepared.fit(silent, LABELS)
    assert len(prepared.flags_) == 1


def test_numbers_are_scaled_and_categories_are_not() -> None:
    """To mean 0 and deviation 1, or into 0..1; the default depends on the model."""
    prepared = features(scaling="standard", one_hot=False)
    matrix = prepared.fit_resample(FRAME, LABELS)[0]
    assert abs(columns(matrix, prepared, "tempo").mean()) < 1e-4
    assert abs(columns(matrix, prepared, "tempo").std() - 1) < 1e-4
    assert set(columns(matrix, prepared, "key")) == {0, 1, 2}
    prepared = features(scaling="minmax", one_hot=False)
    matrix = prepared.fit_resample(FRAME, LABELS)[0]
    tempo = columns(matrix, prepared, "tempo")
    assert (tempo.min(), tempo.max()) == (0, 1)


def test_each_category_gets_a_column() -> None:
    """A key without a training track is none of them."""
    prepared = features()
    matrix = prepared.fit_resample(FRAME, LABELS)[0]
    assert (matrix[:, -3:].sum(axis=1) == 1).all()
    assert (prepared.transform(FRAME.assign(key=11))[:, -3:] == 0).all()


def test_components_are_so_many_or_explain_a_share() -> None:
    """Of everything, scaled first: otherwise milliseconds would be the first component."""
    counted = features().with_preprocessing(Preprocessing(components=3))
    assert counted.fit_resample(FRAME, LABELS)[0].shape == (120, 3)
    assert counted.scaling == "standard"
    shared = features().with_preprocessing(Preprocessing(components=0.9))
    shared.fit(FRAME, LABELS)
    assert shared.projection_.explained_variance_ratio_.sum() >= 0.9
    assert (
        features().with_preprocessing(Preprocessing(components=3, scaling="none")).scaling
        == "none"
    )


def test_more_components_than_columns_are_refused() -> None:
    """The message names the maximum."""
    with pytest.raises(BadTrainingConfig, match=r"500 components.*there are at most \d+"):
        features(components=500).fit(FRAME, LABELS)


def test_smote_oversamples_rare_genres_with_tracks_between_real_ones() -> None:
    """Numbers are interpolated within the genre; binary columns stay binary; real tracks stay."""
    prepared = features(balance="smote", scaling="none", one_hot=False)
    matrix, labels, weights = prepared.fit_resample(FRAME, LABELS)
    assert weights is None
    assert dict(zip(*np.unique(labels, return_counts=True), strict=True)) == {
        "blues": 90,
        "metal": 90,
    }
    assert (matrix[:120] == prepared._scaled(prepared.numbers_.transform(FRAME))).all()
    invented = matrix[120:]
    energy = FRAME["energy"][LABELS == "metal"]
    made = columns(invented, prepared, "energy")
    assert made.min() >= np.float32(energy.min())
    assert made.max() <= np.float32(energy.max())
    assert len(np.unique(made)) > 50
    assert (columns(invented, prepared, "explicit") == 1).all()
    assert set(columns(invented, prepared, "key")) <= {0, 2}  # the keys C and G, not E
    assert set(matrix[:, -1]) == {0, 1}


def test_smote_skips_a_genre_of_one_track() -> None:
    """One track has no neighbour; two are enough."""
    labels = np.array(["blues"] * 117 + ["metal"] * 2 + ["polka"])
    parsed = features(balance="smote").fit_resample(FRAME, labels)[1]
    counts = dict(zip(*np.unique(parsed, return_counts=True), strict=True))
    assert counts == {"blues": 117, "metal": 117, "polka": 1}


def test_unknown_categories_stay_unknown_through_smote() -> None:
    """During oversampling they are a category of their own."""
    frame = FRAME.assign(key=pd.array([None] * 119 + [4], dtype="Int64"))
    prepared = features(balance="smote", one_hot=False)
    matrix = prepared.fit_resample(frame, LABELS)[0]
    key = columns(matrix, prepared, "key")
    assert np.isnan(key[:119]).all()
    assert np.isnan(key[120:]).all()


def test_weights_make_every_genre_count_the_same() -> None:
    """No synthetic track is added."""
    matrix, labels, weights = features(balance="weights").fit_resample(FRAME, LABELS)
    assert len(matrix) == 120
    assert weights is not None
    assert np.isclose(weights[labels == "blues"].sum(), weights[labels == "metal"].sum())


@pytest.mark.parametrize("among", ["genre", "overall"])
def test_outliers_are_removed_from_training_only(among: str) -> None:
    """Nothing is fitted to them, not even a scale; they can be predicted."""
    strange = FRAME.copy()
    strange.loc[5, ["tempo", "loudness"]] = [9_000.0, 500.0]
    prepared = features(scaling="minmax", outliers=among, one_hot=False)
    matrix, labels, _ = prepared.fit_resample(strange, LABELS)
    assert 90 < len(matrix) == len(labels) < 120
    requested = prepared.transform(strange)
    assert len(requested) == 120
    assert columns(requested, prepared, "tempo")[5] > 10


def test_empty_preprocessing_changes_nothing() -> None:
    """The estimator is unwrapped, and no preprocessing is stored."""
    assert TrainingConfig().as_json() == TrainingConfig(preprocessing=Preprocessing()).as_json()
    assert "preparation" not in TrainingConfig().as_json()
    chosen = TrainingConfig(preprocessing=Preprocessing(scaling="minmax", components=0.9))
    assert chosen.as_json()["preparation"] == {"scaling": "minmax", "components": 0.9}


def test_smote_never_sees_a_track_that_is_held_out(selection: SplitDataset) -> None:
    """Held-out tracks have a loudness of their own: no synthetic track is near it."""
    loud = selection.tracks["loudness"].where(selection.train_mask, 500.0)
    frame = selection.tracks.assign(loudness=loud)
    held = frame[~selection.train_mask], selection.labels[~selection.train_mask]
    learned = np.flatnonzero(selection.train_mask)
    rare = selection.labels[learned] == "metal"
    learned = np.concatenate([learned[~rare], learned[rare][:20]])
    chosen = Preprocessing(scaling="none", balance="smote")
    model: Any = estimators.build(TrainingConfig(estimator="knn", preprocessing=chosen), threads=1)
    model.fit(frame.iloc[learned], selection.labels[learned], held)
    remembered = model.model_.index_._fit_X  # every track it votes with, the invented included
    assert len(remembered) > len(learned)
    assert remembered.max() < 200_000  # milliseconds
    loudness = list(model.features_.numbers_.get_feature_names_out()).index("loudness")
    assert remembered[:, loudness].max() <= 0


@pytest.mark.parametrize(
    ("estimator", "preparation", "sentence"),
    [
        ("dummy", Preprocessing(scaling="standard"), "nothing to preprocess"),
        ("knn", Preprocessing(balance="weights"), "takes no sample weights"),
        ("blend", Preprocessing(components=3), "preprocesses its tracks itself"),
    ],
)
def test_unsupported_preprocessing_is_refused(
    estimator: str, preparation: Preprocessing, sentence: str
) -> None:
    """Before any data is read, with the estimator's name."""
    with pytest.raises(BadTrainingConfig, match=sentence):
        estimators.build(TrainingConfig(estimator=estimator, preprocessing=preparation), threads=1)
