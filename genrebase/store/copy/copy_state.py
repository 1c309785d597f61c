"""What a database says of itself while, and after, another was copied into it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, delete, insert, inspect, select

from genrebase.store import tables
from genrebase.store.engine import Connection

_mark: Final = Table(
    "copy_state",
    MetaData(),  # not of the schema: only a database that something was copied into has it
    Column("table_name", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("rows", BigInteger),
    Column("checksum", Text),
)


@dataclass(frozen=True, slots=True)
class CopyState:
    """What was copied into a database."""

    source: str
    """The address of the database that was copied."""
    checksums: Mapping[str, str | None]
    """Per table what it held when the copy was complete; None while it was not."""

    @property
    def is_complete(self) -> bool:
        """Whether the copy came to its end."""
        return all(self.checksums.values())


def read(connection: Connection) -> CopyState | None:
    """Return what was copied into this database; None where nothing was."""
    if not inspect(connection).has_table(_mark.name):
        return None
    rows = connection.execute(select(_mark)).all()
    if not rows:
        return None
    return CopyState(rows[0].source, {row.table_name: row.checksum for row in rows})


def start(connection: Connection, source: str) -> None:
    """Write down that a copy of `source` is under way."""
    _mark.create(connection, checkfirst=True)
    connection.execute(delete(_mark))
    names = [table.name for table in tables.metadata.sorted_tables]
    connection.execute(insert(_mark), [{"table_name": name, "source": source} for name in names])


def finish(connection: Connection, source: str, held: Mapping[str, tuple[int, str]]) -> None:
    """Write down what every table holds: (rows, checksum)."""
    connection.execute(delete(_mark))
    connection.execute(
        insert(_mark),
        [
            {"table_name": name, "source": source, "rows": rows, "checksum": checksum}
            for name, (rows, checksum) in held.items()
        ],
    )


def remove(connection: Connection) -> None:
    """Forget that something was copied into this database."""
    _mark.drop(connection, checkfirst=True)
