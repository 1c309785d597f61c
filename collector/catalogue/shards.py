"""The stored state of the crawl: shards, their cursors, and the progress of each genre."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    union_all,
    update,
)

from collector.shard import (
    ALL_YEARS,
    CLOCK_TOLERANCE,
    RECENT_RECRAWL_SHARE,
    ROOT_SHARD,
    GenreProgress,
    NewShard,
    Shard,
    reopened,
    years_added_since,
)
from genrebase.store import bulk, tables

_FIELDS: Final = tuple(Shard.__slots__)
_CURSOR_COLUMNS: Final = (
    "head",
    "next_offset",
    "end_offset",
    "cursor",
    "status",
    "requests",
    "tracks_new",
    "dry_pages",
    "empty_pages",
    "promised",
)
"""Columns that a page changes."""


def genre_progress(connection: Connection, genres: Sequence[str] = ()) -> dict[int, GenreProgress]:
    """Return the progress of every genre with a target that is not paused, or of these only."""
    genre = tables.genre
    query = select(genre.c.id, genre.c.name, genre.c.target, genre.c.tracks)
    query = query.where(~genre.c.paused, *_with_target(genres))
    return {
        genre_id: GenreProgress(name, target, tracks)
        for genre_id, name, target, tracks in connection.execute(query)
    }


def paused_genres(connection: Connection, genres: Sequence[str] = ()) -> list[str]:
    """Return the names of the genres (default: all) that have a target and are paused."""
    genre = tables.genre
    query = select(genre.c.name).where(genre.c.paused, *_with_target(genres))
    return list(connection.scalars(query.order_by(genre.c.name)))


def _with_target(names: Sequence[str]) -> list[ColumnElement[bool]]:
    genre = tables.genre.c
    return [genre.target.is_not(None), *([genre.name.in_(names)] if names else [])]


def genres_without_shards(
    connection: Connection, source: str, genre_ids: Iterable[int]
) -> set[int]:
    """Return the genres that have no shard at this source yet."""
    genre, shard = tables.genre, tables.shard
    is_searched = exists().where(shard.c.genre_id == genre.c.id, shard.c.source == source)
    query = select(genre.c.id).where(_is_one_of(genre.c.id, genre_ids), ~is_searched)
    return set(connection.scalars(query))


def open_shards(connection: Connection, source: str, genre_ids: Iterable[int]) -> list[Shard]:
    shard = tables.shard
    query = select(*(shard.c[name] for name in _FIELDS)).where(
        shard.c.source == source,
        shard.c.status == "open",
        _is_one_of(shard.c.genre_id, genre_ids),
    )
    return [Shard(*row) for row in connection.execute(query)]


def add(
    connection: Connection,
    source: str,
    genre_id: int,
    query: str,
    new: Iterable[NewShard],
    now: datetime,
) -> None:
    rows = [
        {
            "genre_id": genre_id,
            "source": source,
            "query": query,
            "year_from": one.years[0],
            "year_to": one.years[1],
            "first_rank": one.first_rank,
            "head": one.head,
            "next_offset": one.head,
            "promised": one.promised,
            "created_at": now,
        }
        for one in new
    ]
    if rows:
        connection.execute(insert(tables.shard), rows)


def add_roots(
    connection: Connection,
    source: str,
    genre_ids: Iterable[int],
    query_for: Callable[[str], str],
    now: datetime,
) -> None:
    """Add the root shard of each genre, over all years, unless another process did meanwhile.

    `query_for` makes a query of a genre's name as it is now. Genres that are gone are left out.
    """
    bulk.lock_identity_writers(connection)
    genre = tables.genre.c
    wanted = genres_without_shards(connection, source, genre_ids)
    rows = select(genre.id, genre.name).where(genre.id.in_(wanted)).order_by(genre.id)
    for genre_id, name in connection.execute(rows).all():
        add(connection, source, genre_id, query_for(name), [ROOT_SHARD], now)


def sightings_by_year(
    connection: Connection, shard: Shard, origin: str, below_rank: int
) -> dict[int, int]:
    """Count, per release year, an origin's results for a shard's genre at ranks below this one.

    A track on several rows counts as often as it was seen.
    """
    track, sighting = tables.track, tables.sighting
    query = (
        select(track.c.release_year, func.sum(sighting.c.times).label("rows"))
        .join(sighting, sighting.c.track_id == track.c.id)
        .where(
            sighting.c.genre_id == shard.genre_id,
            sighting.c.source == origin,
            sighting.c.best_rank < below_rank,
            track.c.release_year.between(shard.year_from, shard.year_to),
        )
        .group_by(track.c.release_year)
    )
    return {row.release_year: int(row.rows) for row in connection.execute(query)}


def update_cursor(
    connection: Connection, before: Shard, after: Shard, received: int, now: datetime
) -> bool:
    """Move a shard's cursor; False, without a change, if another process moved it first."""
    shard = tables.shard
    moved = connection.execute(
        update(shard)
        .where(*is_unmoved(before))
        .values(
            items=shard.c["items"] + bindparam("received"),  # `.items` is a method
            visited_at=now,
            **{name: getattr(after, name) for name in _CURSOR_COLUMNS},
        ),
        {"received": received},
    )
    return moved.rowcount == 1


def is_unmoved(shard: Shard) -> list[ColumnElement[bool]]:
    """Return the conditions that no other process moved the shard's cursor since."""
    names = ("id", "next_offset", "requests", "status")
    return [tables.shard.c[name] == getattr(shard, name) for name in names]


def due_for_recrawl(
    connection: Connection,
    source: str,
    genre_ids: Collection[int],
    now: datetime,
    recrawl_after: timedelta,
) -> list[Shard]:
    """Return the closed shards of these genres that are due to be read again, for new releases."""
    shard, visited_at = tables.shard, tables.shard.c.visited_at
    closed_shards = select(*(shard.c[name] for name in _FIELDS)).where(
        shard.c.source == source,
        text(tables.CLOSED_SHARDS),
        _is_one_of(shard.c.genre_id, genre_ids),
    )
    query = union_all(  # no index serves a disjunction
        closed_shards.where(visited_at <= now - recrawl_after),
        closed_shards.where(
            shard.c.year_to >= now.year, visited_at <= now - recrawl_after * RECENT_RECRAWL_SHARE
        ),
        closed_shards.where(visited_at > now + CLOCK_TOLERANCE),
    )
    due = {row.id: Shard(*row) for row in connection.execute(query)}
    return list(due.values())


def reopen(connection: Connection, before: Shard) -> None:
    """Reopen a closed shard from its first row on, unless another process did already."""
    shard, after = tables.shard, reopened(before)
    values = {name: getattr(after, name) for name in _CURSOR_COLUMNS}
    connection.execute(update(shard).where(*is_unmoved(before)).values(values))


def missing_years(
    connection: Connection, source: str, genre_ids: Collection[int], this_year: int
) -> list[tuple[int, str, NewShard]]:
    """Return the shards of years that began since genres were split: genre id, query, shard."""
    shard = tables.shard
    whole, part = shard.alias("whole"), shard.alias("part")
    parts = (
        part.c.genre_id == whole.c.genre_id,
        part.c.source == source,
        part.c.query == whole.c.query,
        part.c.year_to < ALL_YEARS[1],
    )
    by_years = select(part.c.year_to).where(*parts).order_by(part.c.year_from.desc())
    last_year = by_years.order_by(part.c.year_to.desc()).limit(1).scalar_subquery()
    first_rank = select(func.min(part.c.first_rank)).where(*parts).scalar_subquery()
    query = select(
        whole.c.genre_id,
        whole.c.query,
        last_year.label("last_year"),
        first_rank.label("first_rank"),
    ).where(
        whole.c.source == source,
        text(f"whole.{tables.WHOLE_SHARDS}"),
        whole.c.status == "split",
        _is_one_of(whole.c.genre_id, genre_ids),
        last_year <= this_year,  # the others need no first rank, for which all parts are read
    )
    return [
        (row.genre_id, row.query, new)
        for row in connection.execute(query)
        if (new := years_added_since(row.last_year, row.first_rank, this_year))
    ]


def is_sighted(connection: Connection, genre_id: int, origin: str) -> bool:
    """Return whether any track was sighted in a genre by an origin."""
    sighting = tables.sighting.c
    query = select(sighting.track_id).where(
        sighting.genre_id == genre_id, sighting.source == origin
    )
    return connection.scalar(query.limit(1)) is not None


def unknown_genres(connection: Connection, source: str, genre_ids: Collection[int]) -> list[str]:
    """Return the genres for which a source has returned nothing at all, by name.

    Also those whose searches are all read, and returned items of other genres only.
    """
    shard, genre, sighting = tables.shard, tables.genre, tables.sighting
    listed = tables.audio_item_genre
    is_listed = exists().where(listed.c.genre_id == genre.c.id, listed.c.source == source)
    is_sighted = exists().where(sighting.c.genre_id == genre.c.id, sighting.c.source == source)
    is_read = and_(func.max(shard.c.status) == "exhausted", ~is_sighted, ~is_listed)
    query = (
        select(genre.c.name)
        .join(shard, shard.c.genre_id == genre.c.id)
        .where(shard.c.source == source, _is_one_of(genre.c.id, genre_ids))
        .group_by(genre.c.id, genre.c.name)
        .having(
            func.min(shard.c.status) == "exhausted", or_(func.sum(shard.c["items"]) == 0, is_read)
        )
        .order_by(genre.c.name)
    )
    return list(connection.scalars(query))


def _is_one_of(column: ColumnElement[int], ids: Iterable[int]) -> ColumnElement[bool]:
    """Return a condition with the ids in its text: PostgreSQL's driver is slow with parameters."""
    return column.in_(
        bindparam("ids", list(ids), unique=True, expanding=True, literal_execute=True)
    )
