"""The crawl, as the database remembers it: shards, their cursors, and how far each genre is."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, func, insert, select, update

from collector.planning import ALL_YEARS, Need, Shard
from genrebase.store import tables

_FIELDS: Final = tuple(Shard.__slots__)


def needs(connection: Connection, genres: Sequence[str] = ()) -> dict[int, Need]:
    """Return how far every genre with a target is that is not paused, or of these only."""
    genre, track = tables.genre, tables.track
    counted = (
        select(track.c.genre_id, func.count().label("tracks"))
        .group_by(track.c.genre_id)
        .subquery()
    )
    query = (
        select(genre.c.id, genre.c.name, genre.c.target, func.coalesce(counted.c.tracks, 0))
        .outerjoin(counted, counted.c.genre_id == genre.c.id)
        .where(genre.c.target.is_not(None), ~genre.c.paused)
    )
    if genres:
        query = query.where(genre.c.name.in_(genres))
    return {
        genre_id: Need(name, target, tracks)
        for genre_id, name, target, tracks in connection.execute(query)
    }


def missing_roots(connection: Connection, source: str, genre_ids: Iterable[int]) -> set[int]:
    """Return the genres that have no shard at this source yet."""
    shard = tables.shard
    known = select(shard.c.genre_id).where(shard.c.source == source).distinct()
    return set(genre_ids) - set(connection.scalars(known))


def open_shards(connection: Connection, source: str, genre_ids: Iterable[int]) -> list[Shard]:
    """Return the open shards of these genres at a source."""
    shard = tables.shard
    query = select(*(shard.c[name] for name in _FIELDS)).where(
        shard.c.source == source, shard.c.status == "open", shard.c.genre_id.in_(list(genre_ids))
    )
    return [Shard(*row) for row in connection.execute(query)]


def add(
    connection: Connection,
    source: str,
    new: Sequence[tuple[int, str, tuple[int, int], int]],
    now: datetime,
) -> None:
    """Add shards: (genre id, query, years, rank of their first row)."""
    if new:
        connection.execute(
            insert(tables.shard),
            [
                {
                    "genre_id": genre_id,
                    "source": source,
                    "query": query,
                    "year_from": years[0],
                    "year_to": years[1],
                    "first_rank": first_rank,
                    "created_at": now,
                }
                for genre_id, query, years, first_rank in new
            ],
        )


def add_roots(
    connection: Connection, source: str, queries: Iterable[tuple[int, str]], now: datetime
) -> None:
    """Add the first shard of each genre: its query over all years."""
    add(connection, source, [(genre_id, query, ALL_YEARS, 0) for genre_id, query in queries], now)


def move(
    connection: Connection, before: Shard, after: Shard, received: int, now: datetime
) -> bool:
    """Move a shard's cursor; False, and nothing changed, where another process moved it first."""
    shard = tables.shard
    moved = connection.execute(
        update(shard)
        .where(
            shard.c.id == before.id,
            shard.c.next_offset == before.next_offset,
            shard.c.requests == before.requests,
            shard.c.status == before.status,
        )
        .values(
            next_offset=after.next_offset,
            status=after.status,
            requests=after.requests,
            items=shard.c["items"] + bindparam("received"),  # `.items` is a method
            tracks_new=after.tracks_new,
            dry_pages=after.dry_pages,
            empty_pages=after.empty_pages,
            visited_at=now,
        ),
        {"received": received},
    )
    return moved.rowcount == 1
