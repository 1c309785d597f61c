"""The Arrow types of tables' and views' columns."""

from collections.abc import Iterable
from typing import Any, Final

import pyarrow as pa
from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Float,
    Integer,
    LargeBinary,
    String,
    TypeDecorator,
)
from sqlalchemy.types import TypeEngine

from genrebase.lake.batch_types import TIMESTAMP
from genrebase.store.tables import UtcDateTime

_TYPES: Final[tuple[tuple[type[TypeEngine[Any]] | type[TypeDecorator[Any]], pa.DataType], ...]] = (
    (UtcDateTime, TIMESTAMP),
    (Boolean, pa.bool_()),
    (Integer, pa.int64()),
    (Float, pa.float64()),
    (String, pa.string()),
    (JSON, pa.string()),
    (LargeBinary, pa.binary()),
)


def arrow_type(kind: TypeEngine[Any]) -> pa.DataType:
    """Return the Arrow type of a column: times in UTC, 64-bit integers, documents as text.

    Raises `TypeError` for a type that no table or view has.
    """
    for sql_type, data_type in _TYPES:
        if isinstance(kind, sql_type):
            return data_type
    raise TypeError(f"a column of type {kind!r} has no Arrow type: cast it in the query")


def arrow_schema(columns: Iterable[ColumnElement[Any]]) -> pa.Schema:
    """Return the schema of these columns, in their order."""
    return pa.schema([(str(column.key), arrow_type(column.type)) for column in columns])
