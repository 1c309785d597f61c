"""Counts behind the forecast of a harvest: requests per genre, features, overlaps."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Subquery,
    and_,
    case,
    exists,
    func,
    not_,
    or_,
    select,
)

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
    with_id = exists().where(
        alias.c.track_id == track.c.id,
        alias.c.source.in_((SPOTIFY, MUSICBRAINZ)),  # whose ids providers take
    )
    requested = (
        attempt.c.track_id == track.c.id,
        attempt.c.provider != analysis_queue.ATTEMPT_NAME,
    )
    missed = and_(exists().where(*requested), ~exists().where(*requested, not_(_is_missed(now))))
    unavailable = case(  # looked up only for tracks without features
        (track.c.features_provider.is_not(None), 0), (or_(~with_id, missed), 1), else_=0
    )
    query = (
        select(
            track.c.genre_id,
            func.count(track.c.features_provider),
            func.sum(unavailable),
            func.count(),
        )
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
