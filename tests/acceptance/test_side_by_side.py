"""Daemons and commands side by side on one database: no traceback, and a consistent database."""

import os
import sys
from pathlib import Path

import pytest

from tests import side_by_side

pytestmark = pytest.mark.skipif(os.name != "posix", reason="daemons are sent SIGTERM")


@pytest.mark.parametrize(
    "seconds",
    [
        5,  # each actor runs one command at least
        pytest.param(300, marks=[pytest.mark.soak, pytest.mark.timeout(1_800)]),
    ],
)
def test_daemons_and_commands_side_by_side(database_url: str, tmp_path: Path, seconds: float):
    """Harvests, imports, labels, corrections, deletions, backups and copies at once."""
    outcome = side_by_side.play(database_url, tmp_path, seconds)
    sys.stdout.write(
        "".join(
            f"{name}: {one.done} done; {one.refused}\n" for name, one in outcome.tallies.items()
        )
    )
    for name, tally in outcome.tallies.items():
        assert not tally.tracebacks, f"{name}: {len(tally.tracebacks)} {tally.tracebacks[0]}"
        assert tally.done + sum(tally.refused.values()) > 0
    assert outcome.daemons == [0, 0], outcome.log
    for event in ("Traceback", "job_failed", '"exception"'):
        assert event not in outcome.log, outcome.log
    side_by_side.check(database_url)
