"""Copying a database into another, of either kind: the same rows under the same keys.

The target becomes what the source is at one moment, table by table, in batches in the order of the
primary key, each its own transaction. A copy that was stopped goes on: what is there already is
compared and left. At the end both are read once more, and their counts and checksums compared.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import cast, delete, false, func, select, true
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.exc import IntegrityError

from genrebase.errors import UserError
from genrebase.store import bulk, schema, tables
from genrebase.store.copy import copy_state, snapshots
from genrebase.store.copy.rows import (
    Key,
    Row,
    TableDigest,
    TableReader,
    digest_table,
    table_readers,
)
from genrebase.store.copy.rows import driver_values as for_driver
from genrebase.store.engine import Connection, Engine, read_transaction, transaction
from genrebase.store.errors import StoreError

PASSES: Final = 2
"""How often every row is counted in `CopyProgress`: once copied, once compared."""


class SameDatabase(UserError):
    """A database cannot be copied into itself."""


class TargetHoldsOtherData(UserError):
    """What is in the target is not a copy of the source."""


@dataclass(frozen=True, slots=True)
class CopyProgress:
    """How far a copy is."""

    table: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """One table, as it is in both databases."""

    table: str
    rows: int
    checksum: str
    """SHA-256 over all rows in the order of the primary key."""


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What a copy did."""

    source: str
    target: str
    resumed: bool
    """Whether something of this source was in the target already."""
    rows: int
    """Rows of all tables."""
    written: int
    """Rows that were inserted, changed or removed; the others were there."""
    tables: Sequence[CopiedTable]


OnCopyProgress = Callable[[CopyProgress], None]


def copy_database(
    source: Engine, target: Engine, on_progress: OnCopyProgress = lambda _: None
) -> CopyResult:
    """Make `target` what `source` is, and compare the two.

    The schema is made where there is none. Raises `SameDatabase`, `SchemaMismatch`, `NotOurs`
    or `TargetHoldsOtherData` before anything is written, `StoreError` where the two differ at the end.
    """
    schema.check_revision(source)
    _prepare(target)
    if snapshots.is_same_database(source, target):
        raise SameDatabase(f"{snapshots.display_url(source)} cannot be copied into itself.")
    name = snapshots.display_url(source)
    resumed = _admit(target, name)
    with transaction(target) as connection:
        copy_state.start(connection, name)
    with snapshots.open_snapshot(source) as frozen:
        work = _Work(frozen, target, on_progress)
        wanted = work.bring_all()
        _set_sequences(target)
        _compare(wanted, work.held())
    held = {of: (found.rows, found.checksum) for of, found in wanted.items()}
    with transaction(target) as connection:
        copy_state.finish(connection, name, held)
    return CopyResult(
        source=name,
        target=snapshots.display_url(target),
        resumed=resumed,
        rows=sum(found.rows for found in wanted.values()),
        written=work.written,
        tables=[CopiedTable(of, rows, checksum) for of, (rows, checksum) in held.items()],
    )


def _prepare(target: Engine) -> None:
    if schema.current_revision(target) is None:
        schema.upgrade(target.url.render_as_string(hide_password=False))
    schema.check_revision(target)


def _admit(target: Engine, source: str) -> bool:
    """Say whether the target holds some of the source; refuse what else it may hold."""
    with read_transaction(target) as connection:
        mark = copy_state.read(connection)
        if not any(_has_rows(connection, rows) for rows in table_readers()):
            return False
        where = snapshots.display_url(target)
        if mark is None or mark.source != source:
            said = f"a copy of {mark.source}" if mark else "data of its own"
            raise TargetHoldsOtherData(
                f"{where} holds {said}: give an empty database to copy {source} into."
            )
        if mark.is_complete:
            changed = [
                rows.table.name
                for rows in table_readers()
                if digest_table(connection, rows, lambda _: None).checksum
                != mark.checksums.get(rows.table.name)
            ]
            if changed:
                raise TargetHoldsOtherData(
                    f"{where} was written to since {source} was copied into it "
                    f"({', '.join(changed)}), and would lose that: give an empty database."
                )
    return True


def _has_rows(connection: Connection, rows: TableReader) -> bool:
    return connection.scalar(select(true()).select_from(rows.table).limit(1)) is not None


class _Work:
    """One copy: the source's snapshot, the target, and how far it is."""

    def __init__(self, frozen: Connection, target: Engine, advance: OnCopyProgress) -> None:
        self.written = 0
        self._frozen, self._target, self._advance = frozen, target, advance
        self._tables = table_readers()
        counts = (select(func.count()).select_from(rows.table) for rows in self._tables)
        self._total = PASSES * sum(frozen.execute(count).scalar_one() for count in counts)
        self._done = 0

    def bring_all(self) -> dict[str, TableDigest]:
        """Make every table of the target what it is in the source; return the source's digests."""
        try:
            return self._bring_all()
        except (IntegrityError, self._target.dialect.loaded_dbapi.IntegrityError):
            # two rows of a copy that was stopped have changed places since, in a unique column
            self._done = 0
            with transaction(self._target) as connection:
                for rows in reversed(self._tables):
                    connection.execute(delete(rows.table))
            return self._bring_all()

    def held(self) -> dict[str, TableDigest]:
        """Read the target once more; return its digests."""
        with read_transaction(self._target) as connection:
            return {
                rows.table.name: digest_table(
                    connection,
                    rows,
                    lambda more, of=rows: self._on(of, more),  # type: ignore[misc]  # a default binds the table
                )
                for rows in self._tables
            }

    def _bring_all(self) -> dict[str, TableDigest]:
        with read_transaction(self._target) as connection:
            filled = {rows.table.name: _has_rows(connection, rows) for rows in self._tables}
        for rows in reversed(self._tables):  # those that refer to others first
            if filled[rows.table.name]:
                self._remove_strangers(rows)
        return {
            rows.table.name: self._bring(rows, filled=filled[rows.table.name])
            for rows in self._tables
        }

    def _bring(self, rows: TableReader, *, filled: bool) -> TableDigest:
        found, key = TableDigest(), None
        while wanted := rows.batch_after(self._frozen, key):
            comparable = [rows.canonical(row) for row in wanted]
            found.update(comparable)
            last = rows.key_of(wanted[-1])
            there = self._between(rows, key, last) if filled else {}
            self._write(rows, wanted, comparable, there)
            key = last
            self._on(rows, len(wanted))
        return found

    def _between(self, rows: TableReader, key: Key | None, last: Key) -> dict[Key, Key]:
        with read_transaction(self._target) as connection:
            return rows.rows_between(connection, key, last)

    def _write(
        self,
        rows: TableReader,
        wanted: Sequence[Row],
        comparable: Sequence[Key],
        there: dict[Key, Key],
    ) -> None:
        new, changed = [], []
        for row, values in zip(wanted, comparable, strict=True):
            known = there.get(rows.key_of(row))
            if known is None:
                new.append(row)
            elif known != values:
                changed.append(row)
        if not new and not changed:
            return
        table, columns, dialect = rows.table, rows.columns, self._target.dialect.name
        settled = ", ".join(f"{name} = excluded.{name}" for name in columns)
        with transaction(self._target) as connection:
            bulk.insert(connection, table, columns, for_driver(rows, new, dialect))
            bulk.upsert(
                connection, table, columns, for_driver(rows, changed, dialect), update=settled
            )
        self.written += len(new) + len(changed)

    def _remove_strangers(self, rows: TableReader) -> None:
        """Remove what the source does not have: it went since the copy began."""
        key: Key | None = None
        while True:
            with read_transaction(self._target) as connection:
                keys = rows.keys_after(connection, key)
            if not keys:
                return
            known = rows.keys_between(self._frozen, key, keys[-1])
            strange = [found for found in keys if found not in known]
            with transaction(self._target) as connection:
                for found in strange:
                    pairs = zip(rows.table.primary_key, found, strict=True)
                    connection.execute(
                        delete(rows.table).where(*(column == value for column, value in pairs))
                    )
            self.written += len(strange)
            key = keys[-1]

    def _on(self, rows: TableReader, more: int) -> None:
        self._done += more
        self._advance(CopyProgress(rows.table.name, self._done, self._total))


def _compare(wanted: dict[str, TableDigest], held: dict[str, TableDigest]) -> None:
    differing = [
        f"{name} ({found.rows} rows, {held[name].rows} copied)"
        for name, found in wanted.items()
        if found.checksum != held[name].checksum
    ]
    if differing:
        raise StoreError(
            f"The copy is not what was copied: {', '.join(differing)}. Somebody else may be "
            "writing to it: stop that, and run the same command again."
        )


def _set_sequences(target: Engine) -> None:
    """Let new rows on PostgreSQL get numbers behind those that were copied."""
    if target.dialect.name != "postgresql":
        return
    with transaction(target) as connection:
        for table in tables.metadata.sorted_tables:
            if "id" not in table.columns:
                continue
            last = select(func.max(table.c.id)).scalar_subquery()
            name = connection.scalar(select(func.pg_get_serial_sequence(table.name, "id")))
            if name is not None:
                behind = func.coalesce(last + 1, 1)
                connection.execute(select(func.setval(cast(name, REGCLASS), behind, false())))
