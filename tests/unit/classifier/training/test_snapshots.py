"""Snapshots: complete, verified, and equal when they are loaded."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from classifier.data import training_data as selecting
from classifier.training import snapshots
from classifier.training.fingerprint import data_fingerprint
from classifier.training_config import Preprocessing, TrainingConfig
from genrebase.errors import UserError
from tests.fakes import NOON
from tests.synthetic_music import Music, spotify_id

CHOICE = TrainingConfig(
    task="two",
    estimator="logistic",
    genres=("blues", "metal"),
    params={"C": 0.5},
    features=("audio",),
    min_tracks=20,
)
MUSIC = Music()
FOUND = MUSIC.snapshot()
SELECTION = selecting.split_dataset(FOUND, CHOICE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "frozen"
    snapshots.write(made, FOUND, SELECTION, CHOICE, NOON)
    return made


def test_a_loaded_snapshot_equals_the_saved_one(folder: Path):
    """Rows, labels, folds, features and the configuration are equal."""
    frozen = snapshots.read(folder)
    assert frozen.config == CHOICE
    again = selecting.split_dataset(frozen.dataset, frozen.config)
    pd.testing.assert_frame_equal(again.tracks, SELECTION.tracks)
    assert data_fingerprint(again) == data_fingerprint(SELECTION)
    assert frozen.manifest["fingerprint"] == data_fingerprint(SELECTION)
    for name in ("seen_artist", "train_mask", "artists", "labels"):
        assert (getattr(again, name) == getattr(SELECTION, name)).all()
    for genre, ids in again.tracks_by_genre.items():
        assert set(ids) == set(SELECTION.tracks_by_genre[genre]) & set(SELECTION.ids)
    assert set(frozen.dataset.tracks["label"]) == {"blues", "metal"}


def test_the_manifest_describes_the_snapshot(folder: Path):
    """It has configuration, versions, counts, terms, and columns, rows and SHA-256 per file."""
    manifest = json.loads((folder / "manifest.json").read_text())
    assert sorted(file.name for file in folder.iterdir()) == [
        "credits.parquet", "manifest.json", "sighted.parquet", "tracks.parquet",
    ]  # fmt: skip
    assert manifest["tracks_per_genre"] == {"blues": 160, "metal": 160}
    assert manifest["files"]["tracks.parquet"]["rows"] == 320
    assert manifest["files"]["tracks.parquet"]["columns"]["energy"] == "float64"
    assert manifest["choice"]["features"] == ["audio"]
    assert {"python", "scikit-learn", "genrebase"} <= manifest["versions"].keys()
    assert manifest["sources"]["labels"] == [
        {"source": "unknown", "licence": "unknown", "class": "unknown", "labels": 320}
    ]
    assert "Nothing can be assumed" in manifest["terms"]


def test_nothing_is_overwritten(folder: Path):
    """An existing folder is unchanged, and no temporary folder is left."""
    before = {file: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(UserError, match="exists already"):
        snapshots.write(folder, FOUND, SELECTION, CHOICE, NOON)
    with pytest.raises(UserError, match="no folder"):
        snapshots.write(folder / "deep" / "er", FOUND, SELECTION, CHOICE, NOON)
    assert {file: file.read_bytes() for file in folder.iterdir()} == before
    assert list(folder.parent.iterdir()) == [folder]


def test_a_changed_file_is_refused(folder: Path):
    """A changed bit or a missing file is reported before training starts."""
    file = folder / "tracks.parquet"
    reported = bytearray(file.read_bytes())
    reported[len(reported) // 2] ^= 1
    file.write_bytes(reported)
    with pytest.raises(UserError, match=r"tracks\.parquet was changed"):
        snapshots.read(folder)
    file.unlink()
    with pytest.raises(UserError, match=r"tracks\.parquet cannot be read"):
        snapshots.read(folder)


@pytest.mark.parametrize("text", ["", "[]", '{"format": 7}'])
def test_another_folder_is_refused(tmp_path: Path, text: str):
    """A folder without a manifest has its own message, as has one with damaged files."""
    with pytest.raises(UserError, match="no snapshot"):
        snapshots.read(tmp_path)
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(UserError, match="no snapshot"):
        snapshots.read(tmp_path)


def test_a_snapshot_of_an_earlier_version_is_refused(tmp_path: Path):
    """Its format is another one; the message says what to do."""
    (tmp_path / "manifest.json").write_text('{"format": 1}')
    with pytest.raises(UserError, match=r"by another version\. Make it again"):
        snapshots.read(tmp_path)


def test_ids_only_holds_no_content(tmp_path: Path):
    """Nothing but Spotify's ids, folds and sides is written; it cannot be trained on."""
    folder = tmp_path / "ids"
    ids = pd.Series({song.id: spotify_id(song.id) for song in MUSIC.songs if song.id % 3})
    manifest = snapshots.write(folder, FOUND, SELECTION, CHOICE, NOON, spotify_ids=ids)
    (name,) = manifest["files"]
    frame = pd.read_parquet(folder / name)
    assert list(frame.columns) == ["spotify_id", "track_fold", "side"]
    assert len(frame) == sum(1 for number in SELECTION.ids if number % 3)
    everything = json.dumps({**manifest, "choice": None}) + frame.to_csv()
    assert not any(word in everything for word in ("Song", "Artist", "blues", "metal"))
    with pytest.raises(UserError, match="ids only"):
        snapshots.read(folder)


def test_options_override_the_stored_configuration():
    """Given options replace the snapshot's; all others are kept."""
    default = TrainingConfig(seed=3)
    reported: dict[str, Any] = {
        "estimator": "dummy",
        "preprocessing": Preprocessing(scaling="minmax"),
    }
    result = CHOICE.override(replace(default, **reported), default)
    assert result == replace(CHOICE, **reported)
    assert CHOICE.override(default, default) == CHOICE
