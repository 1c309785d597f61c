"""Sources of labels and features, one row per origin and provider, with their licences."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from genrebase import licences
from genrebase.store import tables

_source = tables.data_source


def ensure(connection: Connection, name: str, licence: str | None, now: datetime) -> str:
    """Store a source that is new, or whose licence was unknown; return its licence.

    `licence` is what the source states; None: the one that is known of it, if any. A licence that
    is stored stays.
    """
    licence = licence or licences.of_source(name)
    stored = connection.scalar(select(_source.c.licence).where(_source.c.name == name))
    if stored is None:
        values = {"name": name, "licence": licence, "noted_at": now}
        connection.execute(insert(_source).values(values))
        return licence
    if stored == licences.UNKNOWN != licence:
        set_licence(connection, name, licence)
        return licence
    return str(stored)


def set_licence(connection: Connection, name: str, licence: str) -> None:
    """Set the licence of a stored source."""
    connection.execute(update(_source).where(_source.c.name == name).values(licence=licence))
