"""Rows of a query as frames: each column gets the dtype it has in the database."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import Boolean, Connection, Float, Integer, Numeric, Select, type_coerce
from sqlalchemy.types import NullType

from genrebase.store import tables

CHUNK: Final = 50_000
"""Rows held as single values at once: some 100 MB."""


def read_frame(connection: Connection, query: Select[Any]) -> pd.DataFrame:
    """Return the rows of `query`, each column with its dtype."""
    found = list(read_chunks(connection, query))
    return found[0] if len(found) == 1 else pd.concat(found, ignore_index=True)


def read_chunks(connection: Connection, query: Select[Any]) -> Iterator[pd.DataFrame]:
    """Run `query` without SQLAlchemy's work per value; give each column its dtype at once.

    At least one part comes, if need be without rows.
    """
    kinds = list(query.selected_columns)
    raw = query.with_only_columns(
        *(type_coerce(column, NullType()).label(column.key) for column in kinds),
        maintain_column_froms=True,
    )
    found = connection.execute(raw).partitions(CHUNK)
    yield _columns(kinds, next(found, []))
    yield from (_columns(kinds, rows) for rows in found)


def _columns(kinds: Sequence[Any], rows: Sequence[Any]) -> pd.DataFrame:
    values = list(zip(*rows, strict=True)) if rows else [()] * len(kinds)
    return pd.DataFrame(
        {
            str(column.key): _series(column.type, cells)
            for column, cells in zip(kinds, values, strict=True)
        }
    )


def _series(kind: Any, cells: Sequence[Any]) -> pd.Series:
    if isinstance(kind, Boolean):
        return pd.Series(pd.array(_whole(cells), dtype="Int64").astype("boolean"))
    if isinstance(kind, Integer):
        return pd.Series(_whole(cells))
    if isinstance(kind, (Float, Numeric)):
        return pd.Series(np.array(cells, dtype=np.float64))
    if isinstance(kind, tables.UtcDateTime):
        return pd.Series(pd.to_datetime(list(cells), utc=True, format="ISO8601")).dt.as_unit("us")
    if isinstance(kind, NullType) and not any(isinstance(cell, str) for cell in cells):
        return pd.Series(np.array(cells, dtype=np.float64))  # a function of SQL without a type
    return pd.Series(pd.array(list(cells), dtype="string"))


def _whole(cells: Sequence[Any]) -> pd.arrays.IntegerArray:
    missing = np.fromiter((cell is None for cell in cells), dtype=bool, count=len(cells))
    filled = [0 if cell is None else cell for cell in cells] if missing.any() else cells
    return pd.arrays.IntegerArray(np.array(filled, dtype=np.int64), missing)
