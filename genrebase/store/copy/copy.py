"""Copy a database into another, SQLite or PostgreSQL: the same rows under the same keys.

The target becomes a copy of one snapshot of the source: table by table, in batches ordered by
primary key, each in its own transaction. An interrupted copy resumes: rows that are already equal
are skipped. At the end the row counts and SHA-256 checksums of both databases are compared.
Digests and the index of the search are not copied: `genrebase digests` makes both again. Triggers
note the tracks that are to be indexed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import cast, delete, false, func, select, true
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.exc import IntegrityError

from genrebase.errors import UserError
from genrebase.progress import ProgressCallback, no_progress
from genrebase.store import bulk, matrix_files, schema_upgrade, tables
from genrebase.store.copy import copy_state, snapshots
from genrebase.store.copy.rows import Key, Row, TableDigest, TableReader, row_counts, table_readers
from genrebase.store.engine import Connection, Engine, read_transaction, transaction
from genrebase.store.errors import StoreError

PASSES: Final = 2
"""How often the progress counts each row: once copied, once compared."""


@dataclass(frozen=True, slots=True)
class CopyResult:
    """The outcome of a copy."""

    source: str
    target: str
    resumed: bool
    """Whether the target already held rows of this source."""
    rows: int
    """Rows of all tables."""
    written: int
    """Rows inserted, changed or deleted; the others were equal already."""
    tables: Sequence[TableDigest]


def copy_database(
    source: Engine,
    target: Engine,
    progress: ProgressCallback = no_progress,
    *,
    with_files: bool = True,
) -> CopyResult:
    """Make `target` a copy of `source` and verify it; create the schema where it is missing.

    Files of matrices are copied to the folder of the target, if that is another one. `progress` is
    called with the number of rows that were copied or compared, and their table.

    Raises `SchemaMismatch` or `UserError` before anything is written, `StoreError` where the two
    databases differ at the end.
    """
    if schema_upgrade.is_missing_file(source):
        raise UserError(f"The file {source.url.database} does not exist: nothing to copy.")
    schema_upgrade.check_revision(source)
    if schema_upgrade.current_revision(target) is None:
        schema_upgrade.upgrade(target.url.render_as_string(hide_password=False))
    schema_upgrade.check_revision(target)
    name = snapshots.display_url(source)
    if snapshots.is_same_database(source, target):
        raise UserError(f"{name} cannot be copied into itself.")
    resumed = _holds_rows_of(target, name)
    with transaction(target) as connection:
        copy_state.write(connection, name)
    with snapshots.open_snapshot(source) as snapshot:
        run = _CopyRun(snapshot, target, progress)
        if with_files:
            matrix_files.copy_files(snapshot, source, target)
        digests = run.copy_tables()
        _set_sequences(target)
        _verify(digests, run.digest_target())
    with transaction(target) as connection:
        copy_state.write(connection, name, digests)
    return CopyResult(
        source=name,
        target=snapshots.display_url(target),
        resumed=resumed,
        rows=sum(digest.rows for digest in digests),
        written=run.written,
        tables=digests,
    )


def _holds_rows_of(target: Engine, source: str) -> bool:
    """Return whether the target holds rows of this source; raise where it holds other data."""
    with read_transaction(target) as connection:
        own = [reader for reader in table_readers() if reader.table is not tables.feature_order]
        if not any(_has_rows(connection, reader) for reader in own):  # a migration fills that one
            return False
        state = copy_state.read(connection)
        name = snapshots.display_url(target)
        if state is None or state.source != source:
            held = f"a copy of {state.source}" if state else "data of its own"
            raise UserError(f"{name} holds {held}: give an empty database to copy {source} into.")
        changed = [
            reader.table.name
            for reader in table_readers()
            if state.is_complete
            and reader.digest(connection, lambda *_: None).checksum
            != state.checksums.get(reader.table.name)
        ]
        if changed:
            raise UserError(
                f"{name} was written to since {source} was copied into it "
                f"({', '.join(changed)}), and would lose that: give an empty database."
            )
    return True


def _has_rows(connection: Connection, reader: TableReader) -> bool:
    return connection.scalar(select(true()).select_from(reader.table).limit(1)) is not None


class _CopyRun:
    """The state of one copy: the source's snapshot, the target and the rows done."""

    def __init__(self, source: Connection, target: Engine, progress: ProgressCallback) -> None:
        self.written = 0
        self._source, self._target, self._progress = source, target, progress
        self._readers = table_readers()
        self._total = PASSES * sum(row_counts(source).values())
        self._done = 0
        self._filled: set[TableReader] = set()

    def copy_tables(self) -> list[TableDigest]:
        """Make every table of the target equal to the source's; return the source's digests."""
        try:
            return self._copy_tables()
        except (IntegrityError, self._target.dialect.loaded_dbapi.IntegrityError):
            # since the copy was interrupted, two rows exchanged the value of a unique column
            self._done = 0
            with transaction(self._target) as connection:
                for reader in reversed(self._readers):
                    connection.execute(delete(reader.table))
            return self._copy_tables()

    def digest_target(self) -> list[TableDigest]:
        """Read the whole target; return its digests."""
        with read_transaction(self._target) as connection:
            return [reader.digest(connection, self._report) for reader in self._readers]

    def _copy_tables(self) -> list[TableDigest]:
        with transaction(self._target) as connection:
            connection.execute(delete(tables.digest))  # it is of rows that may change now
        with read_transaction(self._target) as connection:
            self._filled = {reader for reader in self._readers if _has_rows(connection, reader)}
        for reader in reversed(self._readers):  # referring tables before the referenced ones
            if reader in self._filled:
                self._delete_extra_rows(reader)
        return [reader.digest(self._source, self._copy_batch) for reader in self._readers]

    def _copy_batch(self, reader: TableReader, after: Key | None, rows: Sequence[Row]) -> None:
        new, changed = rows, []
        if reader in self._filled:
            with read_transaction(self._target) as connection:
                target_rows = reader.rows(connection, after, reader.key_of(rows[-1]))
            existing = {reader.key_of(row): reader.canonical(row) for row in target_rows}
            new = [row for row in rows if reader.key_of(row) not in existing]
            changed = [
                row
                for row in rows
                if existing.get(reader.key_of(row)) not in (None, reader.canonical(row))
            ]
        if new or changed:
            table, columns, dialect = reader.table, reader.columns, self._target.dialect.name
            assignments = ", ".join(f"{name} = excluded.{name}" for name in columns)
            with transaction(self._target) as connection:
                bulk.insert(connection, table, columns, reader.driver_values(new, dialect))
                values = reader.driver_values(changed, dialect)
                bulk.upsert(connection, table, columns, values, update=assignments)
        self.written += len(new) + len(changed)
        self._report(reader, after, rows)

    def _delete_extra_rows(self, reader: TableReader) -> None:
        """Delete the target's rows that the source no longer has."""
        after: Key | None = None
        while True:
            with read_transaction(self._target) as connection:
                keys = reader.keys(connection, after)
            if not keys:
                return
            source_keys = set(reader.keys(self._source, after, keys[-1]))
            extra = [key for key in keys if key not in source_keys]
            with transaction(self._target) as connection:
                for key in extra:
                    connection.execute(delete(reader.table).where(reader.has_key(key)))
            self.written += len(extra)
            after = keys[-1]

    def _report(self, reader: TableReader, _after: Key | None, rows: Sequence[Row]) -> None:
        self._done += len(rows)
        self._progress(self._done, self._total, note=reader.table.name)


def _verify(source: Sequence[TableDigest], target: Sequence[TableDigest]) -> None:
    differing = [
        f"{one.table} ({one.rows} rows, {other.rows} copied)"
        for one, other in zip(source, target, strict=True)
        if one.checksum != other.checksum
    ]
    if differing:
        raise StoreError(
            f"The copy differs from its source: {', '.join(differing)}. Another process may be "
            "writing to it: stop that, and run the same command again."
        )


def _set_sequences(target: Engine) -> None:
    """Make PostgreSQL number new rows after the copied ones."""
    if target.dialect.name != "postgresql":
        return
    with transaction(target) as connection:
        for table in tables.metadata.sorted_tables:
            if "id" not in table.columns:
                continue
            sequence = connection.scalar(select(func.pg_get_serial_sequence(table.name, "id")))
            if sequence is not None:
                next_id = func.coalesce(select(func.max(table.c.id)).scalar_subquery() + 1, 1)
                connection.execute(select(func.setval(cast(sequence, REGCLASS), next_id, false())))
