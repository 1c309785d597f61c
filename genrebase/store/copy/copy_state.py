"""The table `copy_state` of a copy's target: from which database it was copied, and how far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, delete, insert, inspect, select

from genrebase.store.copy.rows import TableDigest, copied_tables
from genrebase.store.engine import Connection

_copy_state: Final = Table(
    "copy_state",
    MetaData(),  # not part of the schema: only the target of a copy has it
    Column("table_name", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("rows", BigInteger),
    Column("checksum", Text),
)


@dataclass(frozen=True, slots=True)
class CopyState:
    """The copy that a database is the target of."""

    source: str
    """The URL of the copied database, without credentials."""
    checksums: Mapping[str, str | None]
    """Per table the checksum when the copy was complete; None before."""

    @property
    def is_complete(self) -> bool:
        """Whether the copy was completed."""
        return all(self.checksums.values())


def read(connection: Connection) -> CopyState | None:
    """Return the state of the copy into this database; None where there was none."""
    if not inspect(connection).has_table(_copy_state.name):
        return None
    rows = connection.execute(select(_copy_state)).all()
    if not rows:
        return None
    return CopyState(rows[0].source, {row.table_name: row.checksum for row in rows})


def write(connection: Connection, source: str, digests: Sequence[TableDigest] = ()) -> None:
    """Record that a copy of `source` started or, given all digests, was completed."""
    _copy_state.create(connection, checkfirst=True)
    connection.execute(delete(_copy_state))
    rows = [{"table_name": name, "source": source} for name in map(str, copied_tables())]
    connection.execute(insert(_copy_state), rows)
    for digest in digests:
        row = _copy_state.update().where(_copy_state.c.table_name == digest.table)
        connection.execute(row.values(rows=digest.rows, checksum=digest.checksum))


def remove(connection: Connection) -> None:
    """Drop the table, if there is one."""
    _copy_state.drop(connection, checkfirst=True)
