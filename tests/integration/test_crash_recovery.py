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
from genrebase.runtime.processes import ProcessIdentity
from genrebase.settings import child_environment
from genrebase.store.engine import make_engine
from tests.crash_harvests import Fuse, Killed, prepare, soaked, stored, work, world
from tests.fakes import FakeClock

SMALL = world(8, 3, page=4, reach=8, batch=8)
"""Few pages, but of every kind: a split, a head read last, a playlist, misses."""

KILLS = 40


def fresh_clock() -> FakeClock:
    return FakeClock(SystemClock().now())


def test_at_every_fail_point(engine: Engine, other_engine: Engine) -> None:
    """Killed once before and after each commit and each request: the same end as undisturbed."""
    for one in (engine, other_engine):
        prepare(one, SMALL)
    work(other_engine, fresh_clock(), SMALL)
    current, clock, mortal = ProcessIdentity.current(), fresh_clock(), make_engine(engine.url)
    fuse, lives = Fuse(mortal, engine), 0
    while True:
        lives += 1
        fuse.revive()
        owner = str(ProcessIdentity(current.host, current.pid, f"life {lives}"))
        try:
            work(mortal, clock, SMALL, owner=owner, tell=fuse.at)
            break
        except Killed:
            continue
    mortal.dispose()
    assert lives == len(fuse.burnt) + 1
    kinds = Counter(moment for _, _, moment in fuse.burnt)
    assert set(kinds) == {"before commit", "after commit", "before request", "after request"}
    assert min(kinds.values()) > 20
    assert stored(engine) == stored(other_engine)


@pytest.fixture(scope="module")
def undisturbed(
    request: pytest.FixtureRequest,
    migrated_sqlite: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[int, object]:
    """Return the final rows of an uninterrupted run, by catalogue size."""
    stored_by_kills: dict[int, object] = {}
    for kills in request.param:
        path = tmp_path_factory.mktemp("undisturbed") / "undisturbed.db"
        shutil.copyfile(migrated_sqlite, path)
        engine = make_engine(f"sqlite:///{path}")
        requested: list[str] = []
        prepare(engine, soaked(kills))
        work(engine, fresh_clock(), soaked(kills), tell=requested.append)
        stored_by_kills[kills] = (stored(engine), requested.count("before request"))
        engine.dispose()
    return stored_by_kills


def survive(url: str, kills: int) -> dict[str, int]:
    """Kill processes so many times over `url`; return the final report."""
    command = [sys.executable, "-m", "tests.crash_harvests", url, "--kills", str(kills)]
    root = Path(__file__).resolve().parents[2]
    ended = subprocess.run(
        command, capture_output=True, text=True, env=child_environment(), cwd=root, check=False
    )
    assert ended.returncode == 0, ended.stderr
    document: dict[str, int] = json.loads(ended.stdout)
    return document


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
@pytest.mark.parametrize(
    ("undisturbed", "kills"),
    [
        ((KILLS,), KILLS),
        pytest.param((200,), 200, marks=[pytest.mark.soak, pytest.mark.timeout(1_800)]),
    ],
    indirect=["undisturbed"],
)
def test_at_random_moments(
    database_url: str, undisturbed: dict[int, tuple[object, int]], kills: int
) -> None:
    """SIGKILL again and again: the same end, and each kill cost one request at most."""
    output = survive(database_url, kills)
    assert output["kills"] == kills
    engine = make_engine(database_url)
    rows, requests = undisturbed[kills]
    assert stored(engine) == rows
    assert requests <= output["requests"] <= requests + kills
    engine.dispose()
