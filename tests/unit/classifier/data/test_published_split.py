"""The published split in place of the hash split."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from classifier.data import published_split
from classifier.data.raw_dataset import RawDataset
from classifier.data.training_data import split_dataset
from classifier.errors import BadTrainingConfig
from classifier.training_config import TrainingConfig
from tests.synthetic_music import Music

OFFICIAL = TrainingConfig(split="official")


def published(words: dict[str, str]) -> RawDataset:
    """Every artist's songs on one side, but the first artist's first song, which is tested on."""
    music = Music(artists=30, songs_each=8, guests=0.0)
    snapshot = music.snapshot()
    sides = ("training",) * 6 + ("validation", "test", "training", None)
    reported = [sides[song.artists[0] % len(sides)] for song in music.songs]
    reported[0] = "test"
    split = pd.array([words.get(one or "", one) for one in reported], dtype="string")
    return replace(snapshot, tracks=snapshot.tracks.assign(split=split))


@pytest.mark.parametrize(
    "words", [{}, {"training": "Train ", "validation": "valid", "test": "TEST"}]
)
def test_tracks_keep_their_published_split(words: dict[str, str]) -> None:
    """The folds are ignored; an artist is seen if one of its tracks is in the training split."""
    tracks = published_split.apply_published_split(published(words)).tracks
    assert tracks["side"].value_counts().to_dict() == {
        "train": 167,
        "validation_new": 24,
        "test_new": 24,
        "test_seen": 1,
        "none": 24,
    }
    assert tracks.loc[0, "side"] == "test_seen"


def test_a_model_is_trained_on_the_published_training_split_only() -> None:
    """It is evaluated on the published test split, for seen and unseen artists."""
    snapshot = published({})
    selection = split_dataset(snapshot, OFFICIAL)
    reported = selection.tracks["split"].fillna("").to_numpy(dtype=object)
    assert (reported[selection.train_mask] == "training").all()
    assert selection.train_mask.sum() == (reported == "training").sum()
    assert (reported[selection.held_out("test")] == "test").all()
    regimes, counts = np.unique(selection.regimes[selection.held_out("test")], return_counts=True)
    assert dict(zip(regimes.tolist(), counts.tolist(), strict=True)) == {
        "new_artist": 24,
        "seen_artist": 1,
    }
    frozen = split_dataset(snapshot, TrainingConfig())
    assert frozen.tracks["side"].equals(Music(artists=30, guests=0.0).snapshot().tracks["side"])


def test_a_missing_published_split_is_refused() -> None:
    """The message names the missing split."""
    with pytest.raises(BadTrainingConfig, match=r"published on a train side: leave out --split"):
        split_dataset(Music().snapshot(), OFFICIAL)
    snapshot = published({"test": "hidden"})
    with pytest.raises(BadTrainingConfig, match="published on a test side"):
        split_dataset(snapshot, OFFICIAL)


def test_a_non_default_split_is_stored_with_the_configuration() -> None:
    """Models evaluated on different splits do not compete."""
    assert OFFICIAL.as_json()["split"] == "official"
    assert "split" not in TrainingConfig().as_json()
    assert not OFFICIAL.same_question(TrainingConfig())
