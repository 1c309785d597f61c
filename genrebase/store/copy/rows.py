"""Rows of any table in the order of its primary key, the same on both engines."""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Double,
    LargeBinary,
    Select,
    String,
    Table,
    literal,
    select,
    tuple_,
)
from sqlalchemy.types import TypeEngine

from genrebase.store import tables
from genrebase.store.tables.columns import UtcDateTime

Row = Sequence[Any]
Key = tuple[Any, ...]

_BATCH: Final = 5_000
"""Rows of one transaction."""

_HEAVY_BATCHES: Final = {"sound_matrix": 50, "descriptor": 1_000}
"""Where rows hold bytes, at most 100 kB and 3 kB each; others go one by one: an artifact alone may
be many megabytes."""


class TableReader:
    """The rows of one table, read in batches by primary key."""

    def __init__(self, table: Table, batch: int = _BATCH) -> None:
        self.table = table
        self.columns = [column.name for column in table.columns]
        self._keys = list(table.primary_key)
        self._key_places = [self.columns.index(column.name) for column in self._keys]
        self._comparable = [_comparable(column.type) for column in table.columns]
        heavy = any(isinstance(column.type, LargeBinary) for column in table.columns)
        self._batch = _HEAVY_BATCHES.get(table.name, 1) if heavy else batch

    def batch_after(self, connection: Connection, key: Key | None) -> Sequence[Row]:
        """Return the next batch of rows behind `key`."""
        return connection.execute(self._behind(connection, [self.table], key)).all()

    def keys_after(self, connection: Connection, key: Key | None) -> list[Key]:
        """Return the keys of the next batch of rows behind `key`."""
        found = connection.execute(self._behind(connection, self._keys, key))
        return [tuple(row) for row in found]

    def rows_between(self, connection: Connection, key: Key | None, last: Key) -> dict[Key, Key]:
        """Return all rows behind `key` up to `last`, as values to compare, by their keys."""
        query = self._up_to(connection, self._ordered(connection, [self.table], key), last)
        return {self.key_of(row): self.canonical(row) for row in connection.execute(query)}

    def keys_between(self, connection: Connection, key: Key | None, last: Key) -> set[Key]:
        """Return the keys of all rows behind `key` up to `last`."""
        query = self._up_to(connection, self._ordered(connection, self._keys, key), last)
        return {tuple(row) for row in connection.execute(query)}

    def key_of(self, row: Row) -> Key:
        """Return the primary key of a row."""
        return tuple(row[place] for place in self._key_places)

    def canonical(self, row: Row) -> Key:
        """Return a row's values as they are the same on both engines."""
        return tuple(
            value if alike is None else alike(value)
            for alike, value in zip(self._comparable, row, strict=True)
        )

    def _behind(self, connection: Connection, what: Sequence[Any], key: Key | None) -> Select[Any]:
        return self._ordered(connection, what, key).limit(self._batch)

    def _ordered(
        self, connection: Connection, what: Sequence[Any], key: Key | None
    ) -> Select[Any]:
        order = self._order(connection)
        query = select(*what).order_by(*order)
        return query if key is None else query.where(tuple_(*order) > self._literal(key))

    def _up_to(self, connection: Connection, query: Select[Any], last: Key) -> Select[Any]:
        return query.where(tuple_(*self._order(connection)) <= self._literal(last))

    def _literal(self, key: Key) -> ColumnElement[Any]:
        values = zip(key, self._keys, strict=True)
        return tuple_(*(literal(value, column.type) for value, column in values))

    def _order(self, connection: Connection) -> list[ColumnElement[Any]]:
        """Return the key's columns; text sorts by code point, as it does on SQLite."""
        if connection.dialect.name != "postgresql":
            return list(self._keys)
        return [
            column.collate("C") if isinstance(column.type, String) else column
            for column in self._keys
        ]


class TableDigest:
    """How many rows a table holds, and a checksum of their values in the order of their keys."""

    def __init__(self) -> None:
        self.rows = 0
        self._sha256 = hashlib.sha256()

    def update(self, comparable: Iterable[Key]) -> None:
        """Take more rows in."""
        for values in comparable:
            self.rows += 1
            self._sha256.update(repr(values).encode())

    @property
    def checksum(self) -> str:
        """The SHA-256 of all rows so far."""
        return self._sha256.hexdigest()


def table_readers() -> list[TableReader]:
    """Return the rows of every table, those that others refer to first."""
    return [TableReader(table) for table in tables.metadata.sorted_tables]


def digest_table(
    connection: Connection, of: TableReader, on: Callable[[int], None]
) -> TableDigest:
    """Return the digest of a whole table; `on` is told how many rows were read."""
    found, key = TableDigest(), None
    while rows := of.batch_after(connection, key):
        found.update(map(of.canonical, rows))
        key = of.key_of(rows[-1])
        on(len(rows))
    return found


def driver_values(of: TableReader, rows: Iterable[Row], dialect: str) -> list[Key]:
    """Return rows as `bulk` wants them for a driver."""
    forms = [_driver_form(column.type, dialect) for column in of.table.columns]
    return [
        tuple(
            value if form is None or value is None else form(value)
            for form, value in zip(forms, row, strict=True)
        )
        for row in rows
    ]


def _driver_form(kind: TypeEngine[Any], dialect: str) -> Callable[[Any], Any] | None:
    if isinstance(kind, UtcDateTime):
        return lambda value: tables.as_driver_datetime(value, dialect)
    if isinstance(kind, JSON):
        return json.dumps
    return None


def _comparable(kind: TypeEngine[Any]) -> Callable[[Any], Any] | None:
    if isinstance(kind, JSON):
        return _canonical_json
    if isinstance(kind, Double):
        return _canonical_number
    return None


def _canonical_json(value: Any) -> str:
    """Return a document as text: PostgreSQL sorts its keys and writes numbers its own way."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _canonical_number(value: float | None) -> float | None:
    """Return a number without what only PostgreSQL stores: NaN, and a zero below zero."""
    return None if value is None or math.isnan(value) else value + 0.0
