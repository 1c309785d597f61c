"""Playlists bound to genres: their shards, which are due, and the version last read."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from collector.catalogue import shards
from collector.shard import ROOT_SHARD, Shard
from genrebase.store import bulk, tables

_bound = tables.genre_playlist.c
_shard = tables.shard.c


def without_shard(
    connection: Connection, source: str, genre_ids: Collection[int]
) -> list[tuple[int, str]]:
    """Return the playlists of these genres that have no shard yet: (genre id, playlist id)."""
    ours = and_(
        _shard.source == source,
        _shard.genre_id == _bound.genre_id,
        _shard.query == _bound.playlist_id,
    )
    query = (
        select(_bound.genre_id, _bound.playlist_id)
        .outerjoin(tables.shard, ours)
        .where(_bound.genre_id.in_(genre_ids), _shard.id.is_(None))
        .order_by(_bound.genre_id, _bound.playlist_id)
    )
    return [(genre_id, playlist_id) for genre_id, playlist_id in connection.execute(query)]


def add_shards(
    connection: Connection, source: str, genre_ids: Collection[int], now: datetime
) -> None:
    """Add a shard for each playlist of these genres that has none."""
    bulk.lock_identity_writers(connection)  # another process may be doing the same
    for genre_id, playlist_id in without_shard(connection, source, genre_ids):
        shards.add(connection, source, genre_id, playlist_id, [ROOT_SHARD], now)


def due(
    connection: Connection, source: str, genre_ids: Collection[int], read_before: datetime
) -> list[Shard]:
    """Return the shards of these genres' playlists that are open, or were read before a time."""
    still_bound = and_(_shard.genre_id == _bound.genre_id, _shard.query == _bound.playlist_id)
    query = (
        select(*(tables.shard.c[name] for name in Shard.__slots__))
        .join(tables.genre_playlist, still_bound)
        .where(
            _shard.source == source,
            _shard.genre_id.in_(genre_ids),
            or_(
                _shard.status == "open",
                and_(_shard.status == "exhausted", _shard.visited_at < read_before),
            ),
        )
        .order_by(_shard.genre_id, _shard.id)
    )
    return [Shard(*row) for row in connection.execute(query)]


def stored_version(connection: Connection, genre_id: int, playlist_id: str) -> str | None:
    """Return the version of a playlist whose reading began last."""
    query = select(_bound.snapshot_id).where(*_is(genre_id, playlist_id))
    version: str | None = connection.scalar(query)
    return version


def set_version(connection: Connection, genre_id: int, playlist_id: str, version: str) -> None:
    """Store which version of a playlist is being read."""
    bound = update(tables.genre_playlist).where(*_is(genre_id, playlist_id))
    connection.execute(bound.values(snapshot_id=version))


def _is(genre_id: int, playlist_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _bound.genre_id == genre_id, _bound.playlist_id == playlist_id
