"""The collector's figures for a monitor: few, and quick to count."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from genrebase.store import tables


@dataclass(frozen=True, slots=True)
class ShardTotals:
    """What the shards of a source that are in one state add up to."""

    source: str
    status: str
    shards: int
    pages: int
    """Fetched, the empty ones included."""
    tracks_new: int


@dataclass(frozen=True, slots=True)
class JobRunCounts:
    """How often a job ended in one way."""

    job: str
    outcome: str
    runs: int


def shard_totals(connection: Connection) -> list[ShardTotals]:
    """Return what the shards add up to, by source and status."""
    shard = tables.shard.c
    query = (
        select(
            shard.source,
            shard.status,
            func.count(),
            func.sum(shard.requests),
            func.sum(shard.tracks_new),
        )
        .group_by(shard.source, shard.status)
        .order_by(shard.source, shard.status)
    )
    return [
        ShardTotals(source, status, shards, int(pages), int(new))
        for source, status, shards, pages, new in connection.execute(query)
    ]


def run_counts(connection: Connection) -> list[JobRunCounts]:
    """Return how often each job ended in each way."""
    row = tables.job_run.c
    query = select(row.job, row.outcome, func.count()).group_by(row.job, row.outcome)
    return [
        JobRunCounts(*found) for found in connection.execute(query.order_by(row.job, row.outcome))
    ]
