"""The timer of a daemon: APScheduler says when, `job_run` says whether it already happened."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine

from genrebase.errors import GenrebaseError
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import COMPLETED_OUTCOMES, last_run
from genrebase.runtime.schedule import Schedule, is_due
from genrebase.runtime.shutdown import StopSignal
from genrebase.store.errors import DatabaseFailure, DatabaseUnreachable

RETRY_DELAYS: Final = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Seconds before a job is tried again that the database let down; the last stands for all later
ones. A job that waits for its next time instead may lose a day."""

RESET_AFTER_SECONDS: Final = 300.0
"""A job that ran for so many seconds had its database: the gaps begin anew."""

MISFIRE_GRACE: Final = 24 * 3600
"""Seconds a run may be late and still happen (APScheduler's own 1 s loses the run of a machine
that slept); runs that piled up are coalesced into one."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """Something to do again and again."""

    name: str
    """The `job` under which it writes its `job_run` rows."""
    run: Callable[[], object]
    """Does it once, and writes its own row through `job_run`."""
    schedule: Schedule


class JobScheduler:
    """Runs jobs at their times until it is asked to stop."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        jobs: Sequence[ScheduledJob],
        retry_delays: Sequence[float] = RETRY_DELAYS,
    ) -> None:
        self._engine, self._clock, self._jobs, self._gaps = engine, clock, jobs, retry_delays

    def run(self, stop: StopSignal) -> None:
        """Run the jobs, first those that are due, until `stop`; then finish the job in hand."""
        scheduler = self._scheduler(stop)
        scheduler.start()
        try:
            stop.wait()
        finally:
            scheduler.shutdown(wait=True)

    def first_run_time(self, job: ScheduledJob) -> datetime | None:
        """Return when `job` runs first: now, when its last completed run lies too far back."""
        now = self._clock.now()
        last = last_run(self._engine, job.name, COMPLETED_OUTCOMES)
        started = None if last is None else last.started_at
        if is_due(job.schedule, started, now):
            return now
        return job.schedule.next_after(now if started is None else max(started, now))

    def _scheduler(self, stop: StopSignal) -> Any:
        scheduler = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(max(1, len(self._jobs)))},
            job_defaults={
                "coalesce": True,
                "max_instances": 1,
                "misfire_grace_time": MISFIRE_GRACE,
            },
            timezone="UTC",
        )
        for job in self._jobs:
            scheduler.add_job(
                self._once,
                job.schedule.trigger(),
                args=(job, stop),
                id=job.name,
                next_run_time=self.first_run_time(job),
            )
        return scheduler

    def _once(self, job: ScheduledJob, stop: StopSignal) -> None:
        """Run `job`, again and again while the database lets it down."""
        failures = 0
        while not stop.requested:
            began = self._clock.monotonic()
            away = _try(job)
            if away is None:
                return
            steady = self._clock.monotonic() - began >= RESET_AFTER_SECONDS
            failures = 1 if steady else failures + 1
            gap = self._gaps[min(failures, len(self._gaps)) - 1]
            _log.warning("database_away", job=job.name, reason=str(away), again_in=gap)
            stop.wait(gap)


def _try(job: ScheduledJob) -> GenrebaseError | None:
    """Run `job`; the outermost loop of a daemon, where an error ends one run and no more.

    Return what the database said where it was away, or went away meanwhile.
    """
    try:
        job.run()
    except (DatabaseUnreachable, DatabaseFailure) as error:
        return error
    except GenrebaseError as error:
        _log.warning("job_ended_early", job=job.name, reason=str(error))
    except Exception:  # noqa: BLE001 - the next run may fare better; the traceback is logged
        _log.exception("job_failed", job=job.name)
    return None
