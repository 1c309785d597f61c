"""Back a database up into one SQLite file, while other processes write to it.

SQLite's online backup API saves a SQLite database page by page; a PostgreSQL database is copied in
one snapshot. The file gets its final name only once it is complete and checked.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from genrebase.errors import UserError
from genrebase.store import schema_revision
from genrebase.store.copy import CopyProgress, copy_database, copy_state, snapshots
from genrebase.store.copy.rows import row_counts
from genrebase.store.engine import Engine, read_transaction, transaction
from genrebase.store.errors import StoreError


class BackupFileExists(UserError):
    """A backup never replaces a file."""


@dataclass(frozen=True, slots=True)
class BackupResult:
    """A complete and checked backup."""

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
    """Save the database as it is now as `file`, a SQLite database of its own.

    Raises `BackupFileExists` or `UserError` before anything is written, `StoreError` for a backup
    that fails its check (it is deleted).
    """
    schema_revision.check_revision(engine)
    if file.exists():
        raise BackupFileExists(f"{file} exists, and a backup never replaces a file.")
    if not file.parent.is_dir():
        raise UserError(f"There is no folder {file.parent} for the backup.")
    partial = file.with_name(f"{file.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        rows = _save(engine, partial, on_progress)
        _check(partial, rows)
        _publish(partial, file)
    except OSError as error:
        raise StoreError(f"The backup cannot be written: {error}.") from error
    finally:
        for suffix in ("", "-journal", "-wal", "-shm"):
            partial.with_name(f"{partial.name}{suffix}").unlink(missing_ok=True)
    name = snapshots.display_url(engine)
    return BackupResult(name, file, file.stat().st_size, sum(rows.values()), rows)


def _save(
    engine: Engine, partial: Path, on_progress: Callable[[CopyProgress], None]
) -> dict[str, int]:
    """Write the file; return how many rows each table had at that moment."""
    if engine.dialect.name == "sqlite":
        with read_transaction(engine) as connection:
            rows = row_counts(connection)
            snapshots.save(connection, partial)
    else:
        with snapshots.open_file(partial) as saved:
            result = copy_database(engine, saved, on_progress)
        rows = {digest.table: digest.rows for digest in result.tables}
    with snapshots.open_file(partial) as saved, transaction(saved) as connection:
        copy_state.remove(connection)  # it concerns only the database it was written to
    return rows


def _check(partial: Path, expected: dict[str, int]) -> None:
    with snapshots.open_file(partial) as saved:
        schema_revision.check_revision(saved)
        with read_transaction(saved) as connection:
            integrity = connection.exec_driver_sql("PRAGMA integrity_check").scalars()
            problems = [message for message in integrity if message != "ok"]
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").scalars()
            problems += sorted({f"{table} refers to missing rows" for table in broken})
            rows = row_counts(connection)
    problems += [
        f"{name}: {rows[name]} rows of {count}"
        for name, count in expected.items()
        if rows[name] != count
    ]
    if problems:
        raise StoreError(f"The backup failed its check and was deleted: {'; '.join(problems)}.")


def _publish(partial: Path, file: Path) -> None:
    """Give the complete file its name, unless another file has taken it meanwhile."""
    with partial.open("rb") as saved:
        os.fsync(saved.fileno())
    try:
        file.hardlink_to(partial)  # unlike a rename it never replaces a file
    except FileExistsError:
        raise BackupFileExists(f"{file} was created while the backup was made.") from None
    except OSError:  # a file system without hard links
        partial.rename(file)
