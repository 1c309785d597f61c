"""Queries for the collector daemon's metrics: few, and quick to count."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from genrebase.store import tables


def shard_totals(connection: Connection) -> Sequence[Row[Any]]:
    """Return (source, status, shards, pages, tracks_new) per source and status.

    `pages` counts the fetched pages, the empty ones included.
    """
    shard = tables.shard.c
    query = (
        select(
            shard.source,
            shard.status,
            func.count().label("shards"),
            func.sum(shard.requests).label("pages"),
            func.sum(shard.tracks_new).label("tracks_new"),
        )
        .group_by(shard.source, shard.status)
        .order_by(shard.source, shard.status)
    )
    return connection.execute(query).all()


def run_counts(connection: Connection) -> Sequence[Row[Any]]:
    """Return (job, outcome, runs) per job and outcome."""
    row = tables.job_run.c
    query = select(row.job, row.outcome, func.count().label("runs")).group_by(row.job, row.outcome)
    return connection.execute(query.order_by(row.job, row.outcome)).all()
