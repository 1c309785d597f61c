"""Counts behind the forecast of a harvest: requests per genre, features, overlaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import permutations
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    exists,
    func,
    not_,
    or_,
    select,
)

from collector.catalogue import analysis_queue
from genrebase import digests
from genrebase.store import tables, views
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
    unavailable: int | None
    """No requested provider has them, or they have no Spotify id; requested again later."""
    pending: int | None
    """Still to be requested. Both are None if the tracks were not counted."""


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


def genre_overlaps(
    connection: Connection, *, min_tracks: int = 1, min_share: float = 0.0, stored: bool = False
) -> dict[str, GenreOverlap]:
    """Return, per genre, how many of its tracks are sighted in other genres, too.

    Only genres with so many tracks, of which so large a share is sighted in others, are returned.
    `stored`: as the digests have them, if they do.
    """
    digest = digests.read(connection, "genre_sharing") if stored else None
    sharing = _all_rows(connection, views.genre_sharing) if digest is None else digest.as_dicts()
    chosen = {
        row["genre"]: row
        for row in sharing
        if row["tracks"] >= min_tracks and row["share"] >= min_share
    }
    pairs: Sequence[Mapping[str, Any]] = ()
    if digest is not None:
        of_genres = [digests.read(connection, "genre_overlaps", name) for name in chosen]
        pairs = [row for one in of_genres if one is not None for row in one.as_dicts()]
    elif chosen:
        pairs = _all_rows(connection, views.genre_overlaps)
    others: dict[str, dict[str, int]] = {name: {} for name in chosen}
    for row in pairs:
        for one, other in permutations((row["genre"], row["other_genre"])):
            if one in others:
                others[one][other] = row["tracks"]
    return {
        name: GenreOverlap(row["tracks"], row["shared"], others[name])
        for name, row in chosen.items()
    }


def _all_rows(connection: Connection, view: views.View) -> Sequence[Mapping[str, Any]]:
    return [dict(row) for row in connection.execute(select(view)).mappings()]


def _is_missed(now: datetime) -> ColumnElement[bool]:
    attempt = tables.feature_attempt
    missed = and_(attempt.c.next_at > now, attempt.c.attempts > 0)  # 0: being requested right now
    return and_(attempt.c.outcome == "unknown", or_(attempt.c.next_at.is_(None), missed))
