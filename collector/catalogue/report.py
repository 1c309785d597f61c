"""Counts of the catalogue, its genres, sources and job runs, for status and monitoring."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from genrebase.runtime.jobs import JobRun, effective_run
from genrebase.store import tables


@dataclass(frozen=True, slots=True)
class GenreCounts:
    """Counts of a genre."""

    name: str
    target: int | None
    """Unique tracks to collect; None for a genre that only imports fill."""
    tracks: int
    """Unique tracks that count for it."""
    sightings: int
    """Tracks sighted in it."""
    with_features: int
    """Those of its tracks that have features from any provider."""
    paused: bool


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """Requests to a source with all its credentials, and its ban."""

    source: str
    requests: int
    blocked_until: datetime | None
    blocked_reason: str | None


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run of a job."""

    job: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str
    counts: Mapping[str, Any]
    error: str | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of the whole catalogue."""

    tracks: int
    sightings: int
    """Pairs of a track and a genre that it was sighted in, whatever the sources."""
    with_features: int
    unlabelled: int
    """Tracks that count for no genre."""
    artists: int
    verdicts: int


def totals(connection: Connection) -> Totals:
    """Count the whole catalogue."""
    track, features = tables.track, tables.audio_features
    unlabelled = _count(connection, select(func.count()).where(track.c.genre_id.is_(None)))
    return Totals(
        tracks=_count(connection, select(func.sum(tables.genre.c.tracks))) + unlabelled,
        sightings=_count(connection, select(func.sum(tables.genre.c.sightings))),
        with_features=_count(
            connection, select(func.count(features.c.track_id.distinct())).select_from(features)
        ),
        unlabelled=unlabelled,
        artists=_count(connection, select(func.count()).select_from(tables.artist)),
        verdicts=_count(connection, select(func.count()).select_from(tables.verdict)),
    )


def genre_counts(connection: Connection) -> list[GenreCounts]:
    """Count per genre, by name."""
    genre, track = tables.genre, tables.track
    featured = select(tables.audio_features.c.track_id).distinct().subquery()
    claimed = (
        select(
            track.c.genre_id,
            func.count(featured.c.track_id).label("with_features"),
        )
        .outerjoin(featured, featured.c.track_id == track.c.id)
        .group_by(track.c.genre_id)
        .subquery()
    )
    query = (
        select(
            genre.c.name,
            genre.c.target,
            genre.c.tracks,
            genre.c.sightings,
            func.coalesce(claimed.c.with_features, 0),
            genre.c.paused,
        )
        .outerjoin(claimed, claimed.c.genre_id == genre.c.id)
        .order_by(genre.c.name)
    )
    return [GenreCounts(*row) for row in connection.execute(query)]


def source_counts(connection: Connection, now: datetime) -> list[SourceCounts]:
    """Return the requests to each source, and until when it is blocked, by name."""
    budget = tables.source_budget
    query = select(
        budget.c.source, budget.c.requests, budget.c.blocked_until, budget.c.blocked_reason
    ).order_by(budget.c.source, budget.c.blocked_until)
    counts_of: dict[str, SourceCounts] = {}
    for source, requests, until, reason in connection.execute(query):
        before = counts_of.get(source, SourceCounts(source, 0, None, None))
        blocked = until is not None and until > now.timestamp()
        counts_of[source] = SourceCounts(
            source,
            before.requests + requests,
            datetime.fromtimestamp(until, UTC) if blocked else before.blocked_until,
            reason if blocked else before.blocked_reason,
        )
    return list(counts_of.values())


def harvested_sources(connection: Connection) -> set[str]:
    """Return the sources that tracks are harvested from (others only provide features)."""
    return set(connection.scalars(select(tables.shard.c.source).distinct()))


def last_runs(connection: Connection, now: datetime) -> list[LastRun]:
    """Return the last run of each job; a run whose process died counts as interrupted."""
    job_run = tables.job_run
    latest = select(func.max(job_run.c.id)).group_by(job_run.c.job)
    query = select(job_run).where(job_run.c.id.in_(latest)).order_by(job_run.c.job)
    runs = [effective_run(JobRun(**row), now) for row in connection.execute(query).mappings()]
    return [
        LastRun(
            run.job,
            run.started_at,
            run.finished_at,
            run.outcome,
            {name: value for name, value in run.counts.items() if name != "process"},
            run.error,
        )
        for run in runs
    ]


def _count(connection: Connection, query: Any) -> int:
    return int(connection.scalar(query) or 0)
