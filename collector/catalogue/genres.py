"""Genres: targets, playlists, renaming, merging and removal. A name is the search term."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, text, update

from collector.catalogue import genre_counters, import_sightings, sightings, track_claims
from genrebase.digests import store as digests
from genrebase.store import bulk, tables
from genrebase.store.names import normalise

_genre = tables.genre

_MOVE_PLAYLISTS: Final = text("""
    INSERT INTO genre_playlist (genre_id, playlist_id, snapshot_id)
    SELECT :into, playlist_id, NULL FROM genre_playlist WHERE genre_id = :merged
    ON CONFLICT DO NOTHING
""")
_MOVE_ITEMS: Final = text("""
    INSERT INTO audio_item_genre (source, item_id, genre_id, position)
    SELECT source, item_id, :into, position FROM audio_item_genre WHERE genre_id = :merged
    ON CONFLICT DO NOTHING
""")
_COPY_MAPPINGS: Final = text("""
    INSERT INTO genre_mapping (mapping, fine, broad)
    SELECT mapping, :into, broad FROM genre_mapping WHERE fine = :merged
    ON CONFLICT DO NOTHING
""")
_MODEL_REFERENCES: Final = (
    (tables.prediction, ("genre_id",)),
    (tables.model_metric, ("genre_id",)),
    (tables.confusion, ("genre_id", "predicted_id")),
    (tables.feature_importance, ("genre_id",)),
)
"""Tables and columns of models that refer to genres."""


@dataclass(frozen=True, slots=True)
class Genre:
    """A stored genre."""

    id: int
    name: str
    target: int | None
    """Unique tracks to collect; None for a genre that only imports fill."""
    paused: bool
    sightings: int
    tracks: int
    """Unique tracks that count for it."""
    playlists: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GenreReferences:
    """Rows that refer to a genre."""

    verdicts: int
    predictions: int
    metrics: int


def ensure(connection: Connection, names: Iterable[str], now: datetime) -> dict[str, int]:
    """Return the ids of these genres, adding those that are missing (without a target)."""
    wanted = set(names)
    rows = bulk.rows_of(connection, "genre", "name", sorted(wanted), ("name", "id"))
    ids = dict(map(tuple, rows))
    new = sorted(wanted - ids.keys())
    if new:
        moment = tables.as_driver_datetime(now, connection.dialect.name)
        mark = "%s" if connection.dialect.name == "postgresql" else "?"
        connection.exec_driver_sql(  # another import may be adding the same
            f"INSERT INTO genre (name, created_at) VALUES ({mark}, {mark}) ON CONFLICT DO NOTHING",
            [(name, moment) for name in new],
        )
        return ensure(connection, wanted, now)
    return {name: ids[name] for name in wanted}


def ids_by_name(connection: Connection) -> dict[str, int]:
    """Return the ids of all genres by their names."""
    rows = connection.execute(select(_genre.c.name, _genre.c.id).order_by(_genre.c.name))
    return {row.name: row.id for row in rows}


def by_normalised_name(connection: Connection) -> dict[str, str]:
    """Return the names of all genres by their normalised names, with which tags are compared."""
    return {normalise(name): name for name in ids_by_name(connection)}


def list_genres(connection: Connection) -> list[Genre]:
    """Return all genres, by name."""
    playlist = tables.genre_playlist.c
    query = select(playlist.genre_id, playlist.playlist_id).order_by(playlist.playlist_id)
    bound = bulk.grouped(connection.execute(query))
    columns = (_genre.c[name] for name in Genre.__slots__ if name != "playlists")
    rows = connection.execute(select(*columns).order_by(_genre.c.name)).mappings()
    return [Genre(**row, playlists=tuple(bound.get(row["id"], ()))) for row in rows]


def set_targets(connection: Connection, names: Iterable[str], target: int, now: datetime) -> None:
    """Give genres a target, adding those that are missing."""
    bulk.lock_identity_writers(connection)
    for genre_id in ensure(connection, names, now).values():
        set_values(connection, genre_id, target=target)


def set_values(connection: Connection, genre_id: int, **values: object) -> None:
    """Change the target, the pause or the name of a genre."""
    connection.execute(update(_genre).where(_genre.c.id == genre_id).values(values))
    digests.discard(connection, views_named=["genre_progress"])


def bind_playlists(connection: Connection, genre_id: int, playlist_ids: Iterable[str]) -> None:
    row = tables.genre_playlist
    bound = set(connection.scalars(select(row.c.playlist_id).where(row.c.genre_id == genre_id)))
    for playlist_id in dict.fromkeys(playlist_ids):
        if playlist_id not in bound:
            values = {"genre_id": genre_id, "playlist_id": playlist_id}
            connection.execute(insert(row).values(values))


def rename(connection: Connection, genre_id: int, old: str, new: str) -> None:
    """Rename a genre; its shards, which search for the old name, are dropped.

    Ties between claims are broken by name, too, so tied claims are recomputed.
    """
    set_values(connection, genre_id, name=new)
    digests.discard(connection)
    _copy_mappings(connection, old, new)
    connection.execute(delete(tables.shard).where(tables.shard.c.genre_id == genre_id))
    track_claims.recompute_tied(connection)


def merge(connection: Connection, merged: Genre, into: Genre) -> None:
    """Merge a genre into another: its sightings, verdicts, predictions and playlists move.

    Its shards and the metrics that models have for it are deleted with it.
    """
    bulk.lock_identity_writers(connection)
    ids = {"merged": merged.id, "into": into.id}
    sighted = _sighted_tracks(connection, merged.id)
    sightings.merge_genres(connection, merged.id, into.id)
    import_sightings.merge_genres(connection, merged.id, into.id)
    connection.execute(_MOVE_PLAYLISTS, ids)
    connection.execute(_MOVE_ITEMS, ids)
    for table in (tables.verdict, tables.prediction):
        moves = update(table).where(table.c.genre_id == merged.id)
        connection.execute(moves.values(genre_id=into.id))
    _copy_mappings(connection, merged.name, into.name)
    _drop(connection, merged.id)
    genre_counters.recount(connection, [into.id])
    track_claims.recompute(connection, sighted)
    track_claims.recompute_tied(connection)


def remove(connection: Connection, genre_id: int) -> None:
    """Remove a genre with its sightings and shards; its tracks get another claim, or none."""
    bulk.lock_identity_writers(connection)
    sighted = _sighted_tracks(connection, genre_id)
    _drop(connection, genre_id)
    track_claims.recompute(connection, sighted)


def references(connection: Connection, genre_id: int) -> GenreReferences:
    """Count the rows that refer to a genre and would be deleted with it."""
    verdicts = _count(connection, tables.verdict.c.genre_id == genre_id)
    counts = [
        _count(connection, *(table.c[column] == genre_id for column in columns))
        for table, columns in _MODEL_REFERENCES
    ]
    return GenreReferences(verdicts, counts[0], sum(counts[1:]))


def _count(connection: Connection, *conditions: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).where(or_(*conditions))) or 0


def _drop(connection: Connection, genre_id: int) -> None:
    track = tables.track
    unclaimed = update(track).where(track.c.genre_id == genre_id)
    connection.execute(unclaimed.values(genre_id=None, claim_tied=False))
    connection.execute(delete(_genre).where(_genre.c.id == genre_id))
    digests.discard(connection)


def _sighted_tracks(connection: Connection, genre_id: int) -> list[int]:
    sighting = tables.sighting
    under = select(sighting.c.track_id).where(sighting.c.genre_id == genre_id).distinct()
    return list(connection.scalars(under.order_by(sighting.c.track_id)))


def _copy_mappings(connection: Connection, old: str, new: str) -> None:
    connection.execute(_COPY_MAPPINGS, {"merged": old, "into": new})
