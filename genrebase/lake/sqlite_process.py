"""Read a SQLite database through a process of its own, which sees one state of it."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from os import W_OK, access
from pathlib import Path
from typing import IO, Final

import pyarrow as pa

from genrebase.interpreter import module_command
from genrebase.lake.batch_types import TIMESTAMP, as_schema
from genrebase.lake.sqlite_messages import DONE, RELEASE
from genrebase.store.copy import snapshots
from genrebase.store.engine import Engine, read_transaction
from genrebase.store.errors import DatabaseFailure, DatabaseUnreachable
from genrebase.store.settings import StoreSettings

_MODULE: Final = "genrebase.lake.sqlite_process_main"
_END_SECONDS: Final = 10.0
"""The process ends within this time of its input's end, or is killed."""

_EXAMPLES: Final = {
    pa.string(): "'x'",
    TIMESTAMP: "'x'",
    pa.bool_(): "0",
    pa.int64(): "0",
    pa.float64(): "0.5",
    pa.binary(): "x'00'",
}
"""SQL literals that SQLite stores as it stores values of these types."""


def with_types(sql: str, schema: pa.Schema) -> str:
    """Return the query with a first row that has a value in every column.

    The driver takes the type of a column from the first rows. Where these are NULL it assumes
    integers, and fails at the first text.
    """
    examples = ", ".join(_EXAMPLES[field.type] for field in schema)
    return f"SELECT {examples} UNION ALL SELECT * FROM ({sql})"  # noqa: S608 - our own query


class SqliteProcess:
    """The process, and the streams to it."""

    def __init__(self, uri: str, where: str, busy_seconds: float) -> None:
        """Start it on a file's URI."""
        self._where = where
        self._process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            module_command(_MODULE, uri, str(busy_seconds)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the parent, which ends it
        )
        self._requests, self._results, self._messages = (
            _opened(pipe)
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr)
        )

    def wait_until_ready(self) -> None:
        """Wait until it can read; raise `DatabaseUnreachable` if it cannot."""
        if self._results.read(len(DONE)) != DONE:
            reason = self._exit_reason()
            self.close()
            raise DatabaseUnreachable(f"The database at {self._where} cannot be read: {reason}")

    def batches(self, sql: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a query; raise `DatabaseFailure` where reading fails."""
        skipped = 1  # the row of `with_types`
        try:
            self._requests.write(json.dumps(with_types(sql, schema)).encode() + b"\n")
            self._requests.flush()
            with pa.ipc.open_stream(self._results) as stream:
                for batch in stream:
                    if batch.num_rows > skipped:
                        yield self._converted(batch.slice(skipped), schema)
                    skipped = 0
        except (OSError, pa.ArrowInvalid) as error:
            raise self._failure() from error
        if self._results.read(len(DONE)) != DONE:
            raise self._failure()

    def _converted(self, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
        try:
            return as_schema(batch, schema)
        except pa.ArrowInvalid as error:
            self._process.kill()  # it may wait for the rest of the rows to be read
            raise DatabaseFailure(
                f"The database at {self._where} failed in the middle: {error}"
            ) from error

    def release(self) -> None:
        """Let the next query see a later state; until then nobody waits for this reader."""
        try:
            self._requests.write(RELEASE)
            self._requests.flush()
        except OSError as error:
            raise self._failure() from error
        if self._results.read(len(DONE)) != DONE:
            raise self._failure()

    def close(self) -> None:
        """End the process, also in the middle of a stream."""
        self._process.kill()  # it only reads: nothing of it is left behind
        for pipe in (self._requests, self._results, self._messages):
            with suppress(OSError):
                pipe.close()
        self._process.wait()

    def _failure(self) -> DatabaseFailure:
        return DatabaseFailure(
            f"The database at {self._where} failed in the middle: {self._exit_reason()}"
        )

    def _exit_reason(self) -> str:
        with suppress(OSError):
            self._requests.close()
        try:
            code = self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        lines = self._messages.read().decode(errors="replace").strip().splitlines()
        return lines[-1].rstrip(".") if lines else f"the reading process ended with status {code}"


@contextmanager
def open_sqlite(
    engine: Engine, *, in_place: bool, processes: int = 1
) -> Iterator[Sequence[SqliteProcess]]:
    """Yield processes, each of which reads the state of the database at its first query.

    A reader of a database without a write-ahead log blocks commits. So the file is saved to a
    temporary folder first, and read there, except where it is read `in_place`.
    """
    with tempfile.TemporaryDirectory(prefix="genrebase-lake-") as folder, ExitStack() as started:
        with read_transaction(engine) as connection:
            row = connection.exec_driver_sql("PRAGMA database_list").first()
            file = Path(row[2] if row is not None else "")
            has_log = connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            if not (in_place or has_log):
                file = Path(folder) / "snapshot.db"
                snapshots.save(connection, file)
        uri, where = _read_only_uri(file), engine.url.render_as_string()
        wait = StoreSettings.load().busy_timeout
        readers = [
            started.enter_context(closing(SqliteProcess(uri, where, wait)))
            for _ in range(processes)
        ]
        for one in readers:
            one.wait_until_ready()
        yield readers


def _read_only_uri(file: Path) -> str:
    """Return the URI that opens a file for reading only.

    In a folder that cannot be written, a log can be neither created nor read. Where there is none,
    the file is read as one that nobody changes.
    """
    unchangeable = not access(file.parent, W_OK) and not Path(f"{file}-wal").exists()
    return f"{file.as_uri()}?mode=ro{'&immutable=1' if unchangeable else ''}"


def _opened(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - each was requested
    return pipe
