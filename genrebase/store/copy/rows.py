"""Read any table in primary-key order, with values that compare equal on both engines."""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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
    and_,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.types import TypeEngine

from genrebase.store import tables
from genrebase.store.tables.columns import UtcDateTime

Row = Sequence[Any]
Key = tuple[Any, ...]
OnBatch = Callable[["TableReader", Key | None, Sequence[Row]], None]
"""Takes a batch of rows and the key before its first row, None for the first batch."""
_Converter = Callable[[Any], Any]

_BATCH_SIZE: Final = 5_000
"""Rows per transaction."""

_BLOB_BATCH_SIZES: Final = {"sound_matrix": 50, "descriptor": 1_000}
"""For tables with blobs of at most 100 kB and 3 kB a row. Other tables with blobs are read row by
row: a single model artifact may have many megabytes."""


@dataclass(frozen=True, slots=True)
class TableDigest:
    """The row count of a table and a checksum of its values."""

    table: str
    rows: int
    checksum: str
    """SHA-256 over all rows in primary-key order."""


class TableReader:
    """Reads the rows of one table in batches, in primary-key order."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.columns = [column.name for column in table.columns]
        self._key = list(table.primary_key)
        self._key_positions = [self.columns.index(column.name) for column in self._key]
        self._canonical = [_canonical_converter(column.type) for column in table.columns]
        has_blobs = any(isinstance(column.type, LargeBinary) for column in table.columns)
        self._batch_size = _BLOB_BATCH_SIZES.get(table.name, 1) if has_blobs else _BATCH_SIZE

    def rows(
        self, connection: Connection, after: Key | None, last: Key | None = None
    ) -> Sequence[Row]:
        """Return the rows with keys after `after`: those up to `last`, or else one batch."""
        return connection.execute(self._query(connection, self.table.columns, after, last)).all()

    def keys(
        self, connection: Connection, after: Key | None, last: Key | None = None
    ) -> list[Key]:
        """Return the primary keys of the rows that `rows` returns."""
        query = self._query(connection, self._key, after, last)
        return [tuple(row) for row in connection.execute(query)]

    def digest(self, connection: Connection, on_batch: OnBatch) -> TableDigest:
        """Read the whole table; call `on_batch` for each batch."""
        sha256, count, after = hashlib.sha256(), 0, None
        while rows := self.rows(connection, after):
            for row in rows:
                sha256.update(repr(self.canonical(row)).encode())
            on_batch(self, after, rows)
            count += len(rows)
            after = self.key_of(rows[-1])
        return TableDigest(self.table.name, count, sha256.hexdigest())

    def key_of(self, row: Row) -> Key:
        """Return the primary key of a row."""
        return tuple(row[position] for position in self._key_positions)

    def has_key(self, key: Key) -> ColumnElement[bool]:
        """Return the condition that a row has this primary key."""
        return and_(*(column == value for column, value in zip(self._key, key, strict=True)))

    def canonical(self, row: Row) -> Key:
        """Return a row's values in the form that is equal on both engines."""
        return _converted(self._canonical, row)

    def driver_values(self, rows: Iterable[Row], dialect: str) -> list[Key]:
        """Return rows as `bulk` passes them to the driver."""
        converters = [_driver_converter(column.type, dialect) for column in self.table.columns]
        return [_converted(converters, row) for row in rows]

    def _query(
        self, connection: Connection, columns: Iterable[Any], after: Key | None, last: Key | None
    ) -> Select[Any]:
        order = self._order(connection)
        query = select(*columns).order_by(*order)
        if after is not None:
            query = query.where(tuple_(*order) > self._literal(after))
        if last is None:
            return query.limit(self._batch_size)
        return query.where(tuple_(*order) <= self._literal(last))

    def _literal(self, key: Key) -> ColumnElement[Any]:
        values = zip(key, self._key, strict=True)
        return tuple_(*(literal(value, column.type) for value, column in values))

    def _order(self, connection: Connection) -> list[ColumnElement[Any]]:
        """Return the key's columns; PostgreSQL sorts text by code point, as SQLite does."""
        if connection.dialect.name != "postgresql":
            return list(self._key)
        return [
            column.collate("C") if isinstance(column.type, String) else column
            for column in self._key
        ]


def table_readers() -> list[TableReader]:
    """Return a reader for every table to copy, referenced tables before those that refer to them.

    What is derived from other tables is left out: it is computed again in the copy.
    """
    return [TableReader(table) for table in copied_tables()]


def copied_tables() -> list[Table]:
    """Return all tables but derived ones, referenced tables before those that refer to them."""
    return [one for one in tables.metadata.sorted_tables if one not in tables.DERIVED_TABLES]


def row_counts(connection: Connection) -> dict[str, int]:
    """Return the number of rows of every table that is copied."""
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in copied_tables()
    }


def _converted(converters: Sequence[_Converter | None], row: Row) -> Key:
    return tuple(
        value if convert is None or value is None else convert(value)
        for convert, value in zip(converters, row, strict=True)
    )


def _driver_converter(kind: TypeEngine[Any], dialect: str) -> _Converter | None:
    if isinstance(kind, UtcDateTime):
        return lambda value: tables.as_driver_datetime(value, dialect)
    return json.dumps if isinstance(kind, JSON) else None


def _canonical_converter(kind: TypeEngine[Any]) -> _Converter | None:
    if isinstance(kind, JSON):
        return _canonical_json
    return _canonical_number if isinstance(kind, Double) else None


def _canonical_json(value: Any) -> str:
    """Return a document as text: PostgreSQL reorders its keys and reformats its numbers."""
    return json.dumps(_integral_as_int(value), sort_keys=True)


def _integral_as_int(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _integral_as_int(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_integral_as_int(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _canonical_number(value: float) -> float | None:
    """Map what only PostgreSQL stores: NaN to None, -0.0 to 0.0."""
    return None if math.isnan(value) else value + 0.0
