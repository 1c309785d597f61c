"""What the harvester daemon does and when; no SQL, no HTTP.

Jobs look every `COLLECTOR_INTERVAL` seconds whether there is work: the harvest of missing tracks,
the search for missing features and, where `COLLECTOR_ANALYSES` allows some, audio analyses. A look
that finds nothing leaves no row.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from collector import bootstrap
from collector.enrichment.features import JOB, FeatureEnricher
from collector.settings import CollectorSettings
from genrebase.runtime.clock import Clock
from genrebase.runtime.job_scheduler import JobScheduler, ScheduledJob
from genrebase.runtime.jobs import RunRecorder, job_run, no_other_process
from genrebase.runtime.schedule import IntervalSchedule
from genrebase.runtime.shutdown import StopSignal
from genrebase.store import Engine

MAX_REQUESTS_PER_RUN: Final = 1_000
"""Calls after which a run is written down and the next begins: minutes at the usual rates."""


class _Worker(Protocol):
    """Does one of the daemon's jobs."""

    @property
    def engine(self) -> Engine:
        """The database."""
        ...

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    def has_work(self) -> bool:
        """Whether there is something to do that may be done now."""
        ...

    def run(self, *, max_requests: int) -> "_Ending":
        """Do it, with so many requests at most."""
        ...


class _Ending(Protocol):
    """How a run ended."""

    @property
    def stopped(self) -> str:
        """Why."""
        ...

    def write_to(self, run: RunRecorder) -> None:
        """Write what was done into the row of the run."""
        ...


def run(engine: Engine, settings: CollectorSettings, clock: Clock, stop: StopSignal) -> None:
    """Run the jobs until `stop`; refuse at once what would be refused at every look."""
    JobScheduler(engine, clock, jobs(engine, settings, clock, stop)).run(stop)


def jobs(
    engine: Engine, settings: CollectorSettings, clock: Clock, stop: StopSignal
) -> list[ScheduledJob]:
    """Return what is to be done again and again; refuses as `run` does."""
    crawl = bootstrap.open_crawl(engine, settings, clock, lambda: stop.requested)
    providers = bootstrap.open_providers(engine, settings, clock)
    enricher = FeatureEnricher(
        engine,
        clock,
        providers,
        lambda: stop.requested,
        partial(no_other_process, engine, clock, JOB),
    )
    looks: dict[str, Callable[[], None]] = {
        "harvest": partial(_work, "harvest", crawl),
        JOB: partial(_work, JOB, enricher),
    }
    if settings.analyses:
        analyser = bootstrap.open_analyser(engine, settings, clock, lambda: stop.requested)
        looks["analyse"] = partial(
            _work_a_little, "analyse", analyser, enricher, settings.analyses
        )
    schedule = IntervalSchedule(settings.interval)
    return [ScheduledJob(name, look, schedule) for name, look in looks.items()]


def _work(job: str, worker: _Worker) -> None:
    """Work in runs of a bounded length, each with a row of its own."""
    while worker.has_work():
        if _run(job, worker, MAX_REQUESTS_PER_RUN).stopped != "limit":
            return


def _work_a_little(job: str, worker: _Worker, other: _Worker, requests: int) -> None:
    """Spend some requests, where `other`, which makes more of each, wants none."""
    if not other.has_work() and worker.has_work():
        _run(job, worker, requests)


def _run(job: str, worker: _Worker, requests: int) -> _Ending:
    with job_run(worker.engine, worker.clock, job) as run:
        ending = worker.run(max_requests=requests)
        ending.write_to(run)
    return ending
