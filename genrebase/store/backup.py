"""Back a database up into one SQLite file, while other processes write to it.

SQLite's online backup API saves a SQLite database page by page; a PostgreSQL database is copied in
one snapshot. The file gets its final name only once it is complete and checked. Old backups are
kept: `deploy/genrebase-backup.service` deletes its own after four weeks.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from genrebase.new_file import create_atomically, create_private
from genrebase.progress import ProgressCallback, no_progress
from genrebase.store import matrix_files, schema_upgrade
from genrebase.store.copy import copy_database, copy_state, snapshots
from genrebase.store.copy.rows import row_counts
from genrebase.store.engine import Engine, read_transaction, transaction
from genrebase.store.errors import StoreError


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


def backup(engine: Engine, file: Path, progress: ProgressCallback = no_progress) -> BackupResult:
    """Save the database as it is now as `file`, a SQLite database of its own.

    It also holds the bytes of matrices that are in files.

    Raises `UserError` before anything is written and for a file that was created meanwhile,
    `StoreError` for a backup that fails its check (it is deleted).
    """
    schema_upgrade.check_revision(engine)
    with create_atomically(file) as partial:
        create_private(partial)
        try:
            rows = _save(engine, partial, progress)
            _check(partial, rows)
            with partial.open("rb") as saved:
                os.fsync(saved.fileno())
        except OSError as error:
            raise StoreError(f"The backup cannot be written: {error}.") from error
    name = snapshots.display_url(engine)
    return BackupResult(name, file, file.stat().st_size, sum(rows.values()), rows)


def _save(engine: Engine, partial: Path, progress: ProgressCallback) -> dict[str, int]:
    """Write the file; return how many rows each table had at that moment."""
    if engine.dialect.name == "sqlite":
        with read_transaction(engine) as connection:
            rows = row_counts(connection)
            snapshots.save(connection, partial)
    else:
        with snapshots.open_file(partial) as saved:
            result = copy_database(engine, saved, progress, with_files=False)
        rows = {digest.table: digest.rows for digest in result.tables}
    with snapshots.open_file(partial) as saved, transaction(saved) as connection:
        copy_state.remove(connection)  # it concerns only the database it was written to
    with snapshots.open_file(partial) as saved:
        matrix_files.move_to_database(saved, engine)
        with read_transaction(saved) as connection:
            rows["sound_matrix"] = row_counts(connection)["sound_matrix"]
    return rows


def _check(partial: Path, expected: dict[str, int]) -> None:
    with snapshots.open_file(partial) as saved:
        schema_upgrade.check_revision(saved)
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
