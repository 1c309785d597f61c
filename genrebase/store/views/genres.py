"""Genres: collection progress, and tracks that several genres share."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Select,
    and_,
    case,
    cast,
    func,
    select,
)

from genrebase.store import tables
from genrebase.store.views.definition import Providers, view
from genrebase.store.views.shared import columns


def _genre_progress_sqlite(_providers: Providers) -> Select[Any]:
    """Return `genre_progress`; of one genre, only its own tracks are read.

    SQLite groups by looking up each track in the order of the genres, so all genres take as long.
    """
    genre, track = tables.genre, tables.track
    with_features = select(func.count(track.c.features_provider)).where(
        track.c.genre_id == genre.c.id
    )
    return _progress(genre, with_features.correlate(genre).scalar_subquery())


@view(
    "One row per genre: how much of it has been collected.",
    {
        "genre_id": "The genre's ID.",
        "genre": "The genre's name, which is also its search term.",
        "target": "Unique tracks to collect; NULL if no tracks are harvested for the genre.",
        "tracks": "Unique tracks with it as claim.",
        "sightings": "Tracks with a sighting for it, whatever their claim.",
        "with_features": "Its tracks with features from any provider.",
        "requests": "Requests spent on it.",
        "open_shards": "Shards of its search space that are not finished.",
        "capped_shards": "Single years with more results than a search returns.",
        "paused": "Whether harvests skip it.",
    },
    sqlite=_genre_progress_sqlite,
)
def genre_progress(_providers: Providers) -> Select[Any]:
    genre, track = tables.genre, tables.track
    claimed = (
        select(track.c.genre_id, func.count(track.c.features_provider).label("with_features"))
        .where(track.c.genre_id.is_not(None))
        .group_by(track.c.genre_id)
        .subquery("claimed")
    )
    source = genre.outerjoin(claimed, claimed.c.genre_id == genre.c.id)
    return _progress(source, claimed.c.with_features)


def _progress(source: FromClause, with_features: ColumnElement[Any]) -> Select[Any]:
    genre, shard = tables.genre, tables.shard
    searched = (
        select(
            shard.c.genre_id,
            func.sum(shard.c.requests).label("requests"),
            func.sum(case((shard.c.status == "open", 1), else_=0)).label("open_shards"),
            func.sum(case((shard.c.status == "capped", 1), else_=0)).label("capped_shards"),
        )
        .group_by(shard.c.genre_id)
        .subquery("searched")
    )

    def number(column: ColumnElement[Any]) -> ColumnElement[int]:
        return cast(func.coalesce(column, 0), Integer)

    return select(
        *columns(genre, "id:genre_id name:genre target tracks sightings"),
        number(with_features).label("with_features"),
        number(searched.c.requests).label("requests"),
        number(searched.c.open_shards).label("open_shards"),
        number(searched.c.capped_shards).label("capped_shards"),
        genre.c.paused,
    ).select_from(source.outerjoin(searched, searched.c.genre_id == genre.c.id))


@view(
    "One row per genre: how many of its tracks have sightings for other genres, too.",
    {
        "genre_id": "The genre's ID.",
        "genre": "The genre's name.",
        "tracks": "Tracks with a sighting for it.",
        "shared": "Of these, tracks with a sighting for any other genre.",
        "share": "`shared` as a share of `tracks`, 0 to 1; NULL without tracks.",
    },
)
def genre_sharing(_providers: Providers) -> Select[Any]:
    genre, sighting = tables.genre, tables.sighting
    several = (
        select(sighting.c.track_id)
        .group_by(sighting.c.track_id)
        .having(func.min(sighting.c.genre_id) < func.max(sighting.c.genre_id))
        .subquery("several")
    )
    pairs = (
        select(sighting.c.track_id, sighting.c.genre_id)
        .join(several, several.c.track_id == sighting.c.track_id)
        .distinct()
        .subquery("pairs")
    )
    shared = (
        select(pairs.c.genre_id, func.count().label("tracks"))
        .group_by(pairs.c.genre_id)
        .subquery("shared")
    )
    tracks = cast(func.coalesce(shared.c.tracks, 0), Integer)
    return select(
        *columns(genre, "id:genre_id name:genre sightings:tracks"),
        tracks.label("shared"),
        (cast(tracks, Double) / func.nullif(genre.c.sightings, 0)).label("share"),
    ).select_from(genre.outerjoin(shared, shared.c.genre_id == genre.c.id))


@view(
    "One row per pair of genres with common tracks; `genre` sorts before `other_genre`.",
    {
        "genre": "One genre's name.",
        "other_genre": "The other genre's name.",
        "tracks": "Tracks with sightings for both.",
        "share": "Their share of the tracks with a sighting for `genre`, 0 to 1.",
        "other_share": "Their share of the tracks with a sighting for `other_genre`, 0 to 1.",
        "genre_id": "The ID of `genre`.",
        "other_genre_id": "The ID of `other_genre`.",
    },
)
def genre_overlaps(_providers: Providers) -> Select[Any]:
    sighting = tables.sighting
    one, two = (
        select(sighting.c.track_id, sighting.c.genre_id).distinct().subquery(name)
        for name in ("one", "two")
    )
    shared = (
        select(
            one.c.genre_id.label("one_id"),
            two.c.genre_id.label("two_id"),
            func.count().label("tracks"),
        )
        .select_from(
            one.join(two, and_(two.c.track_id == one.c.track_id, two.c.genre_id > one.c.genre_id))
        )
        .group_by(one.c.genre_id, two.c.genre_id)
        .subquery("shared")
    )
    first, second = tables.genre.alias("first"), tables.genre.alias("second")
    other_id = shared.c.one_id + shared.c.two_id - first.c.id
    source = shared.join(first, first.c.id.in_((shared.c.one_id, shared.c.two_id))).join(
        second, and_(second.c.id == other_id, first.c.name < second.c.name)
    )
    return select(
        first.c.name.label("genre"),
        second.c.name.label("other_genre"),
        shared.c.tracks,
        (cast(shared.c.tracks, Double) / func.nullif(first.c.sightings, 0)).label("share"),
        (cast(shared.c.tracks, Double) / func.nullif(second.c.sightings, 0)).label("other_share"),
        first.c.id.label("genre_id"),
        second.c.id.label("other_genre_id"),
    ).select_from(source)
