"""Read tables, views and queries as Arrow batches, all from one state of the database."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from itertools import chain
from typing import Any, Final

import pyarrow as pa
from sqlalchemy import JSON, Dialect, Select, Table, Text, cast, func, select
from sqlalchemy.sql.selectable import SelectBase

from genrebase.lake.arrow_types import arrow_schema
from genrebase.lake.postgresql import PostgresCopier, open_postgresql
from genrebase.lake.sqlite_process import SqliteProcess, open_sqlite
from genrebase.store import tables
from genrebase.store.engine import Engine, without_writers

RANGE_KEYS: Final = 100_000
"""Keys of a range, unless another number is given."""


class ArrowReader:
    """Reads one state of a database, one query at a time.

    Integers have 64 bits, times are in UTC, booleans are booleans, documents (JSON) are text.
    """

    def __init__(self, dialect: Dialect, source: PostgresCopier | SqliteProcess) -> None:
        """Compile queries for `dialect` and read them from `source`."""
        self._dialect, self._source = dialect, source
        self._open: Iterator[pa.RecordBatch] = iter(())
        self._queries = 0

    def query(self, query: SelectBase) -> pa.RecordBatchReader:
        """Return the rows of a SELECT, as a stream of batches.

        For SQL as text: `text("SELECT …").columns(name=Type(), …)`. The rest of an earlier stream
        is read and dropped; whoever reads on there gets a `RuntimeError`. Raises
        `DatabaseFailure`, here or while batches are read.
        """
        for _ in self._open:
            pass
        self._queries += 1
        schema = arrow_schema(query.selected_columns)
        rows = self._source.batches(_sql(query, self._dialect), schema)
        first = next(rows, None)  # an error in the query is raised here
        self._open = rows if first is None else chain((first,), rows)
        return pa.RecordBatchReader.from_batches(schema, self._guarded(self._open, self._queries))

    def release(self) -> None:
        """Let the next query see the database as it is then.

        Until then nobody waits for this reader. The rest of an open stream is read and dropped.
        """
        for _ in self._open:
            pass
        self._source.release()

    def key_ranges(self, table: Table, size: int = RANGE_KEYS) -> list[range]:
        """Return the ranges of `size` keys that together hold all rows of a table.

        They begin at multiples of `size`: the same row is in the same range next time.
        """
        key = key_column(table)
        # each by itself: SQLite reads all keys for both at once
        first_key, last_key = (select(end(key)).scalar_subquery() for end in (func.min, func.max))
        row = self.query(select(first_key.label("first"), last_key.label("last")))
        first, last = (column[0].as_py() for column in row.read_all().columns)
        if first is None:
            return []
        starts = range(first // size * size, last + 1, size)
        return [range(start, start + size) for start in starts]

    def _guarded(self, rows: Iterator[pa.RecordBatch], number: int) -> Iterator[pa.RecordBatch]:
        while True:
            if number != self._queries:
                raise RuntimeError("the stream was read after the next query had begun")
            batch = next(rows, None)
            if batch is None:
                return
            yield batch


@contextmanager
def arrow_reader(engine: Engine, *, in_place: bool = False) -> Iterator[ArrowReader]:
    """Yield a reader of the database as it is now, whatever others write meanwhile.

    A SQLite file without a write-ahead log is saved to a temporary folder first, and read there;
    with `in_place` it is read itself, and others cannot commit until the block ends. Raises
    `DatabaseUnreachable`, or `StoreError` where the folder is full.
    """
    with arrow_readers(engine, 1, in_place=in_place) as (reader,):
        yield reader


@contextmanager
def arrow_readers(
    engine: Engine, count: int, *, in_place: bool = True
) -> Iterator[Sequence[ArrowReader]]:
    """Yield readers of one state of the database, each for a thread of its own.

    Raises as `arrow_reader` does.
    """
    if engine.dialect.name == "postgresql":
        with ExitStack() as opened:
            first = opened.enter_context(open_postgresql(engine))
            snapshot = first.snapshot() if count > 1 else None  # a standby has none to share
            others = [
                opened.enter_context(open_postgresql(engine, snapshot)) for _ in range(1, count)
            ]
            yield [ArrowReader(engine.dialect, copier) for copier in (first, *others)]
        return
    with open_sqlite(engine, in_place=in_place, processes=count) as processes:
        readers = [ArrowReader(engine.dialect, process) for process in processes]
        with without_writers(engine) if count > 1 else nullcontext():
            for reader in readers:  # nobody commits until all of them have begun to read
                _begin(reader)
        yield readers


def _begin(reader: ArrowReader) -> None:
    """Let the reader see the present state of the database from now on."""
    reader.query(select(tables.genre.c.id)).read_all()


def key_column(relation: Table) -> Any:
    """Return the column that ranges of rows are made of: `id`, `track_id` or the first one."""
    for name in ("id", "track_id"):
        if name in relation.c:
            return relation.c[name]
    return next(iter(relation.c))


def _sql(query: SelectBase, dialect: Dialect) -> str:
    is_postgresql = dialect.name == "postgresql"
    given = _documents_as_text(query) if is_postgresql else query
    text = str(given.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    return text % () if is_postgresql else text  # its driver would have replaced %% by %


def _documents_as_text(query: SelectBase) -> SelectBase:
    if not any(isinstance(column.type, JSON) for column in query.selected_columns):
        return query
    rows = query.subquery("rows")
    columns: Sequence[Any] = [
        cast(column, Text).label(column.key) if isinstance(column.type, JSON) else column
        for column in rows.c
    ]
    converted: Select[Any] = select(*columns)
    return converted
