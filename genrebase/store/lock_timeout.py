"""Limit the wait for a lock of PostgreSQL, and name the sessions that hold it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from genrebase.store.errors import DatabaseBusy

_LOCK_NOT_AVAILABLE: Final = "55P03"
"""PostgreSQL's code of an expired `lock_timeout`."""

_HOLDERS: Final = """
SELECT DISTINCT a.pid, coalesce(a.usename, p.owner), nullif(a.application_name, ''), p.gid,
    round(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared)))
FROM pg_locks AS l
LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
LEFT JOIN pg_prepared_xacts AS p ON l.virtualtransaction = '-1/' || p.transaction
WHERE l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
    AND coalesce(a.usename, p.owner) IS NOT NULL
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.relation IN
        (SELECT oid FROM pg_class WHERE relnamespace = CAST(current_schema() AS regnamespace))
ORDER BY a.pid LIMIT 5
"""


@contextmanager
def lock_timeout(connection: Connection, seconds: float) -> Iterator[None]:
    """Limit the wait for each lock in the block; raise `DatabaseBusy` with the holding sessions.

    On SQLite it does nothing: a writer waits for `STORE_BUSY_TIMEOUT`.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    before = connection.scalar(text("SELECT current_setting('lock_timeout')"))
    _set(connection, f"{round(seconds * 1000)}ms")
    try:
        yield
    except DBAPIError as error:
        if is_lock_timeout(error):
            raise DatabaseBusy.held_by(_holders(connection), seconds) from error
        raise
    _set(connection, before)


@contextmanager
def shared_lock_timeout(connection: Connection) -> Iterator[Callable[[], None]]:
    """Let the block wait for all its locks together no longer than `lock_timeout` allows for one.

    Yields a function to call before each lock. So nobody can hold one lock after the other up,
    while the first ones hold up everybody else.
    """
    query = "SELECT CAST(setting AS integer) FROM pg_settings WHERE name = 'lock_timeout'"
    milliseconds = connection.scalar(text(query)) or 0
    ends = monotonic() + milliseconds / 1000

    def before_lock() -> None:
        if milliseconds:
            _set(connection, f"{max(1, round((ends - monotonic()) * 1000))}ms")

    yield before_lock
    _set(connection, f"{milliseconds}ms")


def is_lock_timeout(error: DBAPIError) -> bool:
    """Return whether a lock was not available in time."""
    return getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE


def _set(connection: Connection, value: str) -> None:
    """Set the timeout until the end of the transaction."""
    connection.execute(text("SELECT set_config('lock_timeout', :value, true)"), {"value": value})


def _holders(connection: Connection) -> list[str]:
    """Describe the sessions that hold locks on our relations, from a connection of its own."""
    with connection.engine.connect() as other:
        other.exec_driver_sql("SET statement_timeout = '5s'")
        return [
            f"process {pid} of {role} ({program or 'without a name'}, open for {seconds or 0} s)"
            if prepared is None
            else f"the prepared transaction {prepared!r} of {role} (ROLLBACK PREPARED ends it)"
            for pid, role, program, prepared, seconds in other.execute(text(_HOLDERS))
        ]
