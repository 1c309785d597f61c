"""`collector import-audio` as processes: killed, stopped, and started again."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction
from tests import synthetic_audio

RATE = 8_000


def write(folder: Path, count: int) -> None:
    """Write so many sounds, each with a pitch of its own, of three genres."""
    for number in range(count):
        path = folder / f"genre {number % 3}" / f"Bänd - Söng {number:03}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        sound = synthetic_audio.tone(number / 4 - 20, 1.05, rate=RATE)
        synthetic_audio.write(path, sound, rate=RATE)


@pytest.fixture
def start(database_url, tmp_path, monkeypatch):
    """Start an import of the folder in a process of its own."""
    monkeypatch.setenv("STORE_URL", database_url)
    monkeypatch.setenv("GENREBASE_LOG_LEVEL", "INFO")
    command = [sys.executable, "-m", "collector", "import-audio", str(tmp_path), "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}

    def start(workers: int) -> "subprocess.Popen[str]":
        reported = [*command, "--genre-from", "folder", "--workers", str(workers)]
        return subprocess.Popen(reported, text=True, **pipes)

    return start


def wait_for_a_batch(process: "subprocess.Popen[str]") -> None:
    """Return when some files are recorded."""
    assert any("files recorded" in line for line in process.stderr)


def count(database_url: str, table: object) -> int:
    engine = make_engine(database_url)
    with read_transaction(engine) as connection:
        stored = connection.scalar(select(func.count()).select_from(table))
    engine.dispose()
    return stored


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_killed_import_analyses_no_finished_file_again(start, database_url, tmp_path):
    """After SIGKILL the next import analyses the rest; every file counts once."""
    write(tmp_path, 40)
    with start(workers=1) as killed:
        wait_for_a_batch(killed)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
    finished = count(database_url, tables.sound_file)
    assert 0 < finished < 40
    with start(workers=1) as process:
        document = json.loads(process.communicate()[0])
    assert (process.returncode, document["stopped"]) == (0, "done")
    assert (document["known"], document["heard"], document["unreadable"]) == (
        finished,
        40 - finished,
        [],
    )
    for table in (tables.track, tables.descriptor, tables.sighting, tables.sound_summary):
        assert count(database_url, table) == 40


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_two_hundred_files_are_imported_despite_stops_and_kills(start, database_url, tmp_path):
    """Every readable file is imported after one stop and repeated kills, on both databases."""
    write(tmp_path, 200)
    for name in ("text.mp3", "Mötley Crüe/a b.ogg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a letter, not a song\n" * 50)
    (tmp_path / "empty.flac").touch()
    with start(workers=2) as stopped:
        wait_for_a_batch(stopped)
        stopped.send_signal(signal.SIGTERM)
        out, err = stopped.communicate()
    document = json.loads(out)
    assert (document["stopped"], stopped.returncode) == ("interrupted", 1)
    assert "Run the same command again" in err
    assert document["heard"] == count(database_url, tables.sound_file)
    for _ in range(4):
        finished = count(database_url, tables.sound_file)
        with start(workers=2) as killed:
            wait_for_a_batch(killed)
            killed.send_signal(signal.SIGKILL)
            killed.communicate()
        assert count(database_url, tables.sound_file) > finished
    finished = count(database_url, tables.sound_file)
    with start(workers=2) as process:
        document = json.loads(process.communicate()[0])
    assert (document["known"], document["heard"]) == (finished, 200 - finished)
    assert len(document["unreadable"]) == 3
    for table in (tables.track, tables.descriptor, tables.sighting, tables.sound_summary):
        assert count(database_url, table) == 200
