"""`collector import` as a process: killed in the middle, and two at once."""

import json
import signal
import subprocess
import sys

import pytest
from sqlalchemy import func, select

from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction

TRACKS = 4_000


@pytest.fixture
def rows(database_url):
    """Return the rows of the dataset, more than a batch has."""
    return 53_000 if database_url.startswith("sqlite") else 23_000


@pytest.fixture
def dataset(tmp_path, rows):
    """A dataset of some batches in which most tracks come several times."""
    path = tmp_path / "data.csv"
    lines = (
        f"{row % TRACKS:022d},Song {row % TRACKS},Artist {row % 97},genre {row % 7}\n"
        for row in range(rows)
    )
    path.write_text("track_id,track_name,artists,track_genre\n" + "".join(lines))
    return path


@pytest.fixture
def first_batch(database_url):
    """Return the rows of the first batch, as the progress shows them."""
    return "50,000" if database_url.startswith("sqlite") else "5,000"


@pytest.fixture
def start(database_url, dataset, monkeypatch):
    """Start an import of the dataset in a process of its own."""
    monkeypatch.setenv("STORE_URL", database_url)
    command = [sys.executable, "-m", "collector", "import", str(dataset), "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return lambda: subprocess.Popen(command, text=True, **pipes)


def test_killed_and_started_twice_it_counts_every_row_once(start, database_url, first_batch, rows):
    """After SIGKILL between batches, two imports at once end where one undisturbed would."""
    with start() as killed:
        assert first_batch in killed.stderr.readline()
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
    pair = [start(), start()]
    finished = [json.loads(process.communicate()[0]) for process in pair]
    assert [process.returncode for process in pair] == [0, 0]
    assert [one["tracks_new"] + one["duplicates"] for one in finished] == [rows, rows]
    engine = make_engine(database_url)
    with read_transaction(engine) as connection:
        seen = connection.scalar(select(func.sum(tables.sighting.c.times)))
        counted = connection.scalar(select(func.sum(tables.genre.c.sightings)))
        stored = connection.scalar(select(func.count()).select_from(tables.sighting))
        tracks = connection.scalar(select(func.count()).select_from(tables.track))
        runs = connection.scalars(
            select(tables.job_run.c.outcome).order_by(tables.job_run.c.id)
        ).all()
    engine.dispose()
    assert (seen, counted, tracks) == (rows, stored, TRACKS)
    assert runs == ["interrupted", "done", "done"]


def test_a_stop_request_reports_the_progress(start, first_batch, rows):
    """SIGTERM: the current batch is recorded and reported as JSON; the exit code is 130."""
    with start() as stopped:
        assert first_batch in stopped.stderr.readline()
        stopped.send_signal(signal.SIGTERM)
        out, err = stopped.communicate()
    document = json.loads(out)
    assert (document["stopped"], stopped.returncode) == ("interrupted", 130)
    assert 0 < document["rows"] < rows
    assert "Run the same command again" in err
