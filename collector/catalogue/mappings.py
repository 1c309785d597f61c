"""Genre mappings: named tables of fine genres and the broad genre of each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from genrebase.digests import store as digests
from genrebase.store import bulk, tables, views

_row = tables.genre_mapping


@dataclass(frozen=True, slots=True)
class MappingSummary:
    """The number of genres of a mapping."""

    mapping: str
    fine: int
    broad: int


def add_missing(connection: Connection, mapping: str, broad_of: Mapping[str, str]) -> list[str]:
    """Add fine genres that a mapping does not hold yet; the others keep their broad genre.

    Returns the added fine genres.
    """
    existing = set(connection.scalars(select(_row.c.fine).where(_row.c.mapping == mapping)))
    missing = {fine: broad for fine, broad in broad_of.items() if fine not in existing}
    _add(connection, mapping, missing)
    return list(missing)


def replace(connection: Connection, mapping: str, broad_of: Mapping[str, str]) -> None:
    remove(connection, mapping)
    _add(connection, mapping, broad_of)


def remove(connection: Connection, mapping: str) -> int:
    """Delete a mapping; return how many fine genres it held."""
    digests.discard(
        connection, views_named=["genre_mappings"]
    )  # no job runs, and no time is stored
    return connection.execute(delete(_row).where(_row.c.mapping == mapping)).rowcount


def remove_fine(connection: Connection, mapping: str, fine: Collection[str]) -> None:
    """Delete these fine genres of a mapping."""
    connection.execute(delete(_row).where(_row.c.mapping == mapping, _row.c.fine.in_(fine)))


def summaries(connection: Connection) -> list[MappingSummary]:
    """Return all mappings, by name."""
    mapping_view = views.genre_mappings.c
    query = (
        select(
            mapping_view.mapping,
            func.count().label("fine"),
            func.count(mapping_view.broad.distinct()).label("broad"),
        )
        .group_by(mapping_view.mapping)
        .order_by(mapping_view.mapping)
    )
    return [MappingSummary(row.mapping, row.fine, row.broad) for row in connection.execute(query)]


def unmapped(connection: Connection, mapping: str) -> list[str]:
    """Return the genres of the database that are in no column of a mapping, by name."""
    genre = tables.genre
    named = select(_row.c.fine).where(_row.c.mapping == mapping)
    groups = select(_row.c.broad).where(_row.c.mapping == mapping)
    query = (
        select(genre.c.name)
        .where(genre.c.name.not_in(named), genre.c.name.not_in(groups))
        .order_by(genre.c.name)
    )
    return list(connection.scalars(query))


def _add(connection: Connection, mapping: str, broad_of: Mapping[str, str]) -> None:
    rows = [(mapping, fine, broad) for fine, broad in sorted(broad_of.items())]
    bulk.upsert(connection, _row, ("mapping", "fine", "broad"), rows)
