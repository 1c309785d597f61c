"""Let transactions that create identities run beside each other: they lock the names they touch.

"The same within two seconds" is no unique key, so two transactions must not create tracks or
artists of one name at the same time. Those of different names need not wait for each other. A lock
is a row of `identity_lock` that is inserted and deleted in the same transaction: another one that
inserts the same hash waits until the first has ended. Only roles that may write can do that.

Whatever changes rows of names that it has not locked (merging, forgetting, undoing, genres) takes
`bulk.lock_identity_writers` instead, which waits for all others and keeps them out. On SQLite a
writing transaction is exclusive already.
"""

import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, TypeVar

from sqlalchemy import Connection

from genrebase.store import bulk
from genrebase.store.bulk import CONCURRENT, NeedsExclusiveLock
from genrebase.store.engine import (
    UNCHECKED_OPTION,
    Engine,
    transaction,
    unchecked_transaction,
)
from genrebase.store.errors import ConcurrentWrites
from genrebase.store.lock_timeout import lock_timeout

_ATTEMPTS: Final = 5
"""Attempts of a transaction beside others, before it runs alone."""

__all__ = ["NeedsExclusiveLock", "can_merge", "is_concurrent", "lock_names", "run_beside_others"]

_Result = TypeVar("_Result")


def run_beside_others(
    engine: Engine, work: Callable[[Connection], _Result], *, checks_keys: bool = True
) -> _Result:
    """Run `work` in a writing transaction beside others that create identities; commit it.

    On SQLite it runs alone. Without `checks_keys`, SQLite checks foreign keys only where tracks
    are merged: then `work` inserts rows for tracks, genres and artists that it has looked up or
    inserted itself.

    `work` calls `lock_names` once, before it reads what it changes. It must change nothing but the
    database: it runs again if others wrote the same rows, and alone if it raises
    `NeedsExclusiveLock`. Raises `DatabaseBusy` if a lock is not available in time.
    """
    if engine.dialect.name == "postgresql":
        for _ in range(_ATTEMPTS):
            try:
                with (
                    transaction(engine) as connection,
                    lock_timeout(connection, bulk.IDENTITY_LOCK_SECONDS),
                ):
                    _join_writers(connection)
                    return work(connection)
            except NeedsExclusiveLock:
                break
            except ConcurrentWrites:
                continue
    elif not checks_keys:
        with suppress(NeedsExclusiveLock), unchecked_transaction(engine) as connection:
            return work(connection)
    with bulk.exclusive_transaction(engine) as connection:
        return work(connection)


def is_concurrent(connection: Connection) -> bool:
    """Return whether other transactions may create identities beside this one."""
    return bool(connection.get_execution_options().get(CONCURRENT, False))


def can_merge(connection: Connection) -> bool:
    """Return whether tracks can be merged: nobody records others, and foreign keys are checked."""
    is_unchecked = connection.get_execution_options().get(UNCHECKED_OPTION, False)
    return not (is_unchecked or is_concurrent(connection))


def lock_names(connection: Connection, names: Iterable[str]) -> None:
    """Let no other transaction lock one of these names until this one ends.

    Call it once in a transaction: the locks are taken in one order, so that no two transactions
    wait for each other. It does nothing in a transaction that runs alone.
    """
    if not is_concurrent(connection):
        return
    slots = sorted({zlib.crc32(name.encode("utf-8", "surrogatepass")) for name in names})
    connection.exec_driver_sql(
        "INSERT INTO identity_lock (slot) SELECT listed.value"
        " FROM unnest(%s::bigint[]) AS listed(value) ORDER BY listed.value",
        (slots,),
    )
    connection.exec_driver_sql("DELETE FROM identity_lock WHERE slot = ANY(%s)", (slots,))


def _join_writers(connection: Connection) -> None:
    """Wait for a transaction that runs alone; keep others from running alone."""
    connection.execution_options(**{CONCURRENT: True})
    connection.exec_driver_sql("LOCK TABLE alembic_version IN ROW EXCLUSIVE MODE")
