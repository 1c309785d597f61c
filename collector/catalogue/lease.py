"""Leases: locks that expire, on rows that one process works on, such as a batch of tracks.

A lease expires by itself, so that a process that dies blocks nobody for long. It is renewed before
each request, and released in the transaction that records the response, or when a block fails.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, Generic, Protocol, TypeVar

from collector.errors import LeaseLost
from genrebase.errors import GenrebaseError
from genrebase.runtime.clock import Clock
from genrebase.store import bulk
from genrebase.store.engine import Connection, Engine

LEASE_SECONDS: Final = 30.0
"""How long a lease lasts: longer than a request may take, with the waits between renewals."""

RENEW_AFTER_SECONDS: Final = LEASE_SECONDS / 3
"""Age from which a lease is renewed before the next request."""

POLL_SECONDS: Final = 0.5
"""Seconds between two looks at what other processes have leased."""


class LeasedRows(Protocol):
    """The rows of a lease, and the SQL that keeps other processes away from them."""

    def renew(self, connection: Connection) -> bool:
        """Extend the lease to `LEASE_SECONDS` from now; False if none of the rows is ours."""

    def release(self, connection: Connection) -> None:
        """Make the rows that are still ours available to others."""


RowsT = TypeVar("RowsT", bound=LeasedRows)


class Lease(Generic[RowsT]):
    """Rows that this process has leased just now."""

    def __init__(self, engine: Engine, clock: Clock, rows: RowsT) -> None:
        """Keep `rows`, which have been leased already."""
        self._engine, self._clock = engine, clock
        self.rows = rows
        self._renewed_at = clock.monotonic()

    def renew_if_due(self) -> None:
        """Make the lease last for another request; raise `LeaseLost` if nothing of it is ours."""
        if self._clock.monotonic() - self._renewed_at < RENEW_AFTER_SECONDS:
            return
        with bulk.exclusive_transaction(self._engine) as connection:
            ours = self.rows.renew(connection)
        if not ours:
            raise LeaseLost
        self._renewed_at = self._clock.monotonic()

    @contextmanager
    def released_on_failure(self) -> Iterator["Lease[RowsT]"]:
        """Run a block that records a response; release the rows if it fails."""
        try:
            yield self
        except BaseException:
            with (
                suppress(GenrebaseError),
                bulk.exclusive_transaction(self._engine) as connection,
            ):
                self.rows.release(connection)
            raise
