"""The contract of every registered estimator."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from classifier import estimators, threads
from classifier.data.training_data import SplitDataset, split_dataset
from classifier.errors import BadParameter, BadTrainingConfig
from classifier.estimators.dataframe_classifier import DataFrameClassifier
from classifier.estimators.preprocessing import Preprocessor
from classifier.features.audio import COLUMNS, descriptor_column
from classifier.features.groups import NUMERIC_GROUPS
from classifier.ports import Estimator, SupportsPreprocessing
from classifier.registry import artifacts
from classifier.registry.artifacts import ModelArtifact
from classifier.training_config import FEATURE_GROUPS, Preprocessing, TrainingConfig
from genrebase.errors import UserError
from tests.deep_estimators import each
from tests.small_estimators import SMALL
from tests.synthetic_music import Music

SEED = 3

pytestmark = pytest.mark.parametrize("name", each(estimators.names()))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threads.limit_threads(1):
        yield


@pytest.fixture(scope="module")
def selection() -> SplitDataset:
    return split_dataset(Music(artists=30, guests=0.2, silent=0.2).snapshot(), TrainingConfig())


@pytest.fixture(scope="module")
def shuffled() -> SplitDataset:
    return split_dataset(
        Music(artists=180, songs_each=6, shuffled=True).snapshot(), TrainingConfig()
    )


@pytest.fixture(scope="module")
def seen_artist_mask(selection: SplitDataset) -> Callable[[str], Estimator]:
    """Return a function that fits each estimator once; its results must not be modified."""
    return cache(lambda name: fitted(name, selection))


def small(name: str, **more: Any) -> TrainingConfig:
    return TrainingConfig(estimator=name, params=SMALL.get(name, {}), **more)


def refuses(name: str, preparation: Preprocessing) -> bool:
    """Whether the estimator has nothing to prepare or to weigh, by its own declaration."""
    plain = estimators.build(small(name), threads=1)
    if not isinstance(plain, SupportsPreprocessing):
        return True
    if not isinstance(plain, DataFrameClassifier):
        return False
    prepares = isinstance(plain.features, Preprocessor)
    weighs = plain.supports_sample_weight
    return not prepares or (preparation.balance == "weights" and not weighs)


def fitted(name: str, selection: SplitDataset) -> Estimator:
    model = estimators.build(small(name, seed=SEED), threads=1)
    learned = selection.train_mask
    return model.fit(selection.tracks[learned], selection.labels[learned], selection.validation())


def test_probabilities_sum_to_one(
    name: str, selection: SplitDataset, seen_artist_mask: Callable[[str], Estimator]
) -> None:
    """One row per track, one column per genre, nothing below 0."""
    shares = seen_artist_mask(name).predict_proba(selection.tracks)
    assert shares.shape == (len(selection.tracks), 3)
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-9)
    assert (shares >= 0).all()


def test_classes_are_the_genres_in_order(
    name: str, selection: SplitDataset, seen_artist_mask: Callable[[str], Estimator]
) -> None:
    """As text, sorted."""
    assert tuple(seen_artist_mask(name).classes_) == selection.classes


def test_the_same_seed_gives_the_same_predictions(
    name: str, selection: SplitDataset, seen_artist_mask: Callable[[str], Estimator]
) -> None:
    """To the last digit."""
    frame = selection.tracks
    again = fitted(name, selection)
    assert (again.predict_proba(frame) == seen_artist_mask(name).predict_proba(frame)).all()


def test_the_number_of_threads_changes_no_prediction(
    name: str, selection: SplitDataset, seen_artist_mask: Callable[[str], Estimator]
) -> None:
    """To the last digit, so that a run on another machine repeats the metrics."""
    learned, frame = selection.train_mask, selection.tracks
    with_one = seen_artist_mask(name).predict_proba(frame)
    with threads.limit_threads(2):
        model = estimators.build(small(name, seed=SEED), threads=2)
        model.fit(frame[learned], selection.labels[learned], selection.validation())
        with_two = model.predict_proba(frame)
    assert (with_one == with_two).all()


def test_anything_may_be_missing(
    name: str, selection: SplitDataset, seen_artist_mask: Callable[[str], Estimator]
) -> None:
    """Single values, whole columns, and everything."""
    model = seen_artist_mask(name)
    frame = selection.tracks.head(5)
    for requested in (
        frame.assign(energy=np.nan, key=pd.array([None] * 5, dtype="Int64")),
        frame[["tempo"]],
        pd.DataFrame(index=range(5)),
    ):
        shares = model.predict_proba(requested)
        assert np.isfinite(shares).all()
        assert np.allclose(shares.sum(axis=1), 1)


def test_a_column_without_values_is_no_error(name: str, selection: SplitDataset) -> None:
    """Tracks without any popularity, and without any audio features."""
    silent = selection.tracks.assign(popularity=pd.array([None] * len(selection.tracks), "Int64"))
    audio = ("danceability", "energy", "key", "loudness", "mode", "tempo", "time_signature")
    for frame in (silent, selection.tracks.drop(columns=list(audio))):
        model = estimators.build(small(name), threads=1)
        model.fit(frame, selection.labels, None)
        assert np.isfinite(model.predict_proba(frame)).all()


def test_unknown_columns_do_not_matter(
    name: str, selection: SplitDataset, seen_artist_mask: Callable[[str], Estimator]
) -> None:
    """Neither their presence nor the order of the columns changes a prediction."""
    model = seen_artist_mask(name)
    frame = selection.tracks
    shuffled = frame.assign(mood="happy")[[*frame.columns[::-1], "mood"]]
    assert (model.predict_proba(shuffled) == model.predict_proba(frame)).all()


def test_validation_labels_add_no_class(name: str, selection: SplitDataset) -> None:
    """A genre that only validation tracks have never becomes a class."""
    model = estimators.build(small(name), threads=1)
    learned = selection.train_mask
    frame, labels = selection.validation() or pytest.fail("no validation side")
    strange = np.where(np.arange(len(labels)) % 2 == 0, "polka", labels)
    model.fit(selection.tracks[learned], selection.labels[learned], (frame, strange))
    assert "polka" not in model.classes_


def test_an_estimator_can_be_cloned(
    name: str, selection: SplitDataset, seen_artist_mask: Callable[[str], Estimator]
) -> None:
    """A clone has the same parameters and is unfitted; the original stays as it was."""
    model = seen_artist_mask(name)
    fresh = clone(model)
    assert not hasattr(fresh, "classes_")
    assert repr(fresh.get_params()) == repr(model.get_params())


def test_every_choice_of_features_is_honoured(name: str, selection: SplitDataset) -> None:
    """A model of metadata alone does not use audio; unsupported groups are refused."""
    analysed = selection.tracks["energy"].to_numpy()
    names = (
        *(descriptor_column("mine", "loud"), "degree_0", "timbre_mean_0"),
        *COLUMNS["acousticbrainz"],
    )
    tracks = selection.tracks.assign(**dict.fromkeys(names, analysed))
    for group in FEATURE_GROUPS:
        choice = small(name, features=(group,))
        unfitted = estimators.build(small(name), threads=1)
        reads = getattr(unfitted, "feature_groups", NUMERIC_GROUPS)
        if group not in reads:
            with pytest.raises(BadTrainingConfig, match=f"{name} .*--features"):
                estimators.build(choice, threads=1)
            continue
        model = estimators.build(choice, threads=1)
        model.fit(tracks, selection.labels, None)
        other = "popularity" if group == "audio" else "energy"
        changed = tracks.assign(**{other: 0})
        expected = model.predict_proba(tracks)
        assert (model.predict_proba(changed) == expected).all()


def test_parameters_are_honoured_or_refused(name: str, selection: SplitDataset) -> None:
    """An unknown name is refused with the most similar one, before any data is read."""
    with pytest.raises(BadParameter, match=r"no parameter 'no_such_thing'.*Known: "):
        estimators.build(TrainingConfig(estimator=name, params={"no_such_thing": 1}), threads=1)
    with pytest.raises(BadParameter, match="no parameter 'random_state'"):
        estimators.build(TrainingConfig(estimator=name, params={"random_state": 1}), threads=1)


def test_an_estimator_can_be_serialised(
    name: str, selection: SplitDataset, seen_artist_mask: Callable[[str], Estimator]
) -> None:
    """Through the allow-list, with the same predictions, and its golden rows hold."""
    model = seen_artist_mask(name)
    again = artifacts.deserialise(
        artifacts.serialise(ModelArtifact(model, selection.train_ids))
    ).estimator
    frame = selection.tracks
    assert (again.predict_proba(frame) == model.predict_proba(frame)).all()
    probes = artifacts.golden_predictions(model, frame, ["energy", "key", "explicit"])
    assert artifacts.reproduces_golden_predictions(again, json.loads(json.dumps(probes)))


def test_a_misspelt_name_suggests_the_most_similar(name: str) -> None:
    """The error suggests the most similar name and lists all names."""
    with pytest.raises(UserError, match=f"Did you mean {name!r}"):
        estimators.build(TrainingConfig(estimator=name + "x"), threads=1)


@pytest.mark.parametrize(
    "preparation",
    [
        Preprocessing("minmax", components=0.9, outliers="overall", balance="weights"),
        Preprocessing(outliers="genre", balance="smote"),
    ],
    ids=["projected and weighed", "smote without outliers"],
)
def test_preprocessing_is_applied_or_refused(
    name: str, selection: SplitDataset, preparation: Preprocessing
) -> None:
    """A preprocessed model predicts, and can be stored, like any other."""
    choice = small(name, preprocessing=preparation)
    if refuses(name, preparation):
        with pytest.raises(BadTrainingConfig, match=r"preprocess|sample weights"):
            estimators.build(choice, threads=1)
        return
    model = estimators.build(choice, threads=1)
    assert repr(clone(model).get_params()) == repr(model.get_params())
    learned, frame = selection.train_mask, selection.tracks.assign(popularity=50)
    model.fit(frame[learned], selection.labels[learned], selection.validation())
    again = artifacts.deserialise(
        artifacts.serialise(ModelArtifact(model, selection.train_ids))
    ).estimator
    shares = again.predict_proba(selection.tracks)
    assert np.allclose(shares.sum(axis=1), 1)
    assert (shares == model.predict_proba(selection.tracks)).all()


def test_shuffled_labels_are_predicted_no_better_than_by_guessing(
    name: str, shuffled: SplitDataset
) -> None:
    """No feature and no preprocessing step leaks the label."""
    model = fitted(name, shuffled)
    tested = shuffled.held_out("test")
    first = model.predict_proba(shuffled.tracks[tested]).argmax(axis=1)
    right = (model.classes_[first] == shuffled.labels[tested]).mean()
    assert right < 0.44  # 1/3, and three standard errors of 250 tracks
