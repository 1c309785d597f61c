"""What the forecast of a harvest stands on: what was asked per genre, features, overlaps."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Subquery, and_, case, func, or_, select

from collector.catalogue import analysis_queue
from genrebase.store import tables
from genrebase.store.source_ids import SPOTIFY


@dataclass(frozen=True, slots=True)
class SearchEffort:
    """What was asked of a source for one genre."""

    requests: int
    items: int
    shards: int
    open_shards: int


@dataclass(frozen=True, slots=True)
class FeatureCounts:
    """Of the tracks that count for a genre, whose features are known."""

    found: int
    unavailable: int
    """Nobody who was asked knows them, or nobody can be asked; asked again some day."""
    pending: int
    """Still to be asked for."""


@dataclass(frozen=True, slots=True)
class GenreOverlap:
    """How much of a genre is shown under others, too."""

    tracks: int
    """Seen under the genre."""
    shared: int
    """Of those, seen under any other genre."""
    others: Mapping[str, int]
    """Per other genre, how many of them."""


def search_effort(connection: Connection, source: str) -> dict[int, SearchEffort]:
    """Return what was asked of a source, per genre id."""
    shard = tables.shard
    query = (
        select(
            shard.c.genre_id,
            func.sum(shard.c.requests),
            func.sum(shard.c["items"]),
            func.count(),
            func.sum(case((shard.c.status == "open", 1), else_=0)),
        )
        .where(shard.c.source == source)
        .group_by(shard.c.genre_id)
    )
    return {
        genre_id: SearchEffort(*map(int, counts))
        for genre_id, *counts in connection.execute(query)
    }


def feature_counts(connection: Connection, now: datetime) -> dict[int, FeatureCounts]:
    """Count, per genre id, whose features are known, nowhere to be had, or waited for."""
    track, alias, attempt = tables.track, tables.track_alias, tables.feature_attempt
    known = select(tables.audio_features.c.track_id).distinct().subquery()
    askable = select(alias.c.track_id).where(alias.c.source == SPOTIFY).distinct().subquery()
    refused = (
        select(attempt.c.track_id)
        .where(attempt.c.provider != analysis_queue.ATTEMPT_NAME)
        .group_by(attempt.c.track_id)
        .having(func.count() == func.sum(case((_not_due(now), 1), else_=0)))
        .subquery()
    )
    without = known.c.track_id.is_(None)
    nowhere = and_(without, or_(askable.c.track_id.is_(None), refused.c.track_id.is_not(None)))
    query = (
        select(
            track.c.genre_id,
            func.count(known.c.track_id),
            func.sum(case((nowhere, 1), else_=0)),
            func.count(),
        )
        .select_from(track)
        .outerjoin(known, known.c.track_id == track.c.id)
        .outerjoin(askable, askable.c.track_id == track.c.id)
        .outerjoin(refused, refused.c.track_id == track.c.id)
        .where(track.c.genre_id.is_not(None))
        .group_by(track.c.genre_id)
    )
    return {
        genre_id: FeatureCounts(have, int(miss), tracks - have - int(miss))
        for genre_id, have, miss, tracks in connection.execute(query)
    }


def genre_overlaps(connection: Connection) -> dict[str, GenreOverlap]:
    """Return, per genre, how much of it is shown under others, too."""
    genre, sighting = tables.genre, tables.sighting
    several = _under_several()
    counts = (
        select(genre.c.name, genre.c.sightings, func.count())
        .join(sighting, sighting.c.genre_id == genre.c.id)
        .join(several, several.c.track_id == sighting.c.track_id)
        .group_by(genre.c.name, genre.c.sightings)
    )
    one, other, others = sighting.alias(), sighting.alias(), genre.alias()
    pairs = (
        select(genre.c.name, others.c.name, func.count())
        .select_from(several)
        .join(one, one.c.track_id == several.c.track_id)
        .join(other, and_(other.c.track_id == one.c.track_id, other.c.genre_id != one.c.genre_id))
        .join(genre, genre.c.id == one.c.genre_id)
        .join(others, others.c.id == other.c.genre_id)
        .group_by(genre.c.name, others.c.name)
    )
    shared_with: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for name, with_name, tracks in connection.execute(pairs):
        shared_with[name][with_name] = tracks
    return {
        name: GenreOverlap(tracks, shared, shared_with[name])
        for name, tracks, shared in connection.execute(counts)
    }


def _under_several() -> Subquery:
    sighting = tables.sighting
    return (
        select(sighting.c.track_id)
        .group_by(sighting.c.track_id)
        .having(func.count() > 1)
        .subquery()
    )


def _not_due(now: datetime) -> ColumnElement[bool]:
    attempt = tables.feature_attempt
    missed = and_(attempt.c.next_at > now, attempt.c.attempts > 0)  # 0: being asked right now
    return and_(attempt.c.outcome == "unknown", or_(attempt.c.next_at.is_(None), missed))
