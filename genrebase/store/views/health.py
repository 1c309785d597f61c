"""The health of the harvest: the last run of each job, and the request budget of each source."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Double,
    Integer,
    Select,
    Text,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.sql.functions import GenericFunction

from genrebase.store import tables
from genrebase.store.tables import UtcDateTime
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view

WINDOW_SECONDS = 30.0
"""The window of the sources' rate limits."""


class time_of(GenericFunction[Any]):  # noqa: N801 - SQL functions are written so
    """The time given in seconds since 1970."""

    type = UtcDateTime()
    inherit_cache = True


shared.compile_as(
    time_of,
    postgresql="to_timestamp({})",
    sqlite="strftime('%Y-%m-%d %H:%M:%f', {}, 'unixepoch') || '000'",
)


def _jobs() -> Select[Any]:
    run = tables.job_run
    newest = func.row_number().over(
        partition_by=run.c.job, order_by=(run.c.started_at.desc(), run.c.id.desc())
    )

    def count(*outcomes: str) -> Any:
        matching = case((run.c.outcome.in_(outcomes), 1), else_=0)
        return func.sum(matching).over(partition_by=run.c.job)

    finished = case((run.c.outcome.in_(("done", "nothing_new")), run.c.finished_at))
    ranked = select(
        run,
        newest.label("newest"),
        func.count().over(partition_by=run.c.job).label("runs"),
        count("failed", "interrupted").label("failed_runs"),
        func.max(finished).over(partition_by=run.c.job).label("completed_at"),
    ).subquery("ranked")
    return select(
        cast(literal("job"), Text).label("kind"),
        ranked.c.job.label("name"),
        cast(null(), Text).label("credential"),
        *shared.columns(ranked, "outcome started_at finished_at completed_at error"),
        cast(ranked.c.runs, Integer).label("runs"),
        cast(ranked.c.failed_runs, Integer).label("failed_runs"),
        cast(null(), BigInteger).label("requests"),
        cast(null(), Double).label("requests_per_30s"),
        _no_time().label("blocked_until"),
        cast(null(), Text).label("blocked_reason"),
        cast(null(), Integer).label("open_shards"),
    ).where(ranked.c.newest == 1)


def _sources() -> Select[Any]:
    budget, shard = tables.source_budget, tables.shard
    open_shards = (
        select(func.count())
        .select_from(shard)
        .where(shard.c.source == budget.c.source, shard.c.status == "open")
        .correlate(budget)
        .scalar_subquery()
    )
    return select(
        cast(literal("source"), Text),
        *shared.columns(budget, "source credential"),
        cast(null(), Text),
        _no_time(),
        _no_time(),
        _no_time(),
        cast(null(), Text),
        cast(null(), Integer),
        cast(null(), Integer),
        budget.c.requests,
        cast(WINDOW_SECONDS / func.nullif(budget.c.interval, 0.0), Double),
        time_of(budget.c.blocked_until),
        budget.c.blocked_reason,
        cast(open_shards, Integer),
    )


def _no_time() -> Any:
    return time_of(cast(null(), Double))


@view(
    "One row per job with its last run, and one per source and credential with its budget.",
    {
        "kind": "job or source.",
        "name": "The name of the job or source.",
        "credential": "A fingerprint of the source's credential; NULL for a job.",
        "outcome": "The outcome of the job's last run, or running; NULL for a source.",
        "started_at": "When the job's last run started.",
        "finished_at": "When the job's last run ended, NULL while it runs.",
        "completed_at": "When a run of the job last succeeded.",
        "error": "The error of the job's last run, NULL without one.",
        "runs": "Number of runs of the job.",
        "failed_runs": "Number of runs that failed or were interrupted.",
        "requests": "Requests to the source, granted or refused.",
        "requests_per_30s": "The current rate limit in requests per 30 seconds.",
        "blocked_until": "No requests before this time; NULL or a past time: not blocked.",
        "blocked_reason": "The reason that the source gave.",
        "open_shards": "Shards of the source's search space that are not finished.",
    },
)
def harvest_health(_providers: Providers) -> Select[Any]:
    return select(*union_all(_jobs(), _sources()).subquery("health").columns)
