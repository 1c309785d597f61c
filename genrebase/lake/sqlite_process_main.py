"""The process that reads a SQLite file: `python -m genrebase.lake.sqlite_process_main`.

It is a process of its own because the ADBC driver brings its own SQLite library, and two libraries
in one process destroy each other's file locks. From its first query on it sees one state of the
file, until it is to release it. It ends with its input, hence also when the parent dies. Its
arguments are the file's URI, and how many seconds to wait for a process that writes to it.

Half of a short reading is the start of this process. So it uses the driver without its DB-API,
pyarrow without numpy, cloudpickle and `pyarrow.compute`, and leaves types to its parent.
"""

import json
import signal
import sys
from typing import BinaryIO

if __name__ == "__main__":  # in this process, not where it is imported
    for name in ("numpy", "cloudpickle"):
        sys.modules[name] = None  # type: ignore[assignment]  # as if it were not installed

import adbc_driver_sqlite
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcStatement
from adbc_driver_sqlite import StatementOptions

from genrebase.lake.sqlite_messages import BATCH_ROWS, DONE, RELEASE


def execute(statement: AdbcStatement, sql: str) -> pa.RecordBatchReader:
    """Return the rows of a query as the driver delivers them."""
    statement.set_sql_query(sql)
    stream, _ = statement.execute_query()
    return pa.RecordBatchReader.from_stream(stream)


def serve(
    connection: AdbcConnection, statement: AdbcStatement, requests: BinaryIO, results: BinaryIO
) -> None:
    """Write an Arrow stream for each query until the input ends; an empty line releases."""
    for line in requests:
        if line == RELEASE:
            connection.rollback()
        else:
            rows = execute(statement, json.loads(line))
            with pa.ipc.new_stream(results, rows.schema) as stream:
                for batch in rows:
                    stream.write_batch(batch)
        results.write(DONE)
        results.flush()


def main(uri: str, busy_seconds: str) -> None:
    """Serve on the state at the first query, waiting so long for a process that writes to it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        with (
            adbc_driver_sqlite.connect(uri) as database,
            AdbcConnection(database) as connection,
            AdbcStatement(connection) as statement,
        ):
            statement.set_options(**{StatementOptions.BATCH_ROWS.value: str(BATCH_ROWS)})
            milliseconds = round(float(busy_seconds) * 1000)
            execute(statement, f"PRAGMA busy_timeout={milliseconds}").read_all()
            connection.set_autocommit(False)
            execute(statement, "SELECT count(*) FROM sqlite_master").read_all()
            connection.rollback()  # a lock held while others start would stop a writer, and them
            sys.stdout.buffer.write(DONE)
            sys.stdout.buffer.flush()
            serve(connection, statement, sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        pass  # the parent has ended
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent reports it
        sys.exit((str(error).splitlines() or [type(error).__name__])[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
