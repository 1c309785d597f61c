"""Which fine genre belongs to which broad one; several mappings stand side by side."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from genrebase.store import tables, views

_row = tables.genre_mapping


@dataclass(frozen=True, slots=True)
class MappingSummary:
    """A mapping in numbers."""

    mapping: str
    fine: int
    broad: int


def add_missing(connection: Connection, mapping: str, broad_of: Mapping[str, str]) -> None:
    """Add what a mapping does not say yet; what it says stays."""
    known = set(connection.scalars(select(_row.c.fine).where(_row.c.mapping == mapping)))
    _add(
        connection,
        mapping,
        {fine: broad for fine, broad in broad_of.items() if fine not in known},
    )


def replace(connection: Connection, mapping: str, broad_of: Mapping[str, str]) -> None:
    """Make a mapping say this and nothing else."""
    remove(connection, mapping)
    _add(connection, mapping, broad_of)


def remove(connection: Connection, mapping: str) -> int:
    """Delete a mapping; return how many genres it knew."""
    return connection.execute(delete(_row).where(_row.c.mapping == mapping)).rowcount


def summaries(connection: Connection) -> list[MappingSummary]:
    """Return all mappings, by name."""
    said = views.genre_mappings.c
    query = (
        select(
            said.mapping,
            func.count().label("fine"),
            func.count(said.broad.distinct()).label("broad"),
        )
        .group_by(said.mapping)
        .order_by(said.mapping)
    )
    return [MappingSummary(row.mapping, row.fine, row.broad) for row in connection.execute(query)]


def unmapped(connection: Connection, mapping: str) -> list[str]:
    """Return the genres of the database that a mapping does not name, by name."""
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
    new = [{"mapping": mapping, "fine": fine, "broad": broad} for fine, broad in broad_of.items()]
    if new:
        connection.execute(insert(_row), new)
