"""Read SQLite files; every table and view is a table."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote_from_bytes

from collector.datasets.formats.table import (
    BrokenRow,
    DamagedFile,
    DatasetReader,
    NotADataset,
    Row,
    TableEntry,
    as_text,
    without_headers,
)
from genrebase.errors import as_clause

_OWN: Final = frozenset({"sighting", "track_alias", "job_run"})
"""A database with these tables is one of this software."""
_NAMES: Final = (
    "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
    "AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY rowid"
)


class SqliteTable(DatasetReader):
    """One table or view of a SQLite file."""

    def __init__(self, connection: sqlite3.Connection, table: str, name: str) -> None:
        """Read the columns and the number of rows."""
        self._connection, self._name = connection, name
        quoted = '"' + table.replace('"', '""') + '"'
        self._query = f"SELECT * FROM {quoted}"  # noqa: S608 - the name is quoted
        try:
            description = connection.execute(f"{self._query} LIMIT 0").description
            [(self.row_count,)] = connection.execute(f"SELECT COUNT(*) FROM ({self._query})")  # noqa: S608 - as above
        except sqlite3.Error as error:
            raise NotADataset(
                f"The table {table!r} of {name} cannot be read: {as_clause(error)}."
            ) from error
        self.header = [column[0].strip() for column in description]

    def rows(self) -> Iterator[Row | BrokenRow]:
        try:
            with closing(self._connection.execute(self._query)) as cursor:
                rows = ([as_text(value) for value in row] for row in cursor)
                yield from without_headers(self.header, rows)
        except sqlite3.Error as error:
            raise DamagedFile.because(self._name, error) from error


def tables(path: Path, name: str, stack: ExitStack) -> list[TableEntry]:
    """Return the tables of a SQLite file, which is opened read-only while `stack` is open.

    Raises `NotADataset` if it cannot be read, or is a database of this software.
    """
    address = f"file:{quote_from_bytes(bytes(path.absolute()))}?mode=ro"
    try:
        connection = stack.enter_context(closing(sqlite3.connect(address, uri=True)))
        connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        names = [str(row[0]) for row in connection.execute(_NAMES)]
    except sqlite3.Error as error:
        raise NotADataset(
            f"{name} is a SQLite file that cannot be read: {as_clause(error)}."
        ) from error
    if set(names) >= _OWN:
        raise NotADataset(
            f"{name} is a database of genrebase, not a dataset: copy it with `genrebase copy`."
        )
    if not names:
        raise NotADataset(f"{name} is a SQLite file without tables.")
    return [
        TableEntry("" if len(names) == 1 else table, partial(SqliteTable, connection, table, name))
        for table in names
    ]
