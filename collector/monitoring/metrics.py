"""Health and Prometheus metrics of the collector daemon."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import ClassVar, Final

from prometheus_client.core import Metric

from collector.catalogue import shards, status_counts
from collector.http import rate_limiter
from collector.http.rate_limiter import BudgetState
from genrebase.runtime.jobs import JobRun
from genrebase.runtime.monitoring import HealthTarget, Samples, counter, gauge
from genrebase.store.engine import read_transaction

STALLED_AFTER_SECONDS: Final = 900.0
"""A running job without a request for this time makes no progress: recording a page, or waiting
for a slot or another process, takes seconds."""


class HarvesterHealth(HealthTarget):
    """The collector daemon's health and metrics."""

    monitored_jobs: ClassVar = ("harvest", "enrich", "analyse", "listen")

    def is_stalled(self, run: JobRun) -> bool:
        """Return whether no request was made for a while, by anybody, although none is banned."""
        now = self.clock.now()
        with read_transaction(self.engine) as connection:
            last = rate_limiter.last_request_at(connection)
            budgets = rate_limiter.load_states(connection)
        latest = max(run.started_at.timestamp(), last or 0.0)
        blocked = any(budget.is_blocked(now.timestamp()) for budget in budgets)
        return not blocked and now.timestamp() - latest > STALLED_AFTER_SECONDS

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics, read in one transaction."""
        now = self.clock.now()
        with read_transaction(self.engine) as connection:
            stored = status_counts.stored_counts(connection, now)
            totals = status_counts.totals(connection) if stored is None else stored.totals
            progress = shards.genre_progress(connection).values()
            budgets = rate_limiter.load_states(connection)
            shard_totals = status_counts.shard_totals(connection)
            run_counts = status_counts.run_counts(connection)
            last_runs = status_counts.last_runs(connection, now)
        missing = sum(max(0, one.target - one.tracks) for one in progress)
        without = totals.tracks - totals.with_features
        yield gauge("tracks", "Unique tracks.", [({}, totals.tracks)])
        yield gauge("tracks_missing", "Tracks that genres with a target lack.", [({}, missing)])
        yield gauge(
            "tracks_with_features", "Tracks with audio features.", [({}, totals.with_features)]
        )
        yield gauge("features_queue", "Tracks without audio features.", [({}, without)])
        counted_at = now if stored is None else stored.as_of
        yield gauge(
            "counts_age_seconds",
            "Seconds since tracks with audio features and without a genre were counted.",
            [({}, max(0.0, (now - counted_at).total_seconds()))],
        )
        yield gauge(
            "shards",
            "Shards of a source's searches, by status.",
            [({"source": one.source, "status": one.status}, one.shards) for one in shard_totals],
        )
        new = _sum_by_source((one.source, one.tracks_new) for one in shard_totals)
        pages = _sum_by_source((one.source, one.pages) for one in shard_totals)
        yield counter("tracks_new", "Unique tracks that searches found.", _by_source(new))
        yield counter("pages", "Pages of searches that were recorded.", _by_source(pages))
        per_page = {source: new[source] / count for source, count in pages.items() if count}
        yield gauge("yield", "New unique tracks per page, over all pages.", _by_source(per_page))
        yield from _request_metrics(budgets, now.timestamp())
        yield counter(
            "runs",
            "Runs of a job, by outcome.",
            [({"job": one.job, "outcome": one.outcome}, one.runs) for one in run_counts],
        )
        yield gauge(
            "last_run_age_seconds",
            "Seconds since a job last started.",
            [
                ({"job": one.job}, max(0.0, (now - one.started_at).total_seconds()))
                for one in last_runs
            ],
        )


def _request_metrics(budgets: Iterable[BudgetState], now: float) -> Iterator[Metric]:
    def totals(value: Callable[[BudgetState], float]) -> Samples:
        return _by_source(_sum_by_source((one.source, value(one)) for one in budgets))

    yield counter("requests", "Requests sent, retries included.", totals(lambda b: b.requests))
    yield counter("refusals", "Requests refused with 429.", totals(lambda b: b.refusals))
    yield counter("ban_seconds", "Seconds of bans in all.", totals(lambda b: b.banned_seconds))
    blocked = totals(lambda b: max(0.0, (b.blocked_until or 0.0) - now))
    yield gauge("blocked_seconds", "Seconds until the current ban ends.", blocked)
    rate = totals(lambda b: 1 / b.interval)
    yield gauge("rate", "Requests per second that are allowed.", rate)


def _sum_by_source(values: Iterable[tuple[str, float]]) -> Mapping[str, float]:
    totals: dict[str, float] = defaultdict(float)
    for source, value in values:
        totals[source] += value
    return totals


def _by_source(values: Mapping[str, float]) -> Samples:
    return [({"source": source}, value) for source, value in sorted(values.items())]
