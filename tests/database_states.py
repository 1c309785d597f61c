"""States of databases that are made once in a run, and loaded into other databases after that."""

import sqlite3
from collections.abc import Callable, Hashable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import psycopg
from psycopg import sql
from sqlalchemy import Engine, text

from genrebase.store import tables
from genrebase.store.engine import read_transaction
from genrebase.store.settings import DEFAULT_FEATURE_ORDER
from tests import postgres

State = bytes | dict[str, Any]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Made:
    """What a function returned, and the state it left."""

    result: Any
    state: State


_made: Final[dict[Hashable, Made]] = {}

_ANY_ROWS: Final = "SELECT " + " OR ".join(
    f"EXISTS (SELECT 1 FROM {table.name})"
    for table in tables.metadata.sorted_tables
    if table is not tables.feature_order
)
_PROVIDERS: Final = "SELECT provider FROM feature_order ORDER BY position"
_SCHEMA: Final = "SELECT group_concat(sql) FROM sqlite_master"

_SEQUENCES: Final = """
SELECT format('%I.%I', schemaname, sequencename), last_value
FROM pg_sequences WHERE last_value IS NOT NULL
"""
_SET_SEQUENCE: Final = "SELECT setval(CAST(%s AS regclass), %s)"


def once(engine: Engine, key: Hashable, make: Callable[[], Result]) -> Result:
    """Run `make`, which fills the engine's database, at the first call with this key only.

    Later calls with the key replace all rows of a database of the same kind by those that `make`
    left, and return what it returned. The key names everything that the rows depend on.
    """
    kind = engine.dialect.name
    made = _made.get((kind, key))
    if made is not None:
        _load(engine, made.state)
        return made.result  # type: ignore[no-any-return]  # of the same key
    result = make()
    if kind == "sqlite" or _is_superuser(engine):
        _made[kind, key] = Made(result, _saved(engine))
    return result


def filled_once(engine: Engine, key: Hashable, fill: Callable[[], None]) -> None:
    """Run `fill` as `once` does, if the database is empty and has the schema of the other ones."""
    with read_transaction(engine) as connection:
        is_empty = not connection.scalar(text(_ANY_ROWS))
        providers = connection.scalars(text(_PROVIDERS)).all()
        schema = connection.scalar(text(_SCHEMA)) if engine.dialect.name == "sqlite" else None
    if is_empty and tuple(providers) == DEFAULT_FEATURE_ORDER:
        once(engine, (key, schema), fill)
    else:
        fill()


def _saved(engine: Engine) -> State:
    with closing(engine.raw_connection()) as pooled:
        raw: Any = pooled.driver_connection
        if isinstance(raw, sqlite3.Connection):
            return raw.serialize()
        with raw.transaction():
            return _copied_out(raw)


def _load(engine: Engine, state: State) -> None:
    with closing(engine.raw_connection()) as pooled:
        raw: Any = pooled.driver_connection
        if isinstance(state, bytes):
            with closing(sqlite3.connect(":memory:")) as memory:
                memory.deserialize(state)
                memory.backup(raw)
        else:
            with raw.transaction():
                _copy_in(raw, state)


def _is_superuser(engine: Engine) -> bool:
    with closing(engine.raw_connection()) as pooled:
        raw: Any = pooled.driver_connection
        return bool(raw.info.parameter_status("is_superuser") == "on")


def _copied_out(connection: "psycopg.Connection[Any]") -> dict[str, Any]:
    """Return the rows of all tables that have some, and the next ids."""
    rows = {}
    for (table,) in connection.execute(postgres.NON_EMPTY).fetchall():
        command = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))
        with connection.cursor() as cursor, cursor.copy(command) as copy:
            rows[table] = b"".join(bytes(part) for part in copy)
    return {"rows": rows, "sequences": connection.execute(_SEQUENCES).fetchall()}


def _copy_in(connection: "psycopg.Connection[Any]", state: dict[str, Any]) -> None:
    """Replace all rows, without triggers and checks of foreign keys."""
    connection.execute("SET LOCAL session_replication_role = replica")
    for (table,) in connection.execute(postgres.NON_EMPTY).fetchall():
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    for table, rows in state["rows"].items():
        command = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))
        with connection.cursor() as cursor, cursor.copy(command) as copy:
            copy.write(rows)
    connection.execute(postgres.RESET_SEQUENCES)
    for sequence, last in state["sequences"]:
        connection.execute(_SET_SEQUENCE, (sequence, last))
