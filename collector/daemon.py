"""What the harvester daemon does and when; no SQL, no HTTP.

Two jobs look every `COLLECTOR_INTERVAL` seconds whether there is work: the harvest of missing
tracks, and the search for missing features. A look that finds nothing leaves no row.
"""

from functools import partial
from typing import Final, Protocol

from collector import bootstrap
from collector.enrich import JOB, Enricher
from collector.settings import CollectorSettings
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import Run, job_run, others_died
from genrebase.runtime.schedule import Every
from genrebase.runtime.stopping import Stop
from genrebase.runtime.timer import Job, Timer
from genrebase.store import Engine

REQUESTS_PER_RUN: Final = 1_000
"""Calls after which a run is written down and the next begins: minutes at the usual rates."""


class _Worker(Protocol):
    """Does one of the daemon's two jobs."""

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

    def write_to(self, run: Run) -> None:
        """Write what was done into the row of the run."""
        ...


def run(engine: Engine, settings: CollectorSettings, clock: Clock, stop: Stop) -> None:
    """Run the jobs until `stop`; refuse at once what would be refused at every look."""
    crawl = bootstrap.open_crawl(engine, settings, clock, lambda: stop.requested)
    providers = bootstrap.open_providers(engine, settings, clock)
    workers: dict[str, _Worker] = {
        "harvest": crawl,
        JOB: Enricher(
            engine,
            clock,
            providers,
            lambda: stop.requested,
            partial(others_died, engine, clock, JOB),
        ),
    }
    schedule = Every(settings.interval)
    jobs = [Job(name, partial(_work, name, one), schedule) for name, one in workers.items()]
    Timer(engine, clock, jobs).run(stop)


def _work(job: str, worker: _Worker) -> None:
    """Work in runs of a bounded length, each with a row of its own."""
    while worker.has_work():
        with job_run(worker.engine, worker.clock, job) as run:
            ending = worker.run(max_requests=REQUESTS_PER_RUN)
            ending.write_to(run)
        if ending.stopped != "limit":
            return
