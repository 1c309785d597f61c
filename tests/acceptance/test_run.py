"""`genrebase run`: both daemons and the web pages under one parent."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from genrebase.runtime.clock import SystemClock

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 90.0

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are sent SIGTERM")


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run it in `folder` without settings; end all processes that it leaves."""
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "genrebase", "run"],
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2", "SERVE_PORT": "0"} | settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(happened: Callable[[], bool], process: subprocess.Popen[bytes], folder: Path) -> None:
    """Look again and again until it has happened."""
    clock = SystemClock()
    deadline = clock.monotonic() + SECONDS
    while not happened():
        text = (folder / "output.txt").read_text()
        assert process.poll() is None, f"it ended with {process.returncode}:\n{text}"
        assert clock.monotonic() < deadline, f"it never happened:\n{text}"
        clock.sleep(0.1)


def stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(SECONDS)


def tracks(folder: Path) -> int:
    """Count the tracks, 0 while there is no table yet."""
    file = folder / "sandbox.db"
    if not file.exists():
        return 0
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM track").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def pages(folder: Path) -> str | None:
    """Return the printed address of the web pages."""
    text = (folder / "output.txt").read_text()
    match = re.search(r"Serving sandbox.db at (http://127.0.0.1:\d+/)", text)
    return match[1] if match else None


def left_running(folder: Path) -> list[str]:
    """Return the outcomes of runs without an end."""
    with closing(sqlite3.connect(folder / "sandbox.db")) as connection:
        rows = connection.execute("SELECT job FROM job_run WHERE outcome = 'running'").fetchall()
    return [job for (job,) in rows]


def test_a_run_harvests_stops_cleanly_and_resumes(tmp_path: Path) -> None:
    """Without credentials the sandbox fills sandbox.db; after SIGTERM a second run resumes."""
    with running(tmp_path) as process:
        until(lambda: tracks(tmp_path) > 0, process, tmp_path)
        until(lambda: pages(tmp_path) is not None, process, tmp_path)
        with urlopen(f"{pages(tmp_path)}genres.json", timeout=SECONDS) as response:
            assert len(json.load(response)["sections"]["genres"]["rows"]) == 10
        assert stop(process) == 0
    text = (tmp_path / "output.txt").read_text()
    assert "No Spotify credentials" in text
    assert " (target 10,000) · 10 genres · " in text
    assert "Stopped." in text
    assert left_running(tmp_path) == []
    before = tracks(tmp_path)
    with running(tmp_path) as process:
        until(lambda: tracks(tmp_path) > before, process, tmp_path)
        assert stop(process) == 0
    assert "No genre yet" not in (tmp_path / "output.txt").read_text()


def test_a_refusal_ends_the_run(tmp_path: Path) -> None:
    """Without accepted terms no request is made: exit code 2 and one message."""
    credentials = {"SPOTIPY_CLIENT_ID": "id", "SPOTIPY_CLIENT_SECRET": "hunter2"}
    with running(tmp_path, **credentials) as process:
        assert process.wait(SECONDS) == 2
    text = (tmp_path / "output.txt").read_text()
    assert "COLLECTOR_SPOTIFY_TERMS" in text
    assert "Traceback" not in text
    assert "hunter2" not in text
