"""Soft labels: tracks with several genres."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from classifier import estimators
from classifier.data import soft_labels
from classifier.data.raw_dataset import RawDataset
from classifier.data.training_data import split_dataset
from classifier.errors import BadTrainingConfig
from classifier.estimators.preprocessing import Preprocessor
from classifier.features.audio import NumericFeatures
from classifier.training.fingerprint import data_fingerprint
from classifier.training_config import Preprocessing, TrainingConfig
from tests.synthetic_music import GENRES, Music

SHARED = TrainingConfig(estimator="tree", labels="shared", features=("audio", "metadata"))


def seen_twice() -> RawDataset:
    """Return tracks of blues that were all sighted under techno, too; the first has a verdict."""
    music = Music()
    snapshot = music.snapshot()
    blues = [song.id for song in music.songs if song.genre == 0]
    also = pd.DataFrame({"track_id": blues, "genre": GENRES[2]})
    verdict = snapshot.tracks["verdict"].mask(snapshot.tracks["track_id"] == blues[0], "blues")
    return replace(
        snapshot,
        tracks=snapshot.tracks.assign(verdict=verdict),
        sightings=pd.concat([snapshot.sightings, also], ignore_index=True),
    )


def test_a_track_has_a_row_for_each_of_its_genres() -> None:
    """Its weights add up to one; a verdict is the only label."""
    tracks = pd.DataFrame(
        {
            "track_id": [3, 5, 8],
            "verdict": pd.array([None, "jazz", None], dtype="string"),
        }
    )
    labels = np.array(["rock", "jazz", "folk"])
    sighted = {"rock": np.array([3, 5]), "jazz": np.array([3]), "pop": np.array([3, 9])}
    result = soft_labels.expand_soft_labels(tracks, labels, sighted)
    assert result.frame["track_id"].tolist() == [3, 3, 3, 5, 8]
    assert result.labels.tolist() == ["jazz", "pop", "rock", "jazz", "folk"]
    assert result.weights is not None
    assert result.weights.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1, 1])


def test_a_model_gives_the_genres_of_a_track_their_shares() -> None:
    """A track sighted equally under two genres is predicted half and half, and counts once."""
    selection = split_dataset(seen_twice(), SHARED)
    learning = selection.training_set()
    assert learning.weights is not None
    assert learning.weights.sum() == pytest.approx(selection.train_mask.sum())
    model = soft_labels.fit(estimators.build(SHARED, threads=1), learning, selection.validation())
    tested = selection.held_out("test") & (selection.labels == "blues")
    assert tested.sum() > 5
    shares = model.predict_proba(selection.tracks[tested]).mean(axis=0)
    assert shares[0] == pytest.approx(shares[2], abs=0.1)
    assert shares[1] < 0.1
    assert (selection.labels == split_dataset(seen_twice(), TrainingConfig()).labels).all()


def test_sightings_are_part_of_the_data_fingerprint() -> None:
    """Another sighting changes it, under claims too: `blend` is trained on sightings."""
    snapshot = seen_twice()
    learned = split_dataset(snapshot, SHARED).train_ids
    twice = (
        snapshot.sightings["track_id"].isin(learned) & snapshot.sightings["track_id"].duplicated()
    )
    fewer = replace(
        snapshot, sightings=snapshot.sightings.drop(index=snapshot.sightings.index[twice][-1])
    )
    assert data_fingerprint(split_dataset(snapshot, SHARED)) != data_fingerprint(
        split_dataset(fewer, SHARED)
    )
    assert data_fingerprint(split_dataset(snapshot, TrainingConfig())) != data_fingerprint(
        split_dataset(fewer, TrainingConfig())
    )


@pytest.mark.parametrize("name", ["blend", "knn", "voting"])
def test_soft_labels_need_sample_weights(name: str) -> None:
    """Before anything is read; and SMOTE's tracks have no share in two genres."""
    params = {"member": "knn"} if name == "voting" else {}
    choice = replace(SHARED, estimator=name, params=params)
    with pytest.raises(BadTrainingConfig, match=f"{name} does not accept sample weights"):
        estimators.build(choice, threads=1)
    smote = replace(SHARED, preprocessing=Preprocessing(balance="smote"))
    with pytest.raises(BadTrainingConfig, match="use --balance weights"):
        estimators.build(smote, threads=1)


@pytest.mark.parametrize("name", ["voting", "svm", "logistic", "gradient_boosting", "dummy"])
def test_sample_weights_reach_the_model(name: str) -> None:
    """A genre whose tracks have nearly no weight is nearly never predicted."""
    music = split_dataset(Music().snapshot(), TrainingConfig())
    choice = replace(SHARED, estimator=name)
    learning = replace(
        music.training_set(),
        weights=np.where(music.labels[music.train_mask] == "metal", 1e-6, 1.0),
    )
    model = soft_labels.fit(estimators.build(choice, threads=1), learning, None)
    tested = music.held_out("test")
    shares = model.predict_proba(music.tracks[tested])[:, 1]
    assert shares.mean() < 0.1


def test_balancing_uses_the_sample_weights() -> None:
    """All genres get the same total weight, whatever the weights of their rows."""
    frame = pd.DataFrame({"energy": np.linspace(0, 1, 6)})
    labels = np.array(["a", "a", "a", "a", "b", "b"])
    weights = np.array([0.5, 0.5, 0.5, 0.5, 1.0, 0.5])
    features = Preprocessor(NumericFeatures(("audio",)), balance="weights", impute=True)
    _, _, result = features.fit_resample(frame, labels, weights)
    assert result is not None
    assert result[:4].sum() == pytest.approx(result[4:].sum())
    assert result.sum() == pytest.approx(weights.sum())
    assert result[4] == pytest.approx(2 * result[5])
