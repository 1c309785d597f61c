"""Vocabularies: lists of genre names that sources or people know, apart from those collected."""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select

from genrebase.store import bulk, tables

_row = tables.vocabulary


def replace(connection: Connection, source: str, names: Iterable[str]) -> None:
    connection.execute(delete(_row).where(_row.c.source == source))
    rows = [(source, name) for name in sorted(set(names))]
    bulk.insert(connection, _row, ("source", "name"), rows)


def names(connection: Connection, source: str | None = None) -> list[str]:
    """Return the names of a source's vocabulary, or of all, each once, in order."""
    query = select(_row.c.name).distinct().order_by(_row.c.name)
    return list(
        connection.scalars(query if source is None else query.where(_row.c.source == source))
    )
