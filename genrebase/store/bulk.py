"""Bulk inserts, upserts and lookups, by the fastest way of each engine.

Statements bypass SQLAlchemy's compiler: rows are plain tuples in the order of `columns`, with
times as the driver takes them (`tables.as_driver_datetime`). PostgreSQL loads rows by COPY into a
temporary table and from there by one `INSERT … SELECT … ON CONFLICT`; `RETURNING` in bulk is slow,
so ids are allocated beforehand (`next_ids`).
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table

from genrebase.store.engine import transaction
from genrebase.store.lock_timeout import lock_timeout

Row = Sequence[Any]

IDENTITY_LOCK_SECONDS: Final = 300.0
"""Seconds to wait for others that create identities: each batch takes seconds, a migration of a
large database minutes."""

_MIN_COPY_ROWS: Final = 100
"""Fewer rows, such as a page of search results, do not repay a temporary table."""


CONCURRENT: Final = "genrebase_concurrent"
"""The execution option of a connection whose transaction only locks names (`name_locks`)."""


class NeedsExclusiveLock(Exception):
    """The transaction changes rows of names that it has not locked: it has to run alone."""


def lock_identity_writers(connection: Connection) -> None:
    """Let no other transaction create identities until this one ends; wait for those that do.

    The lock is on the table with the schema's revision: only roles that may write can hold it, a
    migration waits for it, too, and those that wait get it in their order. `name_locks` has the
    weaker lock of transactions that run beside each other; in one of these it raises
    `NeedsExclusiveLock`. Raises `DatabaseBusy`. On SQLite a writing transaction is exclusive
    already.
    """
    if connection.get_execution_options().get(CONCURRENT, False):
        raise NeedsExclusiveLock
    if connection.dialect.name == "postgresql":
        with lock_timeout(connection, IDENTITY_LOCK_SECONDS):
            connection.exec_driver_sql("LOCK TABLE alembic_version IN SHARE ROW EXCLUSIVE MODE")


@contextmanager
def exclusive_transaction(engine: Engine) -> Iterator[Connection]:
    """Run a block in a writing transaction that begins with the lock of `lock_identity_writers`.

    Whatever writes rows that refer to tracks or genres begins like this: so nobody removes or
    merges what it has looked up, and no two transactions lock the same rows in another order.
    """
    with transaction(engine) as connection:
        lock_identity_writers(connection)
        yield connection


def next_ids(connection: Connection, table: Table, count: int) -> Iterable[int]:
    """Return `count` unused values for the surrogate key `id` of `table`.

    On SQLite they are safe only inside a writing transaction.
    """
    if count == 0:
        return ()
    if connection.dialect.name == "postgresql":
        sequence = f"{table.name}_id_seq"
        ids = connection.exec_driver_sql(
            f"SELECT nextval('{sequence}') FROM generate_series(1, {count})"
        )
        return list(ids.scalars())
    query = f"SELECT coalesce(max(id), 0) FROM {table.name}"
    last = connection.exec_driver_sql(query).scalar_one()
    if table.name == "track":  # the id of a merged track leads to the one that it became
        merged = "SELECT coalesce(max(track_id), 0) FROM merged_track"
        last = max(last, connection.exec_driver_sql(merged).scalar_one())
    return range(last + 1, last + 1 + count)


def insert(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """Insert rows whose keys are not in the table."""
    if not rows:
        return
    if _use_copy(connection, rows):
        _copy(connection, table.name, columns, rows)
        return
    connection.exec_driver_sql(_insert_values(connection, table, columns), _tuples(rows))


def upsert(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    update: str | None = None,
) -> None:
    """Insert rows; where the primary key exists, apply `update` (SQL over `excluded`) or skip.

    No two rows may have the same primary key.
    """
    if not rows:
        return
    keys = ", ".join(column.name for column in table.primary_key)
    action = "NOTHING" if update is None else f"UPDATE SET {update}"
    conflict = f"ON CONFLICT ({keys}) DO {action}"
    if _use_copy(connection, rows):
        names = ", ".join(columns)
        staging = stage(connection, table, columns, rows)
        connection.exec_driver_sql(
            f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {staging} {conflict}"
        )
        return
    statement = f"{_insert_values(connection, table, columns)} {conflict}"
    connection.exec_driver_sql(statement, _tuples(rows))


def update(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """Set `columns` of single rows; each of `rows` ends with the `id` of its row."""
    if not rows:
        return
    placeholder = _placeholder(connection)
    assignments = ", ".join(f"{column} = {placeholder}" for column in columns)
    connection.exec_driver_sql(
        f"UPDATE {table.name} SET {assignments} WHERE id = {placeholder}", _tuples(rows)
    )


def compact_row(connection: Connection, table: Table, key: int) -> None:
    """Free the disk space of a row that became much shorter.

    SQLite leaves an updated row in place, alone on the pages that it once filled, and merges pages
    only when a row is deleted. So the row moves to another `id` and back.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")  # until this transaction ends
        for row_id in (key, -key):
            statement = f"UPDATE {table.name} SET id = -id WHERE id = ?"
            connection.exec_driver_sql(statement, (row_id,))


def stage(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]
) -> str:
    """PostgreSQL: load rows into a temporary table with the types of `table`; return its name."""
    names = ", ".join(columns)
    staging = f"staging_{table.name}_{zlib.crc32(names.encode()):08x}"
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {staging} ON COMMIT DELETE ROWS "
        f"AS SELECT {names} FROM {table.name} WITH NO DATA"
    )
    connection.exec_driver_sql(f"TRUNCATE {staging}")
    _copy(connection, staging, columns, rows)
    return staging


def select_in(
    connection: Connection, select: str, values: Sequence[int] | Sequence[str], *more: Any
) -> Sequence[Any]:
    """Run `select` for a list of texts or whole numbers of any length.

    In `select`, a table `listed` replaces `{values}`, with the values in its column `value`, each
    later `{mark}` for one of `more`.
    """
    if not values:
        return []
    table, parameter = _values_table(connection, values)
    statement = select.format(values=table, mark=_placeholder(connection))
    return connection.exec_driver_sql(statement, (parameter, *more)).all()


def rows_of(
    connection: Connection,
    table: str,
    key: str,
    values: Sequence[int] | Sequence[str],
    columns: Iterable[str],
    **equal: Any,
) -> Sequence[Any]:
    """Return `columns` of the rows of a table whose column `key` has one of the values.

    `equal` are values that further columns have to have.
    """
    names = ", ".join(f"r.{name}" for name in columns)
    conditions = "".join(f" AND r.{name} = {{mark}}" for name in equal)
    query = f"SELECT {names} FROM {{values}} CROSS JOIN {table} r WHERE r.{key} = listed.value"
    return select_in(connection, query + conditions, values, *equal.values())


def grouped(rows: Iterable[Sequence[Any]]) -> dict[Any, list[Any]]:
    """Return the second values of pairs by their first, in their order."""
    groups: dict[Any, list[Any]] = {}
    for key, value in rows:
        groups.setdefault(key, []).append(value)
    return groups


def existing_tracks(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Return those of the ids that are tracks."""
    return {row[0] for row in rows_of(connection, "track", "id", ids, ["id"])}


def execute_in(connection: Connection, statement: str, ids: Sequence[int], *first: Any) -> None:
    """Run a statement that ends with a column's name, for the rows with one of these ids there.

    `first` fills the `{mark}`s of the statement.
    """
    if not ids:
        return
    table, parameter = _values_table(connection, ids)
    statement = f"{statement} IN (SELECT value FROM {table})"
    statement = statement.format(mark=_placeholder(connection))
    connection.exec_driver_sql(statement, (*first, parameter))


def _values_table(connection: Connection, values: Sequence[Any]) -> tuple[str, Any]:
    if connection.dialect.name == "postgresql":
        sql_type = "bigint" if isinstance(values[0], int) else "text"
        return f"unnest(%s::{sql_type}[]) AS listed(value)", list(values)
    return "json_each(?) AS listed", json.dumps(list(values))


def _tuples(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    return [row if type(row) is tuple else tuple(row) for row in rows]


def _use_copy(connection: Connection, rows: Sequence[Row]) -> bool:
    return connection.dialect.name == "postgresql" and len(rows) >= _MIN_COPY_ROWS


def _placeholder(connection: Connection) -> str:
    return "%s" if connection.dialect.name == "postgresql" else "?"


def _insert_values(connection: Connection, table: Table, columns: Sequence[str]) -> str:
    placeholders = ", ".join([_placeholder(connection)] * len(columns))
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({placeholders})"


def _copy(connection: Connection, name: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    driver: Any = connection.connection.driver_connection
    statement = f"COPY {name} ({', '.join(columns)}) FROM STDIN"
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
