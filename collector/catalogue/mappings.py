"""Which fine genre belongs to which broad one; several mappings stand side by side."""

from collections.abc import Mapping

from sqlalchemy import Connection, insert, select

from genrebase.store import tables


def learn(connection: Connection, mapping: str, broad_of: Mapping[str, str]) -> None:
    """Add what a mapping does not say yet; what it says stays."""
    row = tables.genre_mapping
    known = set(connection.scalars(select(row.c.fine).where(row.c.mapping == mapping)))
    new = [
        {"mapping": mapping, "fine": fine, "broad": broad}
        for fine, broad in broad_of.items()
        if fine not in known
    ]
    if new:
        connection.execute(insert(row), new)
