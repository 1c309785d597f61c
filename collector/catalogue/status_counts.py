"""Counts of the catalogue, its genres, sources and job runs, for status and monitoring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from genrebase import digests
from genrebase.runtime.jobs import JobRun, effective_run
from genrebase.store import tables

SMALL: Final = 100_000
"""Up to this number of tracks they are counted whenever data changed: that takes milliseconds."""
MAX_AGE: Final = timedelta(days=1)
"""Age up to which digests replace counting in a larger catalogue: daemons refresh them sooner."""


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


@dataclass(frozen=True, slots=True)
class StoredCounts:
    """Counts of the stored digests."""

    as_of: datetime
    is_current: bool
    """Whether nothing has changed since."""
    totals: Totals
    with_features: Mapping[str, int]
    """Per genre, how many of its tracks have features."""


def stored_counts(connection: Connection, now: datetime) -> StoredCounts | None:
    """Return the counts of the digests; None without them, or if the tracks are to be counted.

    That is if data may have changed since, and the catalogue is small or the digests are older
    than a day. Labelled tracks and their sightings are those of now.
    """
    catalogue = digests.read(connection, "catalogue_counts")
    progress = digests.read(connection, "genre_progress")
    if catalogue is None or progress is None:
        return None
    is_recent = timedelta() <= now - catalogue.as_of <= MAX_AGE
    if not catalogue.is_current and not (is_recent and is_large(connection)):
        return None
    (counts,) = catalogue.as_dicts()
    unlabelled = counts["without_claim"]
    labelled, sightings = _counters(connection)
    names = ("with_features", "artists", "verdicts")
    return StoredCounts(
        catalogue.as_of,
        catalogue.is_current,
        Totals(
            tracks=labelled + unlabelled,
            sightings=sightings,
            unlabelled=unlabelled,
            **{name: counts[name] for name in names},
        ),
        {one["genre"]: one["with_features"] for one in progress.as_dicts()},
    )


def totals(connection: Connection) -> Totals:
    """Count the whole catalogue."""
    track, features = tables.track, tables.audio_features
    unlabelled = _count(connection, select(func.count()).where(track.c.genre_id.is_(None)))
    labelled, sightings = _counters(connection)
    return Totals(
        tracks=labelled + unlabelled,
        sightings=sightings,
        with_features=_count(
            connection, select(func.count(features.c.track_id.distinct())).select_from(features)
        ),
        unlabelled=unlabelled,
        artists=_count(connection, select(func.count()).select_from(tables.artist)),
        verdicts=_count(connection, select(func.count()).select_from(tables.verdict)),
    )


def genre_counts(
    connection: Connection, with_features: Mapping[str, int] | None = None
) -> list[GenreCounts]:
    """Return the counts per genre, by name; `with_features` is counted unless it is given."""
    genre = tables.genre
    if with_features is None:
        with_features = _with_features(connection)
    query = select(
        genre.c.name, genre.c.target, genre.c.tracks, genre.c.sightings, genre.c.paused
    ).order_by(genre.c.name)
    return [
        GenreCounts(name, target, tracks, sighted, with_features.get(name, 0), paused)
        for name, target, tracks, sighted, paused in connection.execute(query)
    ]


def _with_features(connection: Connection) -> dict[str, int]:
    genre, track = tables.genre, tables.track
    query = (
        select(genre.c.name, func.count(track.c.features_provider))
        .join(track, track.c.genre_id == genre.c.id)
        .group_by(genre.c.name)
    )
    return {name: count for name, count in connection.execute(query)}  # noqa: C416 - rows


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


def _counters(connection: Connection) -> tuple[int, int]:
    """Return the numbers of labelled tracks and of sightings, from the counters of the genres."""
    genre = tables.genre.c
    row = connection.execute(select(func.sum(genre.tracks), func.sum(genre.sightings))).one()
    return int(row[0] or 0), int(row[1] or 0)


def is_large(connection: Connection) -> bool:
    """Return whether counting takes long, by the highest id of a track."""
    track_id = tables.track.c.id
    query = select(track_id).where(track_id > SMALL).limit(1)
    return connection.execute(query).first() is not None


def _count(connection: Connection, query: Any) -> int:
    return int(connection.scalar(query) or 0)
