"""Counts behind the forecast of a harvest: requests per genre, features, overlaps."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Subquery, and_, case, func, or_, select

from collector.catalogue import analysis_queue, sightings
from genrebase.store import tables
from genrebase.store.source_ids import MUSICBRAINZ, SPOTIFY


@dataclass(frozen=True, slots=True)
class SearchEffort:
    """Requests to a source for one genre, and what they returned."""

    requests: int
    items: int
    shards: int
    open_shards: int


@dataclass(frozen=True, slots=True)
class FeatureCounts:
    """The tracks of a genre by whether their features are stored."""

    found: int
    unavailable: int
    """No requested provider has them, or they have no Spotify id; requested again later."""
    pending: int
    """Still to be requested."""


@dataclass(frozen=True, slots=True)
class GenreOverlap:
    """How many of a genre's tracks are sighted in other genres, too."""

    tracks: int
    """Sighted in the genre."""
    shared: int
    """Of those, sighted in any other genre."""
    others: Mapping[str, int]
    """Per other genre, how many of them."""


def search_effort(connection: Connection, source: str) -> dict[int, SearchEffort]:
    """Return the requests to a source, per genre id."""
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
    """Count, per genre id, the tracks whose features are stored, unavailable or pending."""
    track, alias, attempt = tables.track, tables.track_alias, tables.feature_attempt
    featured = select(tables.audio_features.c.track_id).distinct().subquery()
    with_id = (
        select(alias.c.track_id)
        .where(alias.c.source.in_((SPOTIFY, MUSICBRAINZ)))  # whose ids providers take
        .distinct()
        .subquery()
    )
    missed = (
        select(attempt.c.track_id)
        .where(attempt.c.provider != analysis_queue.ATTEMPT_NAME)
        .group_by(attempt.c.track_id)
        .having(func.count() == func.sum(case((_is_missed(now), 1), else_=0)))
        .subquery()
    )
    has_none = featured.c.track_id.is_(None)
    unavailable = and_(has_none, or_(with_id.c.track_id.is_(None), missed.c.track_id.is_not(None)))
    query = (
        select(
            track.c.genre_id,
            func.count(featured.c.track_id),
            func.sum(case((unavailable, 1), else_=0)),
            func.count(),
        )
        .select_from(track)
        .outerjoin(featured, featured.c.track_id == track.c.id)
        .outerjoin(with_id, with_id.c.track_id == track.c.id)
        .outerjoin(missed, missed.c.track_id == track.c.id)
        .where(track.c.genre_id.is_not(None))
        .group_by(track.c.genre_id)
    )
    return {
        genre_id: FeatureCounts(have, int(miss), tracks - have - int(miss))
        for genre_id, have, miss, tracks in connection.execute(query)
    }


def genre_overlaps(connection: Connection) -> dict[str, GenreOverlap]:
    """Return, per genre, how many of its tracks are sighted in other genres, too."""
    genre, seen, several = tables.genre, sightings.pairs(), _in_several_genres()
    counts = (
        select(genre.c.name, genre.c.sightings, func.count())
        .join(seen, seen.c.genre_id == genre.c.id)
        .join(several, several.c.track_id == seen.c.track_id)
        .group_by(genre.c.name, genre.c.sightings)
    )
    one, other, others = sightings.pairs(), sightings.pairs(), genre.alias()
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


def _in_several_genres() -> Subquery:
    sighting = tables.sighting
    return (
        select(sighting.c.track_id)
        .group_by(sighting.c.track_id)
        .having(func.count(sighting.c.genre_id.distinct()) > 1)
        .subquery()
    )


def _is_missed(now: datetime) -> ColumnElement[bool]:
    attempt = tables.feature_attempt
    missed = and_(attempt.c.next_at > now, attempt.c.attempts > 0)  # 0: being requested right now
    return and_(attempt.c.outcome == "unknown", or_(attempt.c.next_at.is_(None), missed))
