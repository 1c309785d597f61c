"""Run a daemon's jobs on their schedules (APScheduler); `job_run` records their last runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import Engine

from genrebase.errors import GenrebaseError
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import COMPLETED_OUTCOMES, last_run
from genrebase.runtime.retry_delays import RESET_AFTER_SECONDS, RETRY_DELAYS, retry_delay
from genrebase.runtime.schedule import Schedule, is_due
from genrebase.runtime.shutdown import StopSignal
from genrebase.store.errors import DatabaseFailure, DatabaseUnreachable

MISFIRE_GRACE: Final = 24 * 3600
"""Seconds that a run may start late (APScheduler's default of 1 s loses runs while a machine
sleeps); several missed runs are coalesced into one."""

_log = structlog.get_logger(__name__)


CLOCK_CHECK_SECONDS: Final = 1.0
"""Seconds between two checks whether the clock was set."""

CLOCK_STEP_SECONDS: Final = 30.0
"""Minimum change of the clock after which the schedule is computed again."""

FUTURE_TOLERANCE: Final = timedelta(minutes=5)
"""Tolerance for the clock of another host that is ahead of ours."""


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A job and its schedule."""

    name: str
    """The `job` of its rows in `job_run`."""
    run: Callable[[], object]
    """Runs the job once; records the run through `job_run`."""
    schedule: Schedule


class JobScheduler:
    """Runs jobs on their schedules until a stop is requested."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        jobs: Sequence[ScheduledJob],
        retry_delays: Sequence[float] = RETRY_DELAYS,
    ) -> None:
        self._engine, self._clock = engine, clock
        self._jobs, self._retry_delays = jobs, retry_delays

    def run(self, stop: StopSignal) -> None:
        """Run the jobs, overdue ones at once, until `stop`; then finish the running job."""
        scheduler = self._scheduler(stop)
        scheduler.start()
        offset = self._clock_offset()
        try:
            while not stop.wait(CLOCK_CHECK_SECONDS):
                step = self._clock_offset() - offset
                if abs(step) >= CLOCK_STEP_SECONDS:
                    offset += step
                    _log.warning("clock_stepped", seconds=round(step))
                    self._reschedule(scheduler)
        finally:
            scheduler.shutdown(wait=True)

    def _clock_offset(self) -> float:
        """Return the clock's time minus the monotonic one; a step of the clock changes it."""
        return self._clock.now().timestamp() - self._clock.monotonic()

    def _reschedule(self, scheduler: Any) -> None:
        """Set the next run of each job by the new time."""
        for job in self._jobs:
            try:
                scheduler.modify_job(job.name, next_run_time=self.first_run_time(job))
            except GenrebaseError as error:  # the job itself retries until the database is back
                _log.warning("database_away", job=job.name, reason=str(error))
                scheduler.modify_job(job.name, next_run_time=self._clock.now())

    def first_run_time(self, job: ScheduledJob) -> datetime | None:
        """Return when `job` runs first: now, if it is overdue."""
        now = self._clock.now()
        last = last_run(self._engine, job.name, COMPLETED_OUTCOMES)
        started = None if last is None else last.started_at
        if started is not None and started > now + FUTURE_TOLERANCE:
            started = None  # the clock was set back since
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
                self._run_with_retries,
                _NextTrigger(job.schedule),
                args=(job, stop),
                id=job.name,
                next_run_time=self.first_run_time(job),
            )
        return scheduler

    def _run_with_retries(self, job: ScheduledJob, stop: StopSignal) -> None:
        """Run `job`; retry while the database is unreachable."""
        failures = 0
        while not stop.requested:
            started = self._clock.monotonic()
            error = _run_job(job)
            if error is None:
                return
            had_database = self._clock.monotonic() - started >= RESET_AFTER_SECONDS
            failures = 1 if had_database else failures + 1
            delay = retry_delay(failures, self._retry_delays)
            _log.warning("database_away", job=job.name, reason=str(error), again_in=delay)
            stop.wait(delay)


class _NextTrigger(BaseTrigger):  # type: ignore[misc]  # untyped there
    """Gives one time after now, however many were missed: years of them after a clock's step."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """Return the first time after `now`, and after the previous one."""
        return self._schedule.next_after(now if previous is None else max(previous, now))


def _run_job(job: ScheduledJob) -> GenrebaseError | None:
    """Run `job` and log its errors, which end only this run of the daemon.

    Return the error if the database was or became unreachable.
    """
    try:
        job.run()
    except (DatabaseUnreachable, DatabaseFailure) as error:
        return error
    except GenrebaseError as error:
        _log.warning("job_ended_early", job=job.name, reason=str(error))
    except Exception:  # noqa: BLE001 - the next run may succeed; the traceback is logged
        _log.exception("job_failed", job=job.name)
    return None
