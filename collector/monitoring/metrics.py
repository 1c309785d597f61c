"""How the harvester is: what `/healthz`, `/metrics` and `collector health` say."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

from collector.catalogue import metrics, report, shards
from collector.catalogue.metrics import JobRunCounts, ShardTotals
from collector.catalogue.report import LastRun
from collector.http import rate_limiter
from collector.http.rate_limiter import BudgetState
from collector.settings import CollectorSettings
from genrebase.runtime import monitoring
from genrebase.runtime.clock import Clock
from genrebase.runtime.monitoring import HealthStatus, HealthTarget, Measure
from genrebase.store.engine import Engine, read_transaction

JOBS: Final = ("harvest", "enrich", "analyse")
"""What the harvester runs; how others fare is not its health."""


@dataclass(frozen=True, slots=True)
class MetricsSnapshot:
    """Everything that is measured, of one moment."""

    now: float
    """Seconds since 1970."""
    tracks: int
    with_features: int
    missing: int
    """Tracks that genres still lack."""
    budgets: Sequence[BudgetState]
    shards: Sequence[ShardTotals]
    runs: Sequence[JobRunCounts]
    last_runs: Sequence[LastRun]


def health_target(engine: Engine, clock: Clock) -> HealthTarget:
    """Return the harvester over this database, as one who can be asked."""
    return HealthTarget(
        lambda: check(engine, clock), lambda: to_metrics(take_snapshot(engine, clock))
    )


def check(engine: Engine, clock: Clock) -> HealthStatus:
    """Say whether the database answers, and whether no job failed when it last ran."""
    with read_transaction(engine) as connection:
        last = report.last_runs(connection, clock.now())
    for run in last:
        if run.job in JOBS and run.outcome == "failed":
            return HealthStatus(ok=False, sentence=f"The last {run.job} failed: {run.error}")
    return HealthStatus(ok=True, sentence="The database answers, and no job failed.")


@contextmanager
def serving(engine: Engine, settings: CollectorSettings, clock: Clock) -> Iterator[str | None]:
    """Answer at `COLLECTOR_HTTP` while the block runs; yield the URL, None where it is off."""
    with monitoring.serve(settings.http_address, health_target(engine, clock)) as url:
        yield url


def take_snapshot(engine: Engine, clock: Clock) -> MetricsSnapshot:
    """Measure everything, of one snapshot of the database."""
    with read_transaction(engine) as connection:
        totals = report.totals(connection)
        needs = shards.genre_progress(connection).values()
        return MetricsSnapshot(
            now=clock.now().timestamp(),
            tracks=totals.tracks,
            with_features=totals.with_features,
            missing=sum(max(0, need.target - need.tracks) for need in needs),
            budgets=rate_limiter.load_states(connection),
            shards=metrics.shard_totals(connection),
            runs=metrics.run_counts(connection),
            last_runs=report.last_runs(connection, clock.now()),
        )


def to_metrics(figures: MetricsSnapshot) -> list[Measure]:
    """Return the figures as a monitor wants them. Pure."""
    return [*_tracks(figures), *_asking(figures), *_jobs(figures)]


def _tracks(figures: MetricsSnapshot) -> Iterator[Measure]:
    without = figures.tracks - figures.with_features
    for name, meaning, number in (
        ("tracks", "Unique tracks.", figures.tracks),
        ("tracks_missing", "Tracks that genres with a target lack.", figures.missing),
        ("tracks_with_features", "Tracks with audio features.", figures.with_features),
        ("features_queue", "Tracks without audio features from anybody.", without),
    ):
        yield Measure(f"genrebase_{name}", "gauge", meaning, [({}, number)])
    pages, new = Counter[str](), Counter[str]()
    for one in figures.shards:
        pages[one.source] += one.pages
        new[one.source] += one.tracks_new
    yield Measure(
        "genrebase_shards",
        "gauge",
        "Slices of a source's search space, by state.",
        [({"source": one.source, "status": one.status}, one.shards) for one in figures.shards],
    )
    yield _by_source("tracks_new", "counter", "Unique tracks that searches brought.", new)
    yield _by_source("pages", "counter", "Pages of searches that were recorded.", pages)
    per_page = {source: new[source] / count for source, count in pages.items() if count}
    yield _by_source("yield", "gauge", "New unique tracks per page, over all pages.", per_page)


def _asking(figures: MetricsSnapshot) -> Iterator[Measure]:
    def summed(number: Callable[[BudgetState], float]) -> dict[str, float]:
        by_source: dict[str, float] = {}
        for one in figures.budgets:
            by_source[one.source] = by_source.get(one.source, 0.0) + number(one)
        return by_source

    requests = summed(lambda one: one.requests)
    yield _by_source("requests", "counter", "Requests made, retries included.", requests)
    refusals = summed(lambda one: one.refusals)
    yield _by_source("refusals", "counter", "Requests answered with 429.", refusals)
    banned = summed(lambda one: one.banned_seconds)
    yield _by_source("ban_seconds", "counter", "Seconds for which bans keep us away.", banned)
    left = summed(lambda one: max(0.0, (one.blocked_until or 0.0) - figures.now))
    yield _by_source("blocked_seconds", "gauge", "Seconds until the ban in hand ends.", left)
    pace = summed(lambda one: 1 / one.interval)
    yield _by_source("rate", "gauge", "Requests a second that we allow ourselves.", pace)


def _jobs(figures: MetricsSnapshot) -> Iterator[Measure]:
    yield Measure(
        "genrebase_runs",
        "counter",
        "Runs of a job, by how they ended.",
        [({"job": one.job, "outcome": one.outcome}, one.runs) for one in figures.runs],
    )
    ages = [
        ({"job": one.job}, max(0.0, figures.now - one.started_at.timestamp()))
        for one in figures.last_runs
    ]
    yield Measure("genrebase_last_run_age_seconds", "gauge", "Since a job last began.", ages)


def _by_source(
    name: str, kind: Literal["counter", "gauge"], meaning: str, numbers: Mapping[str, float]
) -> Measure:
    samples = [({"source": source}, number) for source, number in sorted(numbers.items())]
    return Measure(f"genrebase_{name}", kind, meaning, samples)
