"""Batches of tracks that a provider is asked about: each track by one process at a time.

A batch is taken by writing that it is asked about now, and when to ask again if no answer comes.
So nothing has to be cleaned up after a process that dies: its tracks fall due by themselves.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from collector.catalogue import feature_queue as queue
from collector.catalogue.feature_queue import QueuedTrack
from collector.errors import LeaseLost, StopRequested
from genrebase.errors import GenrebaseError
from genrebase.runtime.clock import Clock
from genrebase.store.engine import Engine, read_transaction, transaction

LEASE_DURATION: Final = timedelta(seconds=30)
"""How long a batch is ours: longer than a request may take, with the waits between renewals."""

RENEW_AFTER: Final = LEASE_DURATION / 3
"""After this time it is renewed before the next request."""

POLL_SECONDS: Final = 0.5
"""Seconds between two looks at what other processes are asking about."""


class LeasedBatch:
    """Tracks that nobody else asks this provider about for a while."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        provider: str,
        waiting: list[QueuedTrack],
        until: datetime,
    ) -> None:
        """Use `LeasedBatches.take`."""
        self._engine, self._clock, self._provider = engine, clock, provider
        self.tracks = waiting
        """Those that are ours, in the order of their ids."""
        self._until = until

    def renew(self) -> list[str]:
        """See that the batch lasts for another request; return the ids to ask with.

        Raises `LeaseLost` where nothing of it is ours any more.
        """
        now = self._clock.now()
        if self._until - now < LEASE_DURATION - RENEW_AFTER:
            until = now + LEASE_DURATION
            with transaction(self._engine) as connection:
                ours = queue.reschedule(
                    connection, self._provider, self.tracks, since=self._until, until=until
                )
            self.tracks = [one for one in self.tracks if one.track_id in ours]
            self._until = until
        if not self.tracks:
            raise LeaseLost
        return [one.source_id for one in self.tracks]

    @contextmanager
    def release_on_failure(self) -> Iterator[None]:
        """Run a block that ends with the answers being recorded; one that fails gives it back."""
        try:
            yield
        except BaseException:
            with suppress(GenrebaseError), transaction(self._engine) as connection:
                queue.reschedule(
                    connection,
                    self._provider,
                    self.tracks,
                    since=self._until,
                    until=self._clock.now(),
                )
            raise


@dataclass(frozen=True, slots=True)
class LeasedBatches:
    """What is to be asked of one provider."""

    engine: Engine
    clock: Clock
    provider: str
    size: int
    """Tracks of a batch at most."""
    no_other_worker: Callable[[], bool] = lambda: False
    """Whether all other processes that may have taken a batch are known to be dead."""
    stop_requested: Callable[[], bool] = lambda: False

    def iterate(self) -> Iterator[LeasedBatch]:
        """Yield batches until nothing is due, and nobody else asks about anything either.

        What others are asking about is waited for: they may die, or give it back. Raises
        `StopRequested` where we are asked to stop.
        """
        after = 0
        while True:
            if self.stop_requested() and self.has_pending():
                raise StopRequested
            batch = self._take(after)
            if batch.tracks:
                after = batch.tracks[-1].track_id
                yield batch
            elif after:
                after = 0  # others may have given something back
            elif not self.has_pending():
                return
            elif not self._inherit():
                self.clock.sleep(POLL_SECONDS)

    def has_pending(self) -> bool:
        """Say whether a track is due, or would be if those who ask about it died."""
        with read_transaction(self.engine) as connection:
            until = self.clock.now() + LEASE_DURATION
            return bool(queue.due_tracks(connection, self.provider, until, limit=1))

    def _take(self, after: int) -> LeasedBatch:
        now = self.clock.now()
        until = now + LEASE_DURATION
        with transaction(self.engine) as connection:
            taken = queue.lease(
                connection, self.provider, now, until=until, after=after, limit=self.size
            )
        return LeasedBatch(self.engine, self.clock, self.provider, taken, until)

    def _inherit(self) -> bool:
        """Free what the dead were asking about; say whether that was anything."""
        now = self.clock.now()  # before the look at who lives: what is taken since is theirs
        if not self.no_other_worker():
            return False
        with transaction(self.engine) as connection:
            return queue.make_due(connection, self.provider, now, until=now + LEASE_DURATION)
