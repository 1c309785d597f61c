"""The champion predicts the genres of audio files."""

import json
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, insert
from typer.testing import CliRunner

from classifier.cli import app
from classifier.features import audio, sequences
from classifier.serving import audio_features, predict_audio
from classifier.serving.predict_track import TrackDescription
from classifier.training import train
from classifier.training_config import TrainingConfig
from genrebase.audio import descriptors, packed_vectors, worker_main, workers
from genrebase.audio.records import AudioAnalysis, ExtractionPlan, UnreadableFile
from genrebase.errors import GenrebaseError
from genrebase.store import tables
from genrebase.store.engine import transaction
from tests import database_states, synthetic_audio
from tests.analysers import InProcess
from tests.fakes import NOON, FakeClock
from tests.synthetic_music import Music

BEATS, CHORDS = "techno", "blues"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files that are easy to classify, one in a subfolder, and two that are not audio."""
    made = tmp_path_factory.mktemp("sounds")
    (made / "söme where").mkdir()
    synthetic_audio.write(made / "beats.wav", synthetic_audio.clicks(120, 3.0))
    synthetic_audio.write(
        made / "söme where" / "chords.flac", synthetic_audio.song(0, 1, seconds=3.0)
    )
    (made / "broken.mp3").write_text("this is no sound")
    (made / "notes.txt").write_text("nor is this")
    return made


@pytest.fixture(scope="module")
def analyses(folder: Path) -> dict[str, AudioAnalysis]:
    files = {BEATS: folder / "beats.wav", CHORDS: folder / "söme where" / "chords.flac"}
    results = {name: worker_main.analyse(path, ExtractionPlan()) for name, path in files.items()}
    return {name: one for name, one in results.items() if isinstance(one, AudioAnalysis)}


@pytest.fixture(scope="module")
def described(analyses: dict[str, AudioAnalysis]) -> dict[str, TrackDescription]:
    return {name: audio_features.describe(name, one) for name, one in analyses.items()}


@pytest.fixture
def trained(sqlite_engine: Engine, described: dict[str, TrackDescription]) -> Engine:
    """A champion that was trained on descriptors close to those of the two files."""
    database_states.once(sqlite_engine, __name__, lambda: train_on(sqlite_engine, described))
    return sqlite_engine


def train_on(engine: Engine, described: dict[str, TrackDescription]) -> None:
    music = Music(genres=(CHORDS, BEATS), artists=30, songs_each=4)
    music.fill(engine)
    random = np.random.default_rng(0)
    names = [
        audio.descriptor_column(descriptors.SCHEMA_NAME, name) for name in descriptors.COLUMNS
    ]
    rows = []
    for song in music.songs:
        columns = described[music.genres[song.genre]].audio
        near = np.array([columns.get(name, np.nan) for name in names])
        near = near * random.normal(1, 0.05, len(near))
        rows.append({"track_id": song.id, "data": packed_vectors.pack(near)})
    with transaction(engine) as connection:
        sets = {"name": descriptors.SCHEMA_NAME, "columns": list(descriptors.COLUMNS)}
        connection.execute(insert(tables.descriptor_schema).values(sets))
        same = {"provider": "audio", "schema": descriptors.SCHEMA_NAME, "fetched_at": NOON}
        connection.execute(insert(tables.descriptor), [{**row, **same} for row in rows])
    choice = TrainingConfig(
        estimator="logistic",
        features=("descriptors",),
        descriptors=descriptors.SCHEMA_NAME,
        min_tracks=5,
    )
    done = train.run(engine, choice, FakeClock(), log=lambda _: None)
    assert done.model.status == "champion"


def test_the_genre_of_each_file_is_predicted(
    trained: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unreadable file is reported with its reason and does not stop the others."""
    done = predict_audio.predict_files(trained, folder)
    files = [Path(file).name for file, _ in done.predictions]
    assert files == ["beats.wav", "chords.flac"]
    assert [one.top[0][0] for _, one in done.predictions] == [BEATS, CHORDS]
    assert all(one.top[0][1] > 0.8 for _, one in done.predictions)
    ((broken, reason),) = done.unreadable
    assert Path(broken).name == "broken.mp3"
    assert "not audio that can be decoded" in reason
    assert done.uses_audio
    monkeypatch.setenv("STORE_URL", trained.url.render_as_string(hide_password=False))
    monkeypatch.setattr(workers, "analyse_files", InProcess())
    result = CliRunner().invoke(app, ["predict", "--audio", str(folder / "beats.wav"), "--json"])
    document = json.loads(result.stdout)
    assert (document["genre"], document["track"], document["title"]) == (BEATS, None, "beats")
    failed = CliRunner().invoke(app, ["predict", "--audio", str(folder / "broken.mp3")])
    assert isinstance(failed.exception, GenrebaseError)


def test_a_sound_in_the_database_gets_the_prediction_of_its_track(
    trained: Engine,
    folder: Path,
    analyses: dict[str, AudioAnalysis],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So a training track gets its out-of-fold prediction."""
    monkeypatch.setattr(workers, "analyse_files", InProcess())
    with transaction(trained) as connection:
        digest = analyses[BEATS].digest
        connection.execute(
            insert(tables.track_alias).values(source="audio", source_id=digest, track_id=1)
        )
    ((_, prediction),) = predict_audio.predict_files(trained, folder / "beats.wav").predictions
    assert prediction.track == 1
    assert prediction.title == "Song 1"


def test_audio_features_have_the_names_of_the_columns(
    described: dict[str, TrackDescription],
) -> None:
    """Descriptors under the columns of both schemas, harmony, and estimates in their own units."""
    track = described[CHORDS]
    assert len([name for name in track.audio if name.startswith("descriptor:fma518:")]) > 500
    assert (
        track.audio["descriptor:fma518:rms_mean_01"]
        == track.audio["descriptor:genrebase-1:rms_mean_01"]
    )
    harmony = {name for name in track.audio if ":" not in name} - {"provider", "logmel"}
    assert set(audio.HARMONY) >= harmony
    assert track.numbers["duration_ms"] == 3000
    assert len(track.audio["logmel"]) % (2 * sequences.CHANNELS["logmel"]) == 0
    assert -60 < track.numbers["loudness"] < 0


def test_a_folder_is_not_an_audio_file(tmp_path: Path) -> None:
    """The worker returns a reason for any error."""
    assert isinstance(worker_main.analyse(tmp_path, ExtractionPlan()), UnreadableFile)
