"""Harvesting and enrichment, killed at every fail-point: nothing is lost or recorded twice."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Engine

from genrebase.runtime.clock import SystemClock
from genrebase.runtime.process_identity import ProcessIdentity
from genrebase.settings import child_environment
from genrebase.store.engine import make_engine
from tests.crash_harvests import (
    FailPoints,
    ProcessKilled,
    large_catalogue,
    make_catalogue,
    prepare,
    recorded,
    stored,
    work,
)
from tests.fakes import FakeClock

SMALL = make_catalogue(8, 3, page=4, reach=8, batch=8)
"""Few pages of every kind: a split, known first rows, a playlist, misses."""

KILLS = 40


def fresh_clock() -> FakeClock:
    return FakeClock(SystemClock().now())


EACH_MOMENT = {"before commit", "after commit", "before request", "after request"}


@pytest.mark.parametrize(
    ("database_url", "of", "kills"),
    [("sqlite", 1, 20), ("postgresql", 3, 6)],
    indirect=["database_url"],
)
def test_at_every_fail_point(engine: Engine, other_engine: Engine, of: int, kills: int) -> None:
    """A harvest killed at every commit and request ends like an uninterrupted one.

    On PostgreSQL at a third of them: what is done between them is the same.
    """
    for one in (engine, other_engine):
        prepare(one, SMALL)
    work(other_engine, fresh_clock(), SMALL)
    current, clock, killed_engine = (
        ProcessIdentity.current(),
        fresh_clock(),
        make_engine(engine.url),
    )
    fail_points, processes = FailPoints(killed_engine, engine, of), 0
    while True:
        processes += 1
        fail_points.restart()
        owner = str(ProcessIdentity(current.host, current.pid, f"process {processes}"))
        try:
            work(killed_engine, clock, SMALL, owner=owner, report=fail_points.at)
            break
        except ProcessKilled:
            continue
    killed_engine.dispose()
    assert processes == len(fail_points.killed_at) + 1
    kinds = Counter(fail_points.killed_at)
    assert set(kinds) == EACH_MOMENT
    assert min(kinds.values()) > kills
    assert stored(engine) == stored(other_engine)


@pytest.fixture(scope="module")
def uninterrupted(
    request: pytest.FixtureRequest,
    migrated_sqlite: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[int, object]:
    """Return the final rows of an uninterrupted run, by catalogue size."""
    stored_by_kills: dict[int, object] = {}
    for kills in request.param:
        path = tmp_path_factory.mktemp("uninterrupted") / "uninterrupted.db"
        shutil.copyfile(migrated_sqlite, path)
        engine = make_engine(f"sqlite:///{path}")
        prepare(engine, large_catalogue(kills))
        work(engine, fresh_clock(), large_catalogue(kills))
        stored_by_kills[kills] = stored(engine)
        engine.dispose()
    return stored_by_kills


def survive(url: str, kills: int) -> dict[str, int]:
    """Kill processes so many times over `url`; return the final report."""
    command = [sys.executable, "-m", "tests.crash_harvests", url, "--kills", str(kills)]
    ended = subprocess.run(
        command, capture_output=True, text=True, env=child_environment(), check=False
    )
    assert ended.returncode == 0, ended.stderr
    document: dict[str, int] = json.loads(ended.stdout)
    return document


@pytest.mark.processes
@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
@pytest.mark.parametrize(
    ("uninterrupted", "kills"),
    [
        ((KILLS,), KILLS),
        pytest.param((200,), 200, marks=[pytest.mark.soak, pytest.mark.timeout(1_800)]),
    ],
    indirect=["uninterrupted"],
)
def test_at_random_moments(
    database_url: str, uninterrupted: dict[int, object], kills: int
) -> None:
    """After random kills the rows are equal, and each kill repeats at most one request.

    A request for features is counted by its ids: a kill that ends a turn also changes how many
    tracks wait in the next one, so that the same ids may take more or fewer requests.
    """
    output = survive(database_url, kills)
    assert output["kills"] == kills
    engine = make_engine(database_url)
    assert stored(engine) == uninterrupted[kills]
    pages, ids = recorded(engine)
    pages_repeated, ids_repeated = output["pages"] - pages, output["ids"] - ids
    assert min(pages_repeated, ids_repeated) >= 0
    assert pages_repeated + ids_repeated / large_catalogue(kills).batch <= kills
    engine.dispose()
