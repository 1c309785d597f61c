"""What a champion says about sound files."""

import json
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, insert
from typer.testing import CliRunner

from classifier.cli import app
from classifier.errors import BadTrainingConfig
from classifier.features import audio, sequences
from classifier.serving import predict_audio
from classifier.serving.audio_features import ExtractedAudio, UnreadableAudioFile, extract
from classifier.training import train
from classifier.training_config import TrainingConfig
from genrebase.audio import descriptors, packed_vectors
from genrebase.errors import NothingToDo
from genrebase.store import tables
from genrebase.store.engine import transaction
from tests import hearers, recordings
from tests.fakes import NOON, FakeClock
from tests.music import Music

BEATS, CHORDS = "techno", "blues"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sounds that are easily told apart, one of them in a folder, and two that are none."""
    made = tmp_path_factory.mktemp("sounds")
    (made / "söme where").mkdir()
    recordings.write(made / "beats.wav", recordings.clicks(120, 3.0))
    recordings.write(made / "söme where" / "chords.flac", recordings.song(0, 1, seconds=3.0))
    (made / "broken.mp3").write_text("this is no sound")
    (made / "notes.txt").write_text("nor is this")
    return made


@pytest.fixture(scope="module")
def heard(folder: Path) -> dict[str, ExtractedAudio]:
    found = {
        BEATS: extract(folder / "beats.wav"),
        CHORDS: extract(folder / "söme where" / "chords.flac"),
    }
    return {name: one for name, one in found.items() if isinstance(one, ExtractedAudio)}


@pytest.fixture
def trained(sqlite_engine: Engine, heard: dict[str, ExtractedAudio]) -> Engine:
    """A champion that learned descriptors near those of the two sounds."""
    music = Music(genres=(CHORDS, BEATS), artists=30, songs_each=4)
    music.fill(sqlite_engine)
    random = np.random.default_rng(0)
    names = [
        audio.descriptor_column(descriptors.SCHEMA_NAME, name) for name in descriptors.COLUMNS
    ]
    rows = []
    for song in music.songs:
        told = heard[music.genres[song.genre]].audio_columns
        near = np.array([told.get(name, np.nan) for name in names])
        near = near * random.normal(1, 0.05, len(near))
        rows.append({"track_id": song.id, "data": packed_vectors.pack(near)})
    with transaction(sqlite_engine) as connection:
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
    done = train.run(sqlite_engine, choice, FakeClock(), log=lambda _: None)
    assert done.model.status == "champion"
    return sqlite_engine


def test_a_file_is_named_by_its_sound(
    trained: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sound gets its genre; what cannot be read is named with a reason, and stops nothing."""
    done = predict_audio.predict_files(trained, folder)
    files = [Path(file).name for file, _ in done.predictions]
    assert files == ["beats.wav", "chords.flac"]
    assert [answer.top[0][0] for _, answer in done.predictions] == [BEATS, CHORDS]
    assert all(answer.top[0][1] > 0.8 for _, answer in done.predictions)
    ((broken, reason),) = done.unreadable
    assert Path(broken).name == "broken.mp3"
    assert "no sound that can be decoded" in reason
    assert done.uses_audio
    monkeypatch.setenv("STORE_URL", trained.url.render_as_string(hide_password=False))
    shown = CliRunner().invoke(app, ["predict", "--audio", str(folder / "beats.wav"), "--json"])
    told = json.loads(shown.stdout)
    assert (told["genre"], told["track"], told["title"]) == (BEATS, None, "beats")
    failed = CliRunner().invoke(app, ["predict", "--audio", str(folder / "broken.mp3")])
    assert isinstance(failed.exception, predict_audio.UnreadableAudio)


def test_a_sound_that_the_database_knows_gets_the_answer_of_its_track(
    trained: Engine, folder: Path, heard: dict[str, ExtractedAudio]
) -> None:
    """So that a track the model learned from is not flattered."""
    with transaction(trained) as connection:
        digest = heard[BEATS].digest
        connection.execute(
            insert(tables.track_alias).values(source="audio", source_id=digest, track_id=1)
        )
    ((_, answer),) = predict_audio.predict_files(trained, folder / "beats.wav").predictions
    assert answer.track == 1
    assert answer.title == "Song 1"


def test_what_is_heard_has_the_names_of_the_columns(heard: dict[str, ExtractedAudio]) -> None:
    """Descriptors under both sets' names, harmony, and measures on their own scale."""
    found = heard[CHORDS]
    assert (
        len([name for name in found.audio_columns if name.startswith("descriptor:fma518:")]) > 500
    )
    assert (
        found.audio_columns["descriptor:fma518:rms_mean_01"]
        == found.audio_columns["descriptor:genrebase-1:rms_mean_01"]
    )
    assert set(audio.HARMONY) >= {name for name in found.audio_columns if ":" not in name}
    assert found.numbers["duration_ms"] == 3000
    assert len(found.logmel) % (2 * sequences.CHANNELS["logmel"]) == 0
    assert -60 < found.numbers["loudness"] < 0


def test_files_are_found_and_asked_for_in_sentences(folder: Path, tmp_path: Path) -> None:
    """Hidden ones are passed over; nothing there is told apart from nothing to hear."""
    (folder / ".hidden").mkdir(exist_ok=True)
    (folder / ".hidden" / "x.wav").touch()
    assert [file.name for file in predict_audio.find_audio_files(folder)] == [
        "beats.wav",
        "broken.mp3",
        "chords.flac",
    ]
    with pytest.raises(BadTrainingConfig, match="no such file"):
        predict_audio.find_audio_files(tmp_path / "nowhere")
    with pytest.raises(NothingToDo, match="holds no sound files"):
        predict_audio.find_audio_files(tmp_path)
    silence = extract(tmp_path)
    assert isinstance(silence, UnreadableAudioFile)


def test_without_the_extra_it_says_what_to_install() -> None:
    """And which library is missing."""
    with pytest.raises(
        BadTrainingConfig, match=r"needs no_such_thing: pip install 'genrebase\[audio\]'"
    ):
        predict_audio.require_libraries(("numpy", "no_such_thing"))


def test_a_file_that_kills_its_process_takes_no_other_with_it() -> None:
    """It alone has no answer, and the order stays."""
    files = [Path(name) for name in ("one", "killer", "two")]
    assert list(predict_audio.map_in_processes(hearers.deadly, files, 2)) == ["one", None, "two"]
