"""Read query results into pandas data frames with the dtypes of the database columns.

Large reads are columnar: Arrow batches, whose buffers become the columns of the frame. A few rows
are read by the database's own driver, because SQLite's Arrow driver starts a process.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Engine,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    Select,
    func,
    select,
    type_coerce,
)
from sqlalchemy.types import NullType

from classifier.arrays import Ids
from genrebase.lake.tables_to_arrow import ArrowReader, arrow_reader
from genrebase.store import tables
from genrebase.store.engine import read_transaction

CHUNK: Final = 50_000
"""Rows held as Python values at once: some 100 MB."""

RANGE_SIZE: Final = 100_000
"""Track ids of a key range: a frame of some 50 MB."""
LIST_SIZE: Final = 10_000
"""Ids that one query names."""
_STRING: Final = pd.StringDtype(na_value=pd.NA)
_MANY_ROWS: Final = 40_000
"""Fewer are read by the database's own driver: starting a process takes longer."""
_MIN_DENSITY: Final = 0.25
"""If a larger share of the ids in a range is wanted, the whole range is read."""


@dataclass(frozen=True, slots=True)
class FrameSource:
    """One state of the database."""

    engine: Engine
    frame: Callable[[Select[Any]], pd.DataFrame]
    """Returns the rows of a query, each column with its dtype."""


OpenState = Callable[[], AbstractContextManager[FrameSource]]
"""Opens the database as it is now; nobody waits for the reader after the block."""


@contextmanager
def state_reader(engine: Engine, n_rows: int) -> Iterator[OpenState]:
    """Yield what opens one state after another, for `n_rows` rows in all."""
    if n_rows < _MANY_ROWS:
        yield partial(few_rows, engine)
        return
    with arrow_reader(engine, in_place=True) as reader:
        reader.release()
        yield partial(_arrow_state, reader, engine)


@contextmanager
def _arrow_state(reader: ArrowReader, engine: Engine) -> Iterator[FrameSource]:
    try:
        yield FrameSource(engine, partial(_read_arrow, reader))
    finally:
        reader.release()


@contextmanager
def few_rows(engine: Engine) -> Iterator[FrameSource]:
    """Yield a source for a few rows."""
    with read_transaction(engine) as connection:
        yield source_of(connection)


def source_of(connection: Connection) -> FrameSource:
    """Return a source for a few rows in the transaction of `connection`."""
    return FrameSource(connection.engine, partial(read_frame, connection))


@contextmanager
def many_rows(engine: Engine) -> Iterator[FrameSource]:
    """Yield a source for many rows.

    On SQLite without a write-ahead log nobody can commit until the block ends.
    """
    with arrow_reader(engine, in_place=True) as reader:
        yield FrameSource(engine, partial(_read_arrow, reader))


def has_key(column: ColumnElement[int], ids: Ids) -> ColumnElement[bool]:
    """Return a condition that `column` is one of `ids` (sorted, not empty).

    Where most ids of their range are wanted, it holds for all of the range.
    """
    first, last = int(ids[0]), int(ids[-1])
    if len(ids) < _MIN_DENSITY * (last - first + 1):
        return column.in_(ids.tolist())
    return column.between(first, last)


def parts(ids: Ids) -> list[Ids]:
    """Return sorted ids in parts that `has_key` can take, each for one query."""
    dense = len(ids) and len(ids) >= _MIN_DENSITY * (ids[-1] - ids[0] + 1)
    size = RANGE_SIZE if dense else LIST_SIZE
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def key_ranges(
    source: FrameSource, key: ColumnElement[int], between: tuple[int, int] | None = None
) -> list[tuple[int, int]]:
    """Return the first and last id of the ranges that hold all keys (of `between`), in order."""
    lowest, highest = (select(bound(key)).scalar_subquery() for bound in (func.min, func.max))
    bounds = source.frame(select(lowest.label("first"), highest.label("last")))
    if bounds["first"].isna().any():
        return []
    first, last = int(bounds["first"].iloc[0]), int(bounds["last"].iloc[0])
    if between is not None:
        first, last = max(first, between[0]), min(last, between[1])
    starts = range(first, last + 1, RANGE_SIZE)
    return [(start, min(start + RANGE_SIZE - 1, last)) for start in starts]


def concatenated(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all frames (at least one), numbered from 0."""
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


def read_frame(connection: Connection, query: Select[Any]) -> pd.DataFrame:
    """Return the rows of `query`, each column with its dtype."""
    return concatenated(list(read_chunks(connection, query)))


def _read_arrow(reader: ArrowReader, query: Select[Any]) -> pd.DataFrame:
    table = reader.query(query).read_all()
    columns = zip(query.selected_columns, table.columns, strict=True)
    return pd.DataFrame(
        {str(column.key): _arrow_series(column.type, cells) for column, cells in columns}
    )


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


def _arrow_series(kind: Any, cells: pa.ChunkedArray) -> pd.Series:
    if isinstance(kind, (Boolean, Integer)):
        missing = cells.is_null().to_numpy()
        numbers = cells.cast(pa.int64()).fill_null(0).to_numpy().astype(np.int64, copy=False)
        integers = pd.arrays.IntegerArray(numbers.copy(), missing)
        return pd.Series(integers.astype("boolean") if isinstance(kind, Boolean) else integers)
    if isinstance(kind, (Float, Numeric)):
        return pd.Series(cells.fill_null(np.nan).to_numpy().astype(np.float64))
    if isinstance(kind, tables.UtcDateTime):
        return pd.Series(cells.to_pandas()).dt.as_unit("us")
    if isinstance(kind, LargeBinary):
        return pd.Series(cells.to_pandas(), dtype=object)
    texts: Any = _STRING
    return pd.Series(texts.__from_arrow__(cells.cast(pa.large_string())))


def _series(kind: Any, cells: Sequence[Any]) -> pd.Series:
    if isinstance(kind, Boolean):
        return pd.Series(pd.array(_nullable_integers(cells), dtype="Int64").astype("boolean"))
    if isinstance(kind, Integer):
        return pd.Series(_nullable_integers(cells))
    if isinstance(kind, (Float, Numeric)):
        return pd.Series(np.array(cells, dtype=np.float64))
    if isinstance(kind, tables.UtcDateTime):
        return pd.Series(pd.to_datetime(list(cells), utc=True, format="ISO8601")).dt.as_unit("us")
    if isinstance(kind, LargeBinary):
        return pd.Series(list(cells), dtype=object)
    if isinstance(kind, NullType) and not any(isinstance(cell, str) for cell in cells):
        return pd.Series(np.array(cells, dtype=np.float64))  # an SQL function without a type
    return pd.Series(pd.array(list(cells), dtype="string"))


def _nullable_integers(cells: Sequence[Any]) -> pd.arrays.IntegerArray:
    missing = np.fromiter((cell is None for cell in cells), dtype=bool, count=len(cells))
    filled = [0 if cell is None else cell for cell in cells] if missing.any() else cells
    return pd.arrays.IntegerArray(np.array(filled, dtype=np.int64), missing)
