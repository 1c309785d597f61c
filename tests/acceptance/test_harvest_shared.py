"""Several `collector harvest` with one database, against the sandbox over HTTP."""

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress

import pytest
from sqlalchemy import func, select

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

GENRES = ("rock", "jazz", "r&b")
ROWS = 80
TOLD = "40/4s"
TRUE = Rate(50, 4.0)
"""More than twice `TOLD` would be refused at once; what the test machine's hiccups add is not."""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """Three genres that share a fifth of their tracks."""
    path = tmp_path_factory.mktemp("catalogue") / "catalogue.csv"
    lines = ["track_id,track_name,artists,release_date,track_genre"]
    for at, genre in enumerate(GENRES):
        for n in range(ROWS):
            owner = (at + 1) % len(GENRES) if n % 5 == 0 else at
            lines.append(f"{owner:02}{n:04}{'A' * 16},Song {owner} {n},Band {n},2001,{genre}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return SandboxCatalogue(catalogue_file.read_table(path))


def start(stack, url, running):
    environment = child_environment(
        STORE_URL=url,
        COLLECTOR_SPOTIFY_URL=running.url,
        COLLECTOR_RATE=TOLD,
        SPOTIPY_CLIENT_ID="an-id",
        SPOTIPY_CLIENT_SECRET="a-secret",
    )
    command = [sys.executable, "-m", "collector", "harvest", "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return stack.enter_context(subprocess.Popen(command, env=environment, text=True, **pipes))


def request_counts(running):
    return running.stats()["apis"]["spotify"]["requests"]


def wait_for(process, running, requests):
    while request_counts(running) < requests:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
        assert process.poll() is None, process.communicate()


def stored(url):
    """How often each track was seen under each genre, and the requests that shards count."""
    t, engine = tables, connect(url)
    sighted = (
        select(t.track_alias.c.source_id, t.genre.c.name, t.sighting.c.times)
        .join(t.sighting, t.sighting.c.track_id == t.track_alias.c.track_id)
        .join(t.genre, t.genre.c.id == t.sighting.c.genre_id)
    )
    leased = select(func.count()).where(t.shard.c.lease_owner.is_not(None))
    with read_transaction(engine) as connection:
        assert_consistent(connection)
        seen = {(alias, genre): times for alias, genre, times in connection.execute(sighted)}
        pages = connection.scalar(select(func.sum(t.shard.c.requests)))
        assert connection.scalar(leased) == 0
    engine.dispose()
    return seen, pages


def test_harvests_share_the_work_and_heal_one_that_is_killed(database_url, catalogue):
    """Two at once: no page twice, one pace. SIGKILL of one: the others finish its work."""
    engine = connect(database_url)
    for name in GENRES:
        genre_use.add(engine, SystemClock(), name, 10_000)
    engine.dispose()
    behaviour = SandboxOptions(mode="development", rate=TRUE)
    with serve_in_thread(catalogue, behaviour) as running, ExitStack() as stack:
        killed, healer = start(stack, database_url, running), start(stack, database_url, running)
        wait_for(killed, running, 10)
        killed.send_signal(signal.SIGKILL)
        late = start(stack, database_url, running)
        ended = [(one.communicate()[0], one.returncode) for one in (healer, late)]
        counted = running.stats()
    document = [json.loads(text) for text, _ in ended]
    assert [code for _, code in ended] == [0, 0]
    assert [one["stopped"] for one in document] == ["exhausted", "exhausted"]
    seen, pages = stored(database_url)
    assert set(seen.values()) == {1}
    assert len(seen) == len(GENRES) * ROWS
    counts = counted["apis"]["spotify"]["endpoints"]["/v1/search"]["statuses"]["200"]
    assert pages <= counts <= pages + 1  # the last page of the one that was killed
    assert counted["banned"] == 0
