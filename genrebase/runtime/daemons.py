"""Which daemons run on a database: each keeps a row there, with its latest heartbeat."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, delete, insert, select, update

from genrebase.runtime.clock import Clock
from genrebase.runtime.heartbeat import HEARTBEAT_SECONDS, beating, failure_logged, is_alive
from genrebase.runtime.process_identity import ProcessIdentity
from genrebase.store import tables
from genrebase.store.engine import transaction

COLLECTOR: Final = "collector"
CLASSIFIER: Final = "classifier"
NAMES: Final = (COLLECTOR, CLASSIFIER)

_daemon = tables.daemon


@dataclass(frozen=True, slots=True)
class DaemonRow:
    """A row of `daemon`."""

    name: str
    process: str
    started_at: datetime
    alive_at: datetime

    def is_alive(self, now: datetime) -> bool:
        """Return whether it runs: on this host its process does, elsewhere its heart beats."""
        return is_alive(self.process, self.started_at, self.alive_at, now)


@contextmanager
def registered(engine: Engine, clock: Clock, name: str) -> Iterator[None]:
    """Keep the row of this process as a daemon while the block runs, and remove it at its end.

    Rows of dead daemons of this name are removed first. While the database is away no heartbeat
    is written, and nothing fails for it.
    """
    started_at, process = clock.now(), str(ProcessIdentity.current())
    ours = (_daemon.c.name == name, _daemon.c.process == process)

    def beat() -> None:
        row = {"name": name, "process": process, "started_at": started_at}
        with failure_logged("heartbeat_not_written"), transaction(engine) as connection:
            beaten = update(_daemon).where(*ours).values(alive_at=clock.now())
            if connection.execute(beaten).rowcount == 0:
                _remove_dead(connection, name, clock.now())
                connection.execute(insert(_daemon).values(**row, alive_at=clock.now()))

    def end() -> None:
        with failure_logged("heartbeat_not_written"), transaction(engine) as connection:
            connection.execute(delete(_daemon).where(*ours))

    beat()
    try:
        with beating(beat, HEARTBEAT_SECONDS):
            yield
    finally:
        end()


def read(connection: Connection) -> list[DaemonRow]:
    """Return the daemons that have a row, also dead ones, the latest heartbeat first."""
    query = select(_daemon).order_by(_daemon.c.alive_at.desc(), _daemon.c.process)
    return [DaemonRow(*row) for row in connection.execute(query)]


def _remove_dead(connection: Connection, name: str, now: datetime) -> None:
    for one in read(connection):
        if one.name == name and not one.is_alive(now):
            connection.execute(
                delete(_daemon).where(_daemon.c.name == name, _daemon.c.process == one.process)
            )
