"""The scheduler of the daemon's jobs."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from genrebase.runtime import job_scheduler, logging
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.job_scheduler import JobScheduler, ScheduledJob
from genrebase.runtime.jobs import job_run
from genrebase.runtime.schedule import Cron, IntervalSchedule, Schedule
from genrebase.runtime.shutdown import StopSignal
from genrebase.store import tables
from genrebase.store.engine import make_engine, transaction
from genrebase.store.errors import DatabaseFailure, DatabaseUnreachable, StoreError
from tests.fakes import NOON, FakeClock

DAILY = Cron("0 3 * * *")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = make_engine(f"sqlite:///{(tmp_path / 'jobs.db').as_posix()}")
    with transaction(made) as connection:
        tables.job_run.create(connection)
    yield made
    made.dispose()


def never() -> None:
    raise AssertionError("nobody runs it here")


def test_a_job_that_never_ran_runs_on_start(engine: Engine) -> None:
    """Without a row in job_run a job is due at once."""
    clock = FakeClock()
    assert (
        JobScheduler(engine, clock, []).first_run_time(ScheduledJob("train", never, DAILY)) == NOON
    )


@pytest.mark.parametrize(
    ("outcome", "first"),
    [
        ("done", datetime(2026, 1, 2, 3, tzinfo=UTC)),
        ("nothing_new", datetime(2026, 1, 2, 3, tzinfo=UTC)),
        ("failed", NOON),
        ("blocked", NOON),
    ],
)
def test_job_run_decides_what_is_due(engine: Engine, outcome: str, first: datetime) -> None:
    """A completed run waits for its next time; a failed or blocked one is due."""
    with job_run(engine, FakeClock(NOON - timedelta(hours=1)), "train") as run:
        run.set_outcome(outcome)
    assert (
        JobScheduler(engine, FakeClock(), []).first_run_time(ScheduledJob("train", never, DAILY))
        == first
    )


def test_a_missed_run_is_made_up_for(engine: Engine) -> None:
    """A job whose time has passed runs at start."""
    with job_run(engine, FakeClock(NOON - timedelta(days=1)), "train"):
        pass
    assert (
        JobScheduler(engine, FakeClock(), []).first_run_time(ScheduledJob("train", never, DAILY))
        == NOON
    )


def test_due_jobs_run_and_an_error_ends_one_run_only(engine: Engine) -> None:
    """The daemon logs the traceback of a failed job, continues, and stops on request."""
    logs = io.StringIO()
    logging.configure(stream=logs)
    stop, ran = StopSignal(), []

    def breaks() -> None:
        raise RuntimeError("so it goes")

    def works() -> None:
        ran.append("works")
        if len(ran) > 1:
            stop.request()

    jobs = [
        ScheduledJob("breaks", breaks, IntervalSchedule(0.01)),
        ScheduledJob("works", works, IntervalSchedule(0.02)),
    ]
    JobScheduler(engine, SystemClock(), jobs).run(stop)
    assert ran[:2] == ["works", "works"]
    assert "RuntimeError: so it goes" in logs.getvalue()


@pytest.mark.parametrize("error", [DatabaseUnreachable, DatabaseFailure])
def test_an_unreachable_database_is_retried_with_backoff(
    engine: Engine, error: type[StoreError]
) -> None:
    """The next run may be a day off; each attempt logs a message without a traceback."""
    logs = io.StringIO()
    logging.configure(stream=logs, human=False)
    stop, tries = StopSignal(), []

    def works_at_last() -> None:
        tries.append("once more")
        if len(tries) < 5:
            raise error("The database has gone for lunch.")
        stop.request()

    jobs = [ScheduledJob("train", works_at_last, DAILY)]
    JobScheduler(engine, SystemClock(), jobs, retry_delays=(0.01, 0.02, 0.03)).run(stop)
    document = [json.loads(line) for line in logs.getvalue().splitlines()]
    assert [one["again_in"] for one in document] == [0.01, 0.02, 0.03, 0.03]
    assert {one["reason"] for one in document} == {"The database has gone for lunch."}
    assert "Traceback" not in logs.getvalue()


def test_a_stop_does_not_wait_for_the_database(engine: Engine) -> None:
    """A stop request during an outage ends the daemon at once."""
    stop = StopSignal()

    def away() -> None:
        stop.request()
        raise DatabaseUnreachable("Nobody there.")

    JobScheduler(
        engine, SystemClock(), [ScheduledJob("train", away, DAILY)], retry_delays=(3_600,)
    ).run(stop)


def test_a_stop_waits_for_the_job_in_hand(engine: Engine) -> None:
    """A job that runs when the stop comes is finished first."""
    stop, done = StopSignal(), []

    def slow() -> None:
        stop.request()
        done.append(stop.wait(0.05))
        done.append("finished")

    JobScheduler(engine, SystemClock(), [ScheduledJob("slow", slow, IntervalSchedule(60))]).run(
        stop
    )
    assert done == [True, "finished"]


def test_a_run_in_the_future_is_not_believed(engine: Engine) -> None:
    """After the clock was set back by 36 years, a job does not wait for them to pass."""
    with job_run(engine, FakeClock(NOON + timedelta(days=36 * 365)), "train"):
        pass
    scheduler = JobScheduler(engine, FakeClock(), [])
    assert scheduler.first_run_time(ScheduledJob("train", never, DAILY)) == NOON


@pytest.mark.parametrize("days", [-36 * 365, -365, -1, 1, 365, 36 * 365])
def test_jobs_are_rescheduled_after_the_clock_was_set(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """A step of the clock sets the next run of every job by the new time, and is logged."""
    logs = io.StringIO()
    logging.configure(stream=logs)
    monkeypatch.setattr(job_scheduler, "CLOCK_CHECK_SECONDS", 0.01)
    stop, runs = StopSignal(), dict[str, datetime]()

    class SteppedClock(SystemClock):
        """Is set when the scheduler starts to look."""

        started = False

        def now(self) -> datetime:
            return super().now() + timedelta(days=days if self.started else 0)

    class Scheduler:
        def start(self) -> None:
            pass

        def modify_job(self, name: str, next_run_time: datetime) -> None:
            runs[name] = next_run_time
            stop.request()

        def shutdown(self, *, wait: bool) -> None:
            assert wait

    clock = SteppedClock()

    class StepsAfterStart(JobScheduler):
        def _scheduler(self, stop: StopSignal) -> Scheduler:
            return Scheduler()

        def _clock_offset(self) -> float:
            offset = super()._clock_offset()
            clock.started = True
            return offset

    job = ScheduledJob("enrich", never, IntervalSchedule(3600.0))
    StepsAfterStart(engine, clock, [job]).run(stop)
    assert abs(runs["enrich"] - clock.now()) < timedelta(minutes=5)
    (line,) = map(json.loads, logs.getvalue().splitlines())
    assert line["event"] == "clock_stepped"
    assert abs(line["seconds"] - days * 86_400) < 300


@pytest.mark.parametrize("schedule", [IntervalSchedule(1.0), Cron("* * * * *")])
def test_years_of_missed_runs_cost_nothing(schedule: Schedule) -> None:
    """APScheduler would list every missed time; there is one, however far the clock jumped."""
    trigger = job_scheduler._NextTrigger(schedule)
    missed = NOON - timedelta(days=36 * 365)
    following = trigger.get_next_fire_time(missed, NOON)
    assert following is not None
    assert NOON < following <= NOON + timedelta(minutes=1)
    assert trigger.get_next_fire_time(following, NOON) > following
