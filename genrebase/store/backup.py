"""Backing a database up into one SQLite file, while others go on writing to it.

SQLite's own online backup saves a SQLite database page by page; a PostgreSQL database is copied in
one snapshot. The file gets its name only once it is complete and checked.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, func, select

from genrebase.errors import UserError
from genrebase.store import schema, tables
from genrebase.store.copy import CopyProgress, copy_database, copy_state, snapshots
from genrebase.store.engine import Connection, Engine, make_engine, read_transaction, transaction
from genrebase.store.errors import StoreError


class BackupFileExists(UserError):
    """A backup never takes the place of a file."""


@dataclass(frozen=True, slots=True)
class BackupResult:
    """A backup that was made and checked."""

    source: str
    file: Path
    bytes: int
    rows: int
    """Rows of all tables."""
    tables: dict[str, int]
    """Rows per table."""


def backup(
    engine: Engine, file: Path, on_progress: Callable[[CopyProgress], None] = lambda _: None
) -> BackupResult:
    """Save the database as it is now into `file`, a SQLite database of its own.

    Raises `BackupFileExists` or `UserError` before anything is written, `StoreError` for a backup that
    does not pass its check (it is removed).
    """
    schema.check_revision(engine)
    if file.exists():
        raise BackupFileExists(f"{file} exists, and a backup never takes the place of a file.")
    if not file.parent.is_dir():
        raise UserError(f"There is no folder {file.parent} to put a backup into.")
    partial = file.with_name(f"{file.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        made = _save(engine, partial, on_progress)
        _check(partial, made)
        _name(partial, file)
    except OSError as error:
        raise StoreError(f"The backup cannot be written: {error}.") from error
    finally:
        for leftover in ("", "-journal", "-wal", "-shm"):
            partial.with_name(f"{partial.name}{leftover}").unlink(missing_ok=True)
    return BackupResult(
        snapshots.display_url(engine), file, file.stat().st_size, sum(made.values()), made
    )


def _save(
    engine: Engine, partial: Path, advance: Callable[[CopyProgress], None]
) -> dict[str, int]:
    """Write the file; return how many rows each table had at that moment."""
    if engine.dialect.name == "sqlite":
        with read_transaction(engine) as connection:
            counted = _counts(connection)
            snapshots.save(connection, partial)
        _forget_copies(partial)
        return counted
    saved = make_engine(_url(partial))
    try:
        copied = copy_database(engine, saved, advance)
    finally:
        saved.dispose()
    _forget_copies(partial)
    return {one.table: one.rows for one in copied.tables}


def _forget_copies(partial: Path) -> None:
    """Leave out what only concerned the database that a copy went into."""
    saved = make_engine(_url(partial))
    try:
        with transaction(saved) as connection:
            copy_state.remove(connection)
    finally:
        saved.dispose()


def _check(partial: Path, expected: dict[str, int]) -> None:
    saved = make_engine(_url(partial))
    try:
        schema.check_revision(saved)
        with read_transaction(saved) as connection:
            problems = [
                str(row[0])
                for row in connection.exec_driver_sql("PRAGMA integrity_check")
                if row[0] != "ok"
            ]
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            problems += sorted({f"{row[0]} refers to nothing" for row in broken})
            found = _counts(connection)
    finally:
        saved.dispose()
    problems += [
        f"{name}: {found[name]} rows of {rows}"
        for name, rows in expected.items()
        if found[name] != rows
    ]
    if problems:
        raise StoreError(f"The backup is not sound, and was removed: {'; '.join(problems)}.")


def _counts(connection: Connection) -> dict[str, int]:
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in tables.metadata.sorted_tables
    }


def _name(partial: Path, file: Path) -> None:
    """Give the complete file its name, unless somebody has taken it meanwhile."""
    with partial.open("rb") as saved:
        os.fsync(saved.fileno())
    try:
        file.hardlink_to(partial)  # unlike a rename it never replaces a file
    except FileExistsError:
        raise BackupFileExists(f"{file} came to be while the backup was made.") from None
    except OSError:  # a file system without links
        partial.rename(file)


def _url(file: Path) -> URL:
    return URL.create("sqlite", database=str(file))
