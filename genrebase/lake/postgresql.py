"""Read a PostgreSQL database by binary COPY, in one transaction that sees one state of it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import pyarrow as pa

from genrebase.errors import UserError
from genrebase.extras import install_hint
from genrebase.lake.batch_types import as_schema
from genrebase.store.engine import Engine, postgresql_options, reason_of
from genrebase.store.errors import DatabaseFailure, DatabaseUnreachable

_SNAPSHOT: Final = (
    r"-c default_transaction_isolation=repeatable\ read -c default_transaction_read_only=on"
)


class PostgresCopier:
    """A connection whose queries all see the state of the first one."""

    def __init__(self, connection: Any, where: str) -> None:
        """Read on an ADBC connection without autocommit; `where` is for messages."""
        self._connection, self._where = connection, where

    def batches(self, sql: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a query; raise `DatabaseFailure` where reading fails."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql)
                for batch in cursor.fetch_record_batch():
                    yield as_schema(batch, schema)
        except (self._connection.Error, OSError, pa.ArrowInvalid) as error:
            raise DatabaseFailure(
                f"The database at {self._where} failed in the middle: {reason_of(error)}"
            ) from error

    def snapshot(self) -> str:
        """Return the name by which other readers see the same state."""
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT pg_export_snapshot()")
            return str(cursor.fetchone()[0])

    def release(self) -> None:
        """Let the next query see a later state of the database."""
        try:
            self._connection.rollback()
        except (self._connection.Error, OSError) as error:
            raise DatabaseFailure(
                f"The database at {self._where} failed in the middle: {reason_of(error)}"
            ) from error


@contextmanager
def open_postgresql(engine: Engine, snapshot: str | None = None) -> Iterator[PostgresCopier]:
    """Yield a reader of one state of the database; raise `DatabaseUnreachable` without one.

    With the `snapshot` of another reader, which must still be open, both see the same state.
    """
    try:
        import adbc_driver_postgresql.dbapi as adbc  # of the extra postgres
        from psycopg.conninfo import make_conninfo
    except ModuleNotFoundError:
        raise UserError(f"PostgreSQL needs its drivers. {install_hint('postgres')}") from None

    where = engine.url.render_as_string()
    options = postgresql_options(engine)
    options["options"] = f"{options['options']} {_SNAPSHOT}"
    with ExitStack() as opened:
        try:
            connection = opened.enter_context(adbc.connect(make_conninfo(**options)))
            with connection.cursor() as cursor:
                if snapshot is not None:
                    cursor.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
                cursor.execute("SELECT 1")  # the snapshot begins
                cursor.fetchone()
        except (adbc.Error, OSError) as error:
            raise DatabaseUnreachable(
                f"The database at {where} does not respond: {reason_of(error)}"
            ) from error
        yield PostgresCopier(connection, where)
