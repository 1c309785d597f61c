"""Leases of ranges of ids in the database, so that two runs do not do the same work.

A lease expires by itself: the worker that has it renews it. Leases are timed by the database's
clock. What is written under a lease must be idempotent: a worker that lost its lease, because it
was cut off, may still write.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, exists, or_, update
from sqlalchemy.dialects import postgresql, sqlite

from genrebase.runtime.heartbeat import beating, failure_logged
from genrebase.store import tables
from genrebase.store.database_clock import server_time
from genrebase.store.engine import transaction

LEASE_SECONDS: Final = 90.0
_RENEW_SECONDS: Final = 20.0

_lease, _run = tables.range_lease, tables.job_run


@dataclass(frozen=True, slots=True)
class IdRange:
    """The rows that a task works on."""

    job: str
    """What is done with them; other work on the same rows has another name."""
    first: int
    last: int
    """The last id, included."""


@contextmanager
def leased(engine: Engine, rows: IdRange, run_id: int) -> Iterator[bool]:
    """Yield whether `rows` are leased to this run while the block runs.

    False if another run that has not ended works on them.
    """
    with transaction(engine) as connection:
        acquired = _acquire(connection, rows, run_id)
    if not acquired:
        yield False
        return
    with beating(lambda: _renew(engine, rows, run_id), _RENEW_SECONDS):
        yield True
    with transaction(engine) as connection:
        connection.execute(delete(_lease).where(_is_ours(rows, run_id)))


def _acquire(connection: Connection, rows: IdRange, run_id: int) -> bool:
    """Lease a range that is free, expired, ours, or of a run that has ended."""
    now = server_time(connection)
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {
        "job": rows.job,
        "first_id": rows.first,
        "last_id": rows.last,
        "run_id": run_id,
        "lease_until": now + LEASE_SECONDS,
    }
    goes_on = exists().where(_run.c.id == _lease.c.run_id, _run.c.outcome == "running")
    until = _lease.c.lease_until
    # no lease lasts twice its time: one that seems to comes from a clock that was set back since
    has_expired = or_(until <= now, until > now + 2 * LEASE_SECONDS)
    statement = insert(_lease).values(values)
    statement = statement.on_conflict_do_update(
        index_elements=["job", "first_id"],
        set_={name: statement.excluded[name] for name in ("last_id", "run_id", "lease_until")},
        where=or_(has_expired, _lease.c.run_id == run_id, ~goes_on),
    )
    return connection.execute(statement.returning(_lease.c.run_id)).first() is not None


def _renew(engine: Engine, rows: IdRange, run_id: int) -> None:
    """Extend the lease; if that fails, the next one suffices."""
    logged = failure_logged("lease_not_renewed", job=rows.job, first=rows.first)
    with logged, transaction(engine) as connection:
        until = server_time(connection) + LEASE_SECONDS
        ours = update(_lease).where(_is_ours(rows, run_id))
        connection.execute(ours.values(lease_until=until))


def _is_ours(rows: IdRange, run_id: int) -> ColumnElement[bool]:
    row = _lease.c
    return and_(row.job == rows.job, row.first_id == rows.first, row.run_id == run_id)
