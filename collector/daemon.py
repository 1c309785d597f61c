"""The collector daemon: which job runs when; no SQL, no HTTP.

Every `COLLECTOR_INTERVAL` seconds each job checks for work: the harvest of missing tracks, the
requests for missing features and, where `COLLECTOR_ANALYSES` allows some, audio analyses; where
`COLLECTOR_SOURCES` names a source of audio files, their downloads. A check that finds no work
leaves no row. Digests that are out of date are refreshed (`GENREBASE_DIGESTS_EVERY`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final, Protocol

import structlog

from collector import composition_root
from collector.enrichment.features import JOB, FeatureEnricher
from collector.run_outcome import RunOutcome
from collector.settings import AUDIO_SOURCES_GROUP, CollectorSettings
from genrebase.audio import scan
from genrebase.digests.refresh import daemon_jobs
from genrebase.errors import UserError
from genrebase.runtime import daemons, plugins
from genrebase.runtime.clock import Clock
from genrebase.runtime.job_scheduler import JobScheduler, ScheduledJob
from genrebase.runtime.jobs import job_run, no_other_process
from genrebase.runtime.schedule import IntervalSchedule
from genrebase.runtime.shutdown import StopSignal
from genrebase.store import Engine

_log = structlog.get_logger(__name__)

LISTEN: Final = "listen"
"""The job that downloads and analyses audio files."""

MAX_REQUESTS_PER_RUN: Final = 1_000
"""Requests after which a run is stored and the next begins: minutes at the usual rates."""


class Worker(Protocol):
    """A job of the daemon: harvester, enricher or analyser."""

    @property
    def engine(self) -> Engine:
        """The database."""

    @property
    def clock(self) -> Clock:
        """The clock."""

    def has_work(self) -> bool:
        """Return whether there is work that may be done now."""

    def run(self, *, max_requests: int) -> RunOutcome:
        """Do the work with at most `max_requests` requests."""


def run(engine: Engine, settings: CollectorSettings, clock: Clock, stop: StopSignal) -> None:
    """Run the jobs until `stop`; raise at once the errors that every poll would raise."""
    scheduled = jobs(engine, settings, clock, stop)
    _log.info(
        "daemon started",
        jobs=[one.name for one in scheduled],
        interval=settings.interval,
        rate=str(settings.rate),
    )
    with daemons.registered(engine, clock, daemons.COLLECTOR):
        JobScheduler(engine, clock, scheduled).run(stop)
    _log.info("daemon stopped")


def jobs(
    engine: Engine, settings: CollectorSettings, clock: Clock, stop: StopSignal
) -> list[ScheduledJob]:
    """Return the daemon's jobs; raises the errors of `run`."""
    crawl = composition_root.open_crawl(engine, settings, clock, lambda: stop.requested)
    enricher = FeatureEnricher(
        engine,
        clock,
        composition_root.open_providers(engine, settings, clock),
        lambda: stop.requested,
        partial(no_other_process, engine, clock, JOB),
    )
    polls: dict[str, Callable[[], None]] = {
        "harvest": partial(_run_until_done, LoggedJob("harvest", crawl)),
        JOB: partial(_run_until_done, LoggedJob(JOB, enricher)),
    }
    if settings.analyses:
        analyser = composition_root.open_analyser(engine, settings, clock, lambda: stop.requested)
        analyse = LoggedJob("analyse", analyser)
        polls["analyse"] = partial(_run_if_idle, analyse, enricher, settings.analyses)
    if set(settings.source_names) & set(plugins.registered_names(AUDIO_SOURCES_GROUP)):
        downloads = _open_downloads(engine, settings, clock, stop)
        if downloads is not None:
            listen = LoggedJob(LISTEN, downloads, is_exclusive=True)
            polls[LISTEN] = partial(_run_until_done, listen)
    schedule = IntervalSchedule(settings.interval)
    own = [ScheduledJob(name, poll, schedule) for name, poll in polls.items()]
    return [*own, *daemon_jobs(engine, clock)]


def _open_downloads(
    engine: Engine, settings: CollectorSettings, clock: Clock, stop: StopSignal
) -> Worker | None:
    """Return the run of downloads; None, with a warning, without the libraries for audio."""
    try:
        scan.require_libraries()
    except UserError as error:
        _log.warning("audio files are not analysed", reason=str(error))
        return None
    return composition_root.open_downloads(engine, settings, clock, lambda: stop.requested)


@dataclass(slots=True)
class LoggedJob:
    """A job whose runs are recorded, and logged with the bans that end them."""

    name: str
    worker: Worker
    is_exclusive: bool = False
    """Whether one process at a time may run it."""
    _blocked_until: datetime | None = field(default=None, init=False)

    def has_work(self) -> bool:
        """Return whether there is work that may be done now."""
        if self._blocked_until is not None and self.worker.clock.now() >= self._blocked_until:
            _log.info("ban ended", job=self.name)
            self._blocked_until = None
        return self.worker.has_work()

    def run(self, max_requests: int) -> RunOutcome:
        clock = self.worker.clock
        began = clock.monotonic()
        with job_run(
            self.worker.engine, clock, self.name, exclusive=self.is_exclusive, service=True
        ) as run:
            outcome = self.worker.run(max_requests=max_requests)
            outcome.write_to(run)
        _log.info(
            f"{self.name} ended",
            stopped=outcome.stopped,
            requests=outcome.requests,
            **outcome.counts(),
            seconds=round(clock.monotonic() - began, 1),
        )
        if outcome.blocked is not None:
            self._blocked_until = outcome.blocked.until
            _log.info(
                "ban started",
                job=self.name,
                source=outcome.blocked.source,
                until=outcome.blocked.until.isoformat(),
                reason=outcome.blocked.reason,
            )
        return outcome


def _run_until_done(job: LoggedJob) -> None:
    """Work in runs of a bounded length, each with its own row."""
    while job.has_work():
        if job.run(MAX_REQUESTS_PER_RUN).stopped != "limit":
            return


def _run_if_idle(job: LoggedJob, preferred: Worker, max_requests: int) -> None:
    """Make some requests where `preferred`, which gets more from each, has no work."""
    if not preferred.has_work() and job.has_work():
        job.run(max_requests)
