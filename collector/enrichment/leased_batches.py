"""Batches of tracks that one process requests from a provider, leased one after another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from collector.catalogue.attempt_queue import (
    LEASE_DURATION,
    AttemptQueue,
    LeasedTracks,
    QueuePosition,
)
from collector.catalogue.lease import POLL_SECONDS, Lease
from collector.errors import StopRequested
from genrebase.runtime.clock import Clock
from genrebase.store import bulk
from genrebase.store.engine import Engine, read_transaction, transaction


@dataclass(frozen=True, slots=True)
class LeasedBatches:
    """The tracks to request from one provider."""

    engine: Engine
    clock: Clock
    queue: AttemptQueue
    size: int
    """Maximum tracks of a batch."""
    no_other_worker: Callable[[], bool] = lambda: False
    """Whether all other processes that may have leased a batch are known to be dead."""
    stop_requested: Callable[[], bool] = lambda: False
    position: QueuePosition = field(default_factory=QueuePosition)

    def __iter__(self) -> Iterator[Lease[LeasedTracks]]:
        """Yield batches until no track is due and no other process has leased any.

        The leases of others are waited for, because they may expire or be released. Raises
        `StopRequested` if a stop is requested while something is pending.
        """
        while True:
            if self.stop_requested() and self.has_pending():
                raise StopRequested
            batch = self._lease()
            if batch.tracks:
                yield Lease(self.engine, self.clock, batch)
            elif not self.has_pending():
                return
            elif not self._expire_leases_of_the_dead():
                self.clock.sleep(POLL_SECONDS)

    def has_pending(self) -> bool:
        """Return whether a track is due, or is leased and may fall due."""
        with read_transaction(self.engine) as connection:
            return self.queue.has_due(connection, self.clock.now() + LEASE_DURATION, self.position)

    def _lease(self) -> LeasedTracks:
        with transaction(self.engine) as connection:
            leased = self.queue.lease_next(connection, self.position, self.clock.now, self.size)
        if leased.tracks:
            self.position.advance(leased.tracks[-1].track_id)
        return leased

    def _expire_leases_of_the_dead(self) -> bool:
        now = self.clock.now()  # before looking who lives: a lease taken since is somebody's
        if not self.no_other_worker():
            return False
        with bulk.exclusive_transaction(self.engine) as connection:
            return self.queue.expire_leases(connection, now)
