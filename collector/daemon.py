"""The collector daemon: which job runs when; no SQL, no HTTP.

Every `COLLECTOR_INTERVAL` seconds each job checks for work: the harvest of missing tracks, the
requests for missing features and, where `COLLECTOR_ANALYSES` allows some, audio analyses. A check
that finds no work leaves no row.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from collector import bootstrap
from collector.enrichment.features import JOB, FeatureEnricher
from collector.run_outcome import RunOutcome
from collector.settings import CollectorSettings
from genrebase.runtime.clock import Clock
from genrebase.runtime.job_scheduler import JobScheduler, ScheduledJob
from genrebase.runtime.jobs import job_run, no_other_process
from genrebase.runtime.schedule import IntervalSchedule
from genrebase.runtime.shutdown import StopSignal
from genrebase.store import Engine

MAX_REQUESTS_PER_RUN: Final = 1_000
"""Requests after which a run is stored and the next begins: minutes at the usual rates."""


class _Worker(Protocol):
    @property
    def engine(self) -> Engine: ...

    @property
    def clock(self) -> Clock: ...

    def has_work(self) -> bool:
        """Return whether there is work that may be done now."""
        ...

    def run(self, *, max_requests: int) -> RunOutcome:
        """Do the work with at most `max_requests` requests."""
        ...


def run(engine: Engine, settings: CollectorSettings, clock: Clock, stop: StopSignal) -> None:
    """Run the jobs until `stop`; raise at once the errors that every poll would raise."""
    JobScheduler(engine, clock, jobs(engine, settings, clock, stop)).run(stop)


def jobs(
    engine: Engine, settings: CollectorSettings, clock: Clock, stop: StopSignal
) -> list[ScheduledJob]:
    """Return the daemon's jobs; raises the errors of `run`."""
    crawl = bootstrap.open_crawl(engine, settings, clock, lambda: stop.requested)
    enricher = FeatureEnricher(
        engine,
        clock,
        bootstrap.open_providers(engine, settings, clock),
        lambda: stop.requested,
        partial(no_other_process, engine, clock, JOB),
    )
    polls: dict[str, Callable[[], None]] = {
        "harvest": partial(_run_until_done, "harvest", crawl),
        JOB: partial(_run_until_done, JOB, enricher),
    }
    if settings.analyses:
        analyser = bootstrap.open_analyser(engine, settings, clock, lambda: stop.requested)
        polls["analyse"] = partial(_run_if_idle, "analyse", analyser, enricher, settings.analyses)
    schedule = IntervalSchedule(settings.interval)
    return [ScheduledJob(name, poll, schedule) for name, poll in polls.items()]


def _run_until_done(job: str, worker: _Worker) -> None:
    """Work in runs of a bounded length, each with its own row."""
    while worker.has_work():
        if _run(job, worker, MAX_REQUESTS_PER_RUN).stopped != "limit":
            return


def _run_if_idle(job: str, worker: _Worker, preferred: _Worker, max_requests: int) -> None:
    """Make some requests where `preferred`, which gets more from each, has no work."""
    if not preferred.has_work() and worker.has_work():
        _run(job, worker, max_requests)


def _run(job: str, worker: _Worker, max_requests: int) -> RunOutcome:
    with job_run(worker.engine, worker.clock, job, service=True) as run:
        outcome = worker.run(max_requests=max_requests)
        outcome.write_to(run)
    return outcome
