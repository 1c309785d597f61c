"""`collector harvest` as a process, against the sandbox over HTTP: killed, stopped, banned."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress

import pytest
from sqlalchemy import select

from collector.curation import genres as genre_use
from collector.rate_limits import Rate
from genrebase.runtime.clock import SystemClock
from genrebase.settings import child_environment
from genrebase.store import connect, tables
from genrebase.store.engine import read_transaction
from sandbox.application import SandboxOptions
from sandbox.server import serve_in_thread
from sandbox.tracks import catalogue_file
from sandbox.tracks.catalogue import SandboxCatalogue
from tests.consistency import assert_consistent

GENRES = ("rock", "r&b", "drum & bass", "50's", "シティポップ")
ROWS = 130
FAST = Rate(100_000, 30.0)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """Genres with names of all kinds, a third of each also under the next one."""
    path = tmp_path_factory.mktemp("catalogue") / "catalogue.csv"
    lines = ["track_id,track_name,artists,duration_ms,release_date,track_genre"]
    for at, genre in enumerate(GENRES):
        for n in range(ROWS):
            owner = (at + 1) % len(GENRES) if n % 3 == 0 else at
            lines.append(
                f"{owner:02}{n:04}{'A' * 16},Song {owner} {n // 2 * 2},Band {n % 11},"
                f"{180_000 + n % 2 * 900},{1950 + n % 70},{genre}"
            )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return SandboxCatalogue(catalogue_file.read_table(path))


def served(catalogue):
    """A sandbox of ten tracks a page, which makes for many steps."""
    return serve_in_thread(catalogue, SandboxOptions(mode="development", rate=FAST))


@pytest.fixture
def sandbox(catalogue):
    with served(catalogue) as running:
        yield running


def fill(url, names=GENRES):
    engine = connect(url)
    for name in names:
        genre_use.add(engine, SystemClock(), name, 10_000)
    engine.dispose()


def start(url, running, *arguments):
    environment = child_environment(
        STORE_URL=url,
        COLLECTOR_SPOTIFY_URL=running.url,
        COLLECTOR_RATE="100000/30s",
        SPOTIPY_CLIENT_ID="an-id",
        SPOTIPY_CLIENT_SECRET="a-secret",
    )
    command = [sys.executable, "-m", "collector", "harvest", "--json", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment, text=True, **pipes)


def finish(process):
    output, errors = process.communicate()
    return process.returncode, (json.loads(output) if output else None), errors


def request_counts(running):
    return running.stats()["apis"]["spotify"]["requests"]


def wait_for(process, running, requests):
    """Wait until so many requests were made; the process must not end before."""
    while request_counts(running) < requests:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
        assert process.poll() is None


def stored(url):
    """Return the stored rows without surrogate keys and times."""
    t = tables
    engine = connect(url)
    alias = (
        select(t.track_alias.c.source_id, t.track.c.identity, t.genre.c.name)
        .join(t.track, t.track.c.id == t.track_alias.c.track_id)
        .join(t.genre, t.genre.c.id == t.track.c.genre_id)
    )
    sighted = (
        select(t.track.c.identity, t.genre.c.name, t.sighting.c.best_rank, t.sighting.c.times)
        .join(t.sighting, t.sighting.c.track_id == t.track.c.id)
        .join(t.genre, t.genre.c.id == t.sighting.c.genre_id)
    )
    with read_transaction(engine) as connection:
        assert_consistent(connection)
        rows = [sorted(map(tuple, connection.execute(query))) for query in (alias, sighted)]
    engine.dispose()
    return rows


@pytest.fixture(scope="module")
def undisturbed(catalogue, migrated_sqlite, tmp_path_factory):
    """Return the rows that an uninterrupted harvest stores."""
    path = tmp_path_factory.mktemp("undisturbed") / "undisturbed.db"
    shutil.copyfile(migrated_sqlite, path)
    url = f"sqlite:///{path}"
    fill(url)
    with served(catalogue) as running:
        assert finish(start(url, running))[0] == 0
    return stored(url)


def test_a_repeatedly_killed_harvest_ends_like_an_uninterrupted_one(
    database_url, undisturbed, sandbox
):
    """SIGKILL after some requests, started again, three times: nothing lost, nothing twice."""
    fill(database_url, reversed(GENRES))
    for more in (7, 20, 33):
        before = request_counts(sandbox)
        with start(database_url, sandbox) as process:
            wait_for(process, sandbox, before + more)
            process.send_signal(signal.SIGKILL)
            process.communicate()
    code, output, _ = finish(start(database_url, sandbox))
    assert (code, output["stopped"]) == (0, "exhausted")
    assert output["sightings"] == output["tracks_new"] + output["duplicates"]
    assert stored(database_url) == undisturbed
    code, output, _ = finish(start(database_url, sandbox))
    assert (code, output["requests"], output["tracks_new"]) == (0, 0, 0)


def test_the_names_arrive_byte_for_byte(sqlite_url, sandbox):
    """Ampersands, apostrophes, blanks and Japanese reach the source as they were written."""
    fill(sqlite_url)
    assert finish(start(sqlite_url, sandbox, "--max-requests", "6"))[0] == 0
    queries = sandbox.stats()["queries"]
    for name in GENRES:
        assert f'genre:"{name}"' in queries


def test_a_stop_is_clean(sqlite_url, sandbox):
    """SIGTERM finishes the current step, logs it and ends with 130: the harvest is incomplete."""
    fill(sqlite_url)
    before = request_counts(sandbox)
    with start(sqlite_url, sandbox) as process:
        wait_for(process, sandbox, before + 3)
        process.send_signal(signal.SIGTERM)
        code, output, errors = finish(process)
    assert (code, output["stopped"]) == (130, "interrupted")
    assert "continues from here" in errors


def test_a_long_ban_ends_with_4_and_is_stored(sqlite_url, catalogue):
    """Exit code 4 comes with the end of the ban; a restart during the ban makes no request."""
    behaviour = SandboxOptions(mode="development", rate=Rate(5, 30.0), retry_after=20_000)
    with serve_in_thread(catalogue, behaviour) as running:
        fill(sqlite_url)
        code, output, errors = finish(start(sqlite_url, running))
        assert (code, output["stopped"]) == (4, "blocked")
        assert output["blocked_until"]
        assert "blocked" in errors
        requests = running.stats()["requests"]
        code, output, _ = finish(start(sqlite_url, running))
        assert (code, output["requests"]) == (4, 0)
        assert running.stats()["requests"] == requests
        assert running.stats()["while_banned"] == 0


def test_another_catalogue_is_refused(sqlite_url, sandbox, tmp_path):
    """A database that was filled from one catalogue is not filled from another."""
    fill(sqlite_url)
    assert finish(start(sqlite_url, sandbox, "--max-requests", "1"))[0] == 0
    path = tmp_path / "other.csv"
    path.write_text("track_name,artists,track_genre\nSong,Band,rock\n")
    with serve_in_thread(SandboxCatalogue(catalogue_file.read_table(path))) as other:
        code, output, errors = finish(start(sqlite_url, other))
    assert (code, output["exit_code"]) == (2, 2)
    assert "other.csv" in errors
