"""Genres: what is asked for, byte for byte."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, insert, select

from genrebase.store import tables


def ensure(connection: Connection, names: Iterable[str], now: datetime) -> dict[str, int]:
    """Return the ids of these genres, making those that are not there (without a target)."""
    genre = tables.genre
    wanted = set(names)
    ids = {row.name: row.id for row in connection.execute(select(genre.c.id, genre.c.name))}
    new = sorted(wanted - ids.keys())
    if new:
        connection.execute(insert(genre), [{"name": name, "created_at": now} for name in new])
        return ensure(connection, wanted, now)
    return {name: ids[name] for name in wanted}
