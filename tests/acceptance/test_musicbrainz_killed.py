"""`collector harvest` from the sandbox's MusicBrainz as processes, at one request a second."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from genrebase.runtime.clock import SystemClock
from genrebase.settings import child_environment
from genrebase.store.engine import make_engine
from sandbox.server import RunningSandbox
from sandbox.tracks.catalogue import SandboxCatalogue
from tests.crash_harvests import stored
from tests.fakes import FakeClock
from tests.musicbrainz_harvests import (
    CONTACT,
    CROWD,
    harvest,
    make_catalogue,
    oracle,
    pages_recorded,
    prepare,
    requests_made,
    served,
    tracks_per_genre,
)

TARGET = 500
KILLED_AFTER = (9, 41, 87, 140, 222)
"""Requests to the sandbox at which a process is killed."""
MOST_ABOVE_ORACLE = 1.25
"""Pages read, per page of an oracle that has read them all before."""

pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(2_400),
    pytest.mark.skipif(os.name != "posix", reason="signals are POSIX"),
]


@pytest.fixture(scope="module")
def catalogue() -> SandboxCatalogue:
    """20 genres of 900 tracks, and 5,600 of genres whose names contain `house`."""
    return make_catalogue(900, crowd=dict.fromkeys(CROWD, 1_400))


@pytest.fixture
def sandbox(catalogue: SandboxCatalogue) -> Iterator[RunningSandbox]:
    with served(catalogue) as running:
        yield running


def start(url: str, running: RunningSandbox) -> "subprocess.Popen[str]":
    environment = child_environment(
        STORE_URL=url,
        COLLECTOR_SOURCES="musicbrainz",
        COLLECTOR_CONTACT=CONTACT,
        COLLECTOR_SANDBOX_URL=running.url,
    )
    command = [sys.executable, "-m", "collector", "harvest", "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, env=environment, text=True, **pipes)


def requests_to(running: RunningSandbox) -> int:
    requests: int = running.stats()["apis"]["musicbrainz"]["requests"]
    return requests


def test_killed_five_times_it_ends_like_an_undisturbed_one(
    database_url: str, migrated_sqlite: Path, tmp_path: Path, sandbox: RunningSandbox,
    catalogue: SandboxCatalogue, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """20 genres of 500 tracks, with tokenised tags, shuffled ties, merged MBIDs and 10% faults.

    The undisturbed harvest is made without faults, on a clock that only sleeping moves.
    """
    path = tmp_path / "undisturbed.db"
    shutil.copyfile(migrated_sqlite, path)
    undisturbed, virtual = make_engine(f"sqlite:///{path}"), FakeClock(SystemClock().now())
    prepare(undisturbed, virtual, TARGET)
    with served(catalogue, virtual, faults=0.0) as running:
        assert harvest(undisturbed, running.url, virtual).stopped == "target"

    engine = make_engine(database_url)
    prepare(engine, SystemClock(), TARGET)
    begun = SystemClock().monotonic()
    for requests in KILLED_AFTER:
        with start(database_url, sandbox) as process:
            while requests_to(sandbox) < requests:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.02)
                assert process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.communicate()
    with start(database_url, sandbox) as process:
        output, _ = process.communicate()
    seconds = SystemClock().monotonic() - begun
    assert (process.returncode, json.loads(output)["stopped"]) == (0, "target")
    assert stored(engine) == stored(undisturbed)
    assert min(tracks_per_genre(engine).values()) >= TARGET

    stats = sandbox.stats()
    service, faults = stats["apis"]["musicbrainz"], stats["faults"]
    pages, best = pages_recorded(engine), oracle(catalogue, TARGET)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{service['requests']} requests in {seconds:.0f} s: {pages} pages (oracle {best}), "
            f"{faults}; at most {service['max_in_window']} in a second\n"
        )
    broken = sum(faults.values()) - faults.get("slow", 0)
    assert service["max_in_window"] == 1
    assert service["banned"] == 0
    assert list(service["user_agents"]) == [next(iter(service["user_agents"]))]
    assert CONTACT in next(iter(service["user_agents"]))
    assert pages <= MOST_ABOVE_ORACLE * best
    assert pages <= service["requests"] - broken <= pages + len(KILLED_AFTER)
    assert requests_made(engine) >= service["requests"]
    engine.dispose()
    undisturbed.dispose()
