"""Read query results into pandas data frames with the dtypes of the database columns."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import Boolean, Connection, Float, Integer, Numeric, Select, type_coerce
from sqlalchemy.types import NullType

from genrebase.store import tables

CHUNK: Final = 50_000
"""Rows held as Python values at once: some 100 MB."""


def read_frame(connection: Connection, query: Select[Any]) -> pd.DataFrame:
    """Return the rows of `query`, each column with its dtype."""
    chunks = list(read_chunks(connection, query))
    return chunks[0] if len(chunks) == 1 else pd.concat(chunks, ignore_index=True)


def read_chunks(connection: Connection, query: Select[Any]) -> Iterator[pd.DataFrame]:
    """Yield the rows of `query` in chunks, at least one (it may be empty).

    Columns are converted as a whole, without SQLAlchemy's result processing per value.
    """
    columns = list(query.selected_columns)
    raw = query.with_only_columns(
        *(type_coerce(column, NullType()).label(column.key) for column in columns),
        maintain_column_froms=True,
    )
    chunks = connection.execute(raw).partitions(CHUNK)
    yield _to_frame(columns, next(chunks, []))
    yield from (_to_frame(columns, rows) for rows in chunks)


def _to_frame(columns: Sequence[Any], rows: Sequence[Any]) -> pd.DataFrame:
    values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    return pd.DataFrame(
        {
            str(column.key): _series(column.type, cells)
            for column, cells in zip(columns, values, strict=True)
        }
    )


def _series(kind: Any, cells: Sequence[Any]) -> pd.Series:
    if isinstance(kind, Boolean):
        return pd.Series(pd.array(_nullable_integers(cells), dtype="Int64").astype("boolean"))
    if isinstance(kind, Integer):
        return pd.Series(_nullable_integers(cells))
    if isinstance(kind, (Float, Numeric)):
        return pd.Series(np.array(cells, dtype=np.float64))
    if isinstance(kind, tables.UtcDateTime):
        return pd.Series(pd.to_datetime(list(cells), utc=True, format="ISO8601")).dt.as_unit("us")
    if isinstance(kind, NullType) and not any(isinstance(cell, str) for cell in cells):
        return pd.Series(np.array(cells, dtype=np.float64))  # an SQL function without a type
    return pd.Series(pd.array(list(cells), dtype="string"))


def _nullable_integers(cells: Sequence[Any]) -> pd.arrays.IntegerArray:
    missing = np.fromiter((cell is None for cell in cells), dtype=bool, count=len(cells))
    filled = [0 if cell is None else cell for cell in cells] if missing.any() else cells
    return pd.arrays.IntegerArray(np.array(filled, dtype=np.int64), missing)
