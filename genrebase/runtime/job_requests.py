"""Jobs that people want a daemon to run now: stored by the API, taken up by the daemon."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, insert, select, update

from genrebase.runtime.clock import Clock
from genrebase.store import person_names, tables
from genrebase.store.bulk import exclusive_transaction
from genrebase.store.engine import Connection, read_transaction

_request = tables.job_request


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A row of `job_request`."""

    id: int
    job: str
    requested_at: datetime
    requested_by: str | None
    taken_at: datetime | None
    """When a daemon began with it; None: it waits."""


def add(engine: Engine, clock: Clock, job: str, by: str | None = None) -> JobRequest:
    """Store a request for one of `tables.REQUESTED_JOBS`; one that waits already is returned."""
    person = person_names.validate(by or "") or None
    with exclusive_transaction(engine) as connection:
        for waiting in _waiting(connection, [job]):
            return waiting
        values = {"job": job, "requested_at": clock.now(), "requested_by": person}
        connection.execute(insert(_request).values(values))
        return _waiting(connection, [job])[0]


def take(engine: Engine, clock: Clock, jobs: Sequence[str]) -> list[str]:
    """Return which of `jobs` are requested, and mark the requests as taken."""
    with read_transaction(engine) as connection:
        if not _waiting(connection, jobs):
            return []
    with exclusive_transaction(engine) as connection:
        waiting = _waiting(connection, jobs)
        ids = [one.id for one in waiting]
        taken = update(_request).where(_request.c.id.in_(ids))
        connection.execute(taken.values(taken_at=clock.now()))
    return list(dict.fromkeys(one.job for one in waiting))


def latest(connection: Connection, count: int) -> list[JobRequest]:
    """Return the latest requests, the newest first."""
    query = select(_request).order_by(_request.c.id.desc()).limit(count)
    return [JobRequest(*row) for row in connection.execute(query)]


def _waiting(connection: Connection, jobs: Sequence[str]) -> list[JobRequest]:
    query = select(_request).where(_request.c.taken_at.is_(None), _request.c.job.in_(jobs))
    return [JobRequest(*row) for row in connection.execute(query.order_by(_request.c.id))]
