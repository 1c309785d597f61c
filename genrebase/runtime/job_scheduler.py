"""Run a daemon's jobs on their schedules; `job_run` records their last runs."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Engine

from genrebase.errors import GenrebaseError
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import COMPLETED_OUTCOMES, last_run
from genrebase.runtime.retry_delays import RESET_AFTER_SECONDS, RETRY_DELAYS, retry_delay
from genrebase.runtime.schedule import Schedule, is_due
from genrebase.runtime.shutdown import StopSignal
from genrebase.store.errors import DatabaseFailure, DatabaseUnreachable

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
        """Run the jobs, overdue ones at once, until `stop`; then finish those that run.

        A run that is missed, because the one before takes longer or the machine sleeps, is not
        made up for more than once.
        """
        due = {job.name: self.first_run_time(job) for job in self._jobs}
        running: dict[str, Future[None]] = {}
        offset = self._clock_offset()
        with ThreadPoolExecutor(max(1, len(self._jobs)), thread_name_prefix="job") as threads:
            while not stop.requested:
                step = self._clock_offset() - offset
                if abs(step) >= CLOCK_STEP_SECONDS:
                    offset += step
                    _log.warning("clock_stepped", seconds=round(step))
                    due = {job.name: self._time_after_step(job) for job in self._jobs}
                now = self._clock.now()
                for job in self._jobs:
                    time = due[job.name]
                    if time is not None and time <= now:
                        due[job.name] = job.schedule.next_after(now)
                        if job.name not in running or running[job.name].done():
                            running[job.name] = threads.submit(self._run_with_retries, job, stop)
                stop.wait(_seconds_to_next(due, self._clock.now()))

    def _clock_offset(self) -> float:
        """Return the clock's time minus the monotonic one; a step of the clock changes it."""
        return self._clock.now().timestamp() - self._clock.monotonic()

    def _time_after_step(self, job: ScheduledJob) -> datetime | None:
        """Return the next run of a job by the new time."""
        try:
            return self.first_run_time(job)
        except GenrebaseError as error:  # the job itself retries until the database is back
            _log.warning("database_away", job=job.name, reason=str(error))
            return self._clock.now()

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


def _seconds_to_next(due: Mapping[str, datetime | None], now: datetime) -> float:
    """Return how long to wait for the next job, at most until the clock is to be checked."""
    waits = [(time - now).total_seconds() for time in due.values() if time is not None]
    return max(0.0, min([CLOCK_CHECK_SECONDS, *waits]))


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
