"""Write parts of a lake in threads, and cut streams of rows into parts."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Self

import pyarrow as pa

from genrebase.lake.parts import LakePart
from genrebase.lake.version_writer import VersionWriter
from genrebase.runtime.cores import usable_cores

ROWS_PER_PART: Final = 1_000_000
"""Rows of a part of a relation that is not cut by tracks."""
_WAITING_PER_WRITER: Final = 2
"""Parts in memory for every thread that writes."""


class PartWriters:
    """Threads that write parts, while the next ones are read; use it in a `with` block."""

    def __init__(self, version: VersionWriter) -> None:
        """Write into a version."""
        self._version = version
        self._pool = ThreadPoolExecutor(usable_cores(), thread_name_prefix="lake")
        self._waiting: deque[Future[LakePart]] = deque()
        self._limit = _WAITING_PER_WRITER * usable_cores()
        self._parts: list[LakePart] = []

    def __enter__(self) -> Self:
        """Return the writers."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the threads; parts that wait are dropped after an error."""
        self._pool.shutdown(cancel_futures=True)

    def write(self, relation: str, number: int, rows: pa.Table, inputs: str | None = None) -> None:
        """Write a part soon; wait while too many are in memory, and raise their errors."""
        while len(self._waiting) >= self._limit:
            self._parts.append(self._waiting.popleft().result())
        self._waiting.append(
            self._pool.submit(self._version.write, relation, number, rows, inputs)
        )

    def finish(self) -> list[LakePart]:
        """Wait until all are written; return them in order."""
        self._parts += [waiting.result() for waiting in self._waiting]
        self._waiting.clear()
        return self._parts


def whole(stream: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Yield all rows of a stream in one table; none for no rows."""
    rows = stream.read_all()
    if rows.num_rows:
        yield rows


def chunks(stream: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Yield the rows of a stream in tables of about `ROWS_PER_PART` rows; none for no rows."""
    batches: list[pa.RecordBatch] = []
    rows = 0
    for batch in stream:
        batches.append(batch)
        rows += batch.num_rows
        if rows >= ROWS_PER_PART:
            yield pa.Table.from_batches(batches)
            batches, rows = [], 0
    if rows:
        yield pa.Table.from_batches(batches)
