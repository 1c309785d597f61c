"""A day of the daemon, simulated."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.daemon_day import Hour, run

WARM = 6
"""Hours after which everything was done once."""
GROWTH = 8.0
"""MiB of memory that 18 hours may add: the database's own pages, and what malloc keeps."""


@pytest.fixture
def nothing_else() -> Iterator[None]:
    """Look for garbage in what the day makes, not every hour in all that tests have imported."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
@pytest.mark.usefixtures("nothing_else")
def test_a_day_leaves_nothing_behind(tmp_path: Path) -> None:
    """Harvest, features, health: 24 hours on, as many open files and threads, no more memory."""
    hours: list[Hour] = []
    run(
        tmp_path,
        hours=24,
        tracks=400,
        rate="6/3600s",
        interval=3_600.0,
        broken="500=0.05,dropped=0.05",
        tell=hours.append,
    )
    warm, last = hours[WARM - 1], hours[-1]
    assert [one.hour for one in hours] == list(range(1, 25))
    assert last.requests >= warm.requests + 60
    assert last.tracks > warm.tracks
    assert all(one.healthy for one in hours)
    assert (last.files, last.threads) <= (warm.files, warm.threads)
    assert last.resident - warm.resident < GROWTH
