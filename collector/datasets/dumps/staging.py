"""A temporary SQLite file in which the tables of a dump are sorted and joined.

Memory stays bounded, because SQLite sorts on disk. Every batch is committed together with the
number of rows that were read, and every join with its name, so that a killed import continues.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from collector.datasets.dumps.archive import DamagedDump
from genrebase.errors import UserError
from genrebase.new_file import naming_the_full_file

CACHE_KIB: Final = 64 * 1024
"""Memory for the pages of the file, and for sorting."""
_NO_SPACE: Final = "database or disk is full"
_TABLES: Final = """
    CREATE TABLE IF NOT EXISTS loaded (
        file TEXT, part TEXT, rows INTEGER NOT NULL, left_out INTEGER NOT NULL,
        is_complete INTEGER NOT NULL, PRIMARY KEY (file, part)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS step (name TEXT PRIMARY KEY) STRICT;
"""


class StagingFile:
    """An open staging file."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    @contextmanager
    def open(cls, path: Path, tables: Sequence[str]) -> Iterator["StagingFile"]:
        """Open the file, or create it with these tables, for this process alone.

        Raises `UserError` if another import has it open, if it is damaged or cannot be written,
        and `OSError` where the disk is full.
        """
        with _naming(path), closing(_connect(path)) as connection:
            staging = cls(path, connection)
            staging.create(tables)
            yield staging
            with suppress(sqlite3.Error):  # the journal is empty now, or the file is closed
                connection.execute("PRAGMA locking_mode = NORMAL")
                connection.execute("PRAGMA journal_mode = DELETE").fetchone()

    def rows_read(self, file: str, part: str) -> int | None:
        """Return how many rows of a part of a file are loaded; None: all of them."""
        query = "SELECT rows, is_complete FROM loaded WHERE file = ? AND part = ?"
        row = self.execute(query, file, part).fetchone()
        return 0 if row is None else None if row[1] else row[0]

    def load(
        self, file: str, part: str, insert: str, rows: Sequence[Sequence[Any]], read: int
    ) -> None:
        """Insert rows, and note that `read` rows more of a part of a file were read.

        Raises `DamagedDump` for a value of another type than its column's.
        """
        before = self._connection.total_changes
        try:
            self._connection.executemany(insert, rows)
        except sqlite3.IntegrityError as error:  # text in a column of numbers
            raise DamagedDump.because(part, error) from error
        left_out = read - (self._connection.total_changes - before)
        self._note(file, part, read, left_out)

    def mark_loaded(self, file: str, part: str) -> None:
        """Note that a part of a file is loaded completely."""
        self._note(file, part, 0, 0, is_complete=True)

    def _note(
        self, file: str, part: str, read: int, left_out: int, *, is_complete: bool = False
    ) -> None:
        self.execute(
            "INSERT INTO loaded VALUES (?, ?, ?, ?, ?) ON CONFLICT (file, part) DO UPDATE SET"
            " rows = rows + excluded.rows, left_out = left_out + excluded.left_out,"
            " is_complete = excluded.is_complete",
            *(file, part, read, left_out, is_complete),
        )
        self._connection.commit()

    def loaded(self) -> dict[str, tuple[int, int]]:
        """Return, by part, how many rows were read, and how many of them were not inserted."""
        query = "SELECT part, sum(rows), sum(left_out) FROM loaded GROUP BY part"
        return {part: (rows, left_out) for part, rows, left_out in self._connection.execute(query)}

    def run_once(self, step: str, work: "Callable[[StagingFile], None]") -> None:
        """Do the work of a step and commit it with its name, unless that was done before."""
        if self.is_done(step):
            return
        self._connection.execute("BEGIN")
        work(self)
        self.execute("INSERT INTO step VALUES (?)", step)
        self._connection.commit()

    def is_done(self, step: str) -> bool:
        """Return whether a step is committed."""
        return self.execute("SELECT 1 FROM step WHERE name = ?", step).fetchone() is not None

    def fact(self, name: str) -> str | None:
        """Return a noted fact, None if there is none."""
        row = self.execute("SELECT value FROM fact WHERE name = ?", name).fetchone()
        return None if row is None else str(row[0])

    def note_fact(self, name: str, value: str) -> None:
        """Note a fact; it replaces the one of that name."""
        self.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", name, value)
        self._connection.commit()

    def execute(self, statement: str, *values: Any) -> "sqlite3.Cursor":
        """Run one statement; the caller's step commits it."""
        return self._connection.execute(statement, values)

    def run_script(self, script: str) -> None:
        """Run statements that are separated by semicolons; the caller's step commits them."""
        for statement in script.split(";"):
            self._connection.execute(statement)

    def note_known(self, ids: Iterable[str]) -> None:
        """Note the ids that are stored in the database, once."""
        self.run_once("known", lambda _: self._create_known(ids))

    def _create_known(self, ids: Iterable[str]) -> None:
        self.execute("CREATE TABLE known (gid TEXT PRIMARY KEY) WITHOUT ROWID, STRICT")
        self.execute_many("INSERT OR IGNORE INTO known VALUES (?)", ((one,) for one in ids))

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each of these rows; the caller's step commits it."""
        self._connection.executemany(statement, rows)

    def clear(self, tables: Sequence[str]) -> None:
        """Drop everything, and create these tables again."""
        self._connection.execute("BEGIN")  # a kill leaves all tables or none
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        for (name,) in self._connection.execute(query).fetchall():
            self._connection.execute(f"DROP TABLE {name}")
        self._connection.commit()
        self.create(tables)

    def create(self, tables: Sequence[str]) -> None:
        """Create the tables that are missing."""
        self._connection.executescript(_TABLES)
        for table in tables:
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table} STRICT")
        self._connection.commit()

    def facts(self, prefix: str) -> dict[str, str]:
        """Return the noted facts whose names begin with `prefix`, by the rest of their names."""
        rows = self._connection.execute("SELECT name, value FROM fact").fetchall()
        return {
            name.removeprefix(prefix): value for name, value in rows if name.startswith(prefix)
        }

    def delete(self) -> None:
        """Close and delete the file."""
        self._connection.close()
        delete(self.path)


def delete(path: Path) -> None:
    """Delete a staging file that nobody has open."""
    for suffix in ("", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=0)
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.execute("PRAGMA temp_store = FILE")
    with suppress(sqlite3.Error):  # deprecated: without it, SQLite sorts in the system's folder
        folder = str(path.parent.absolute()).replace("'", "''")
        connection.execute(f"PRAGMA temp_store_directory = '{folder}'")
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("BEGIN EXCLUSIVE")  # takes the lock, which stays until it is closed
    connection.commit()
    return connection


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Translate errors of SQLite; name the file where its disk is full."""
    try:
        with naming_the_full_file(path):
            yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise UserError(
                f"Another import of this dump is running: it uses {path}. Wait until it ends."
            ) from error
        if _NO_SPACE in str(error):
            raise UserError(
                f"The disk of {path} is full. The tables of the dump are joined there: make "
                "space or choose another folder with --work-dir, and run the command again."
            ) from error
        raise UserError(f"{path} cannot be written ({error}): use --work-dir.") from error
    except sqlite3.DatabaseError as error:
        raise UserError(
            f"{path} is damaged ({error}): delete it and run the command again."
        ) from error
