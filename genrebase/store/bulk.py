"""Many rows at once, the fast way of each engine.

Statements here go to the driver as they are: rows are plain tuples in the order of `columns`,
moments already as the driver wants them (`tables.as_driver_moment`). On PostgreSQL rows travel by
COPY into a temporary table and from there by one `INSERT … SELECT … ON CONFLICT`; `RETURNING` in
bulk is the slow path, so keys are drawn beforehand (`next_ids`).
"""

import json
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, text

Row = Sequence[Any]

_WRITERS_LOCK: Final = 0x67656E7265  # "genre": serialises those who make identities

_COPY_FROM: Final = 100
"""Fewer rows go as they are: a page of search results is not worth a temporary table."""


def lock_identity_writers(connection: Connection) -> None:
    """Wait until no other transaction is making identities, until this one ends.

    On SQLite a writing transaction is alone already.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITERS_LOCK})


def next_ids(connection: Connection, table: Table, count: int) -> Iterable[int]:
    """Return `count` fresh values for the surrogate key `id` of `table`.

    On SQLite they are safe inside a writing transaction only.
    """
    if count == 0:
        return ()
    if connection.dialect.name == "postgresql":
        sequence = f"{table.name}_id_seq"
        drawn = connection.exec_driver_sql(
            f"SELECT nextval('{sequence}') FROM generate_series(1, {count})"
        )
        return list(drawn.scalars())
    last = connection.exec_driver_sql(
        f"SELECT coalesce(max(id), 0) FROM {table.name}"
    ).scalar_one()
    return range(last + 1, last + 1 + count)


def insert(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """Insert rows that are known to be new."""
    if not rows:
        return
    if _wants_copy(connection, rows):
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
    """Insert rows; where the primary key is taken, apply `update` (SQL over `excluded`) or skip.

    No two of the rows may have the same primary key.
    """
    if not rows:
        return
    keys = ", ".join(column.name for column in table.primary_key)
    action = "NOTHING" if update is None else f"UPDATE SET {update}"
    conflict = f"ON CONFLICT ({keys}) DO {action}"
    if _wants_copy(connection, rows):
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
    """Set `columns` of single rows; each of `rows` ends with the `id` it is for."""
    if not rows:
        return
    mark = _mark(connection)
    assignments = ", ".join(f"{column} = {mark}" for column in columns)
    connection.exec_driver_sql(
        f"UPDATE {table.name} SET {assignments} WHERE id = {mark}", _tuples(rows)
    )


def compact_row(connection: Connection, table: Table, key: int) -> None:
    """Let a row that became much shorter give its room back.

    SQLite leaves a row that is updated where it is, alone on a page that it filled once; pages are
    joined when a row goes. So it goes and comes back, under the same `id`.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")  # until this transaction ends
        for there in (key, -key):
            statement = f"UPDATE {table.name} SET id = -id WHERE id = ?"
            connection.exec_driver_sql(statement, (there,))


def stage(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]
) -> str:
    """PostgreSQL: put rows into a temporary table typed like `table`; return its name."""
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
    connection: Connection,
    select: str,
    values: Sequence[Any],
    *more: Any,
    sql_type: str = "text",
) -> Sequence[Any]:
    """Run `select` for a list of values, however long.

    `{values}` in it stands for a one-column table `listed` of `values` (column `value`, of the SQL
    type `kind`: `text` or `bigint`); every later `{mark}` for one of `more`.
    """
    if not values:
        return []
    listed, parameter = _listed(connection, values, sql_type)
    statement = select.format(values=listed, mark=_mark(connection))
    return connection.exec_driver_sql(statement, (parameter, *more)).all()


def execute_in(connection: Connection, statement: str, *first: Any, values: Sequence[int]) -> None:
    """Run `statement` for a list of keys, as `select_in` does; `first` fills marks before it."""
    if not values:
        return
    listed, parameter = _listed(connection, values, "bigint")
    statement = statement.format(values=listed, mark=_mark(connection))
    connection.exec_driver_sql(statement, (*first, parameter))


def _listed(connection: Connection, values: Sequence[Any], kind: str) -> tuple[str, Any]:
    if connection.dialect.name == "postgresql":
        return f"unnest(%s::{kind}[]) AS listed(value)", list(values)
    return "json_each(?) AS listed", json.dumps(list(values))


def _tuples(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    return [row if type(row) is tuple else tuple(row) for row in rows]


def _wants_copy(connection: Connection, rows: Sequence[Row]) -> bool:
    return connection.dialect.name == "postgresql" and len(rows) >= _COPY_FROM


def _mark(connection: Connection) -> str:
    return "%s" if connection.dialect.name == "postgresql" else "?"


def _insert_values(connection: Connection, table: Table, columns: Sequence[str]) -> str:
    marks = ", ".join([_mark(connection)] * len(columns))
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"


def _copy(connection: Connection, name: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    driver: Any = connection.connection.driver_connection
    statement = f"COPY {name} ({', '.join(columns)}) FROM STDIN"
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
