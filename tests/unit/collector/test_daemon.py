"""What the daemon logs about its runs."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from collector.crawl.harvest_loop import HarvestOutcome
from collector.daemon import LoggedJob
from collector.errors import Blocked
from collector.records import RecordResult
from collector.run_outcome import RunOutcome
from collector.shard import GenreProgress
from genrebase.store import tables
from genrebase.store.engine import Engine, make_engine, transaction
from tests.fakes import NOON, FakeClock


@dataclass
class FakeWorker:
    """Ends each run with the next outcome."""

    engine: Engine
    clock: FakeClock
    outcomes: list[RunOutcome] = field(default_factory=list)

    def has_work(self) -> bool:
        return bool(self.outcomes)

    def run(self, *, max_requests: int) -> RunOutcome:
        self.clock.advance(max_requests)
        return self.outcomes.pop(0)


@pytest.fixture
def worker(tmp_path: Path) -> FakeWorker:
    engine = make_engine(f"sqlite:///{(tmp_path / 'jobs.db').as_posix()}")
    with transaction(engine) as connection:
        tables.job_run.create(connection)
    return FakeWorker(engine, FakeClock())


def test_each_run_is_one_line(worker: FakeWorker) -> None:
    """It has the requests, what they brought, the seconds and why the run ended."""
    recorded = RecordResult(tracks_new=40, duplicates=9)
    worker.outcomes = [HarvestOutcome(requests=3, stopped="target", recorded=recorded)]
    with capture_logs() as lines:
        LoggedJob("harvest", worker).run(30)
    assert lines == [
        {
            "event": "harvest ended",
            "log_level": "info",
            "stopped": "target",
            "requests": 3,
            "tracks_new": 40,
            "duplicates": 9,
            "unusable": 0,
            "seconds": 30.0,
        }
    ]


def test_a_ban_has_a_line_at_its_start_and_end(worker: FakeWorker) -> None:
    """The end is logged once, when the daemon looks for work after it."""
    until = NOON + timedelta(hours=2)
    ban = Blocked("spotify", until.timestamp(), "too many requests")
    worker.outcomes = [RunOutcome(stopped="blocked", blocked=ban)]
    job = LoggedJob("harvest", worker)
    with capture_logs() as lines:
        job.run(10)
        job.has_work()
        worker.clock.advance(2 * 3600)
        job.has_work()
        job.has_work()
    events = [line["event"] for line in lines]
    assert events == ["harvest ended", "ban started", "ban ended"]
    assert lines[1]["until"] == until.isoformat()
    assert lines[1]["reason"] == "too many requests"


def test_a_genre_that_reaches_its_target_is_logged_once() -> None:
    """Genres that were complete before the harvest are not."""
    outcome = HarvestOutcome()
    with capture_logs() as lines:
        for rock in (90, 99, 100, 101):
            outcome.log_finished(
                {1: GenreProgress("rock", 100, rock), 2: GenreProgress("jazz", 10, 10)}
            )
    assert [(line["event"], line["genre"], line["tracks"]) for line in lines] == [
        ("genre finished", "rock", 100)
    ]
