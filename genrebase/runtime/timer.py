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
from genrebase.runtime.jobs import COMPLETED, last_run
from genrebase.runtime.schedule import Schedule, is_due
from genrebase.runtime.stopping import Stop

MISFIRE_GRACE: Final = 24 * 3600
"""Seconds a run may be late and still happen (APScheduler's own 1 s loses the run of a machine
that slept); runs that piled up are coalesced into one."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do again and again."""

    name: str
    """The `job` under which it writes its `job_run` rows."""
    run: Callable[[], object]
    """Does it once, and writes its own row through `job_run`."""
    schedule: Schedule


class Timer:
    """Runs jobs at their times until it is asked to stop."""

    def __init__(self, engine: Engine, clock: Clock, jobs: Sequence[Job]) -> None:
        self._engine, self._clock, self._jobs = engine, clock, jobs

    def run(self, stop: Stop) -> None:
        """Run the jobs, first those that are due, until `stop`; then finish the job in hand."""
        scheduler = self._scheduler(stop)
        scheduler.start()
        try:
            stop.wait()
        finally:
            scheduler.shutdown(wait=True)

    def first_run(self, job: Job) -> datetime | None:
        """Return when `job` runs first: now, when its last completed run lies too far back."""
        now = self._clock.now()
        last = last_run(self._engine, job.name, COMPLETED)
        started = None if last is None else last.started_at
        if is_due(job.schedule, started, now):
            return now
        return job.schedule.next_after(now if started is None else max(started, now))

    def _scheduler(self, stop: Stop) -> Any:
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
                _once,
                job.schedule.trigger(),
                args=(job, stop),
                id=job.name,
                next_run_time=self.first_run(job),
            )
        return scheduler


def _once(job: Job, stop: Stop) -> None:
    """Run `job`; the outermost loop of a daemon, where an error ends one run and no more."""
    if stop.requested:
        return
    try:
        job.run()
    except GenrebaseError as error:
        _log.warning("job_ended_early", job=job.name, reason=str(error))
    except Exception:  # noqa: BLE001 - the next run may fare better; the traceback is logged
        _log.exception("job_failed", job=job.name)
