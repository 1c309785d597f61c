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
from collector.catalogue.feature_queue import Waiting
from collector.errors import Interrupted, LeaseLost
from genrebase.errors import GenrebaseError
from genrebase.runtime.clock import Clock
from genrebase.store.engine import Engine, reading, transaction

LASTS: Final = timedelta(seconds=30)
"""How long a batch is ours: longer than a request may take, with the waits between renewals."""

RENEW_AFTER: Final = LASTS / 3
"""After this time it is renewed before the next request."""

LOOK_AGAIN: Final = 0.5
"""Seconds between two looks at what other processes are asking about."""


class Batch:
    """Tracks that nobody else asks this provider about for a while."""

    def __init__(
        self, engine: Engine, clock: Clock, provider: str, waiting: list[Waiting], until: datetime
    ) -> None:
        """Use `Batches.take`."""
        self._engine, self._clock, self._provider = engine, clock, provider
        self.waiting = waiting
        """Those that are ours, in the order of their ids."""
        self._until = until

    def keep(self) -> list[str]:
        """See that the batch lasts for another request; return the ids to ask with.

        Raises `LeaseLost` where nothing of it is ours any more.
        """
        now = self._clock.now()
        if self._until - now < LASTS - RENEW_AFTER:
            until = now + LASTS
            with transaction(self._engine) as connection:
                ours = queue.postpone(
                    connection, self._provider, self.waiting, since=self._until, until=until
                )
            self.waiting = [one for one in self.waiting if one.track_id in ours]
            self._until = until
        if not self.waiting:
            raise LeaseLost
        return [one.source_id for one in self.waiting]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Run a block that ends with the answers being recorded; one that fails gives it back."""
        try:
            yield
        except BaseException:
            with suppress(GenrebaseError), transaction(self._engine) as connection:
                queue.postpone(
                    connection,
                    self._provider,
                    self.waiting,
                    since=self._until,
                    until=self._clock.now(),
                )
            raise


@dataclass(frozen=True, slots=True)
class Batches:
    """What is to be asked of one provider."""

    engine: Engine
    clock: Clock
    provider: str
    size: int
    """Tracks of a batch at most."""
    alone: Callable[[], bool] = lambda: False
    """Whether all other processes that may have taken a batch are known to be dead."""
    stop_requested: Callable[[], bool] = lambda: False

    def walk(self) -> Iterator[Batch]:
        """Yield batches until nothing is due, and nobody else asks about anything either.

        What others are asking about is waited for: they may die, or give it back. Raises
        `Interrupted` where we are asked to stop.
        """
        after = 0
        while True:
            if self.stop_requested() and self.is_wanted():
                raise Interrupted
            batch = self._take(after)
            if batch.waiting:
                after = batch.waiting[-1].track_id
                yield batch
            elif after:
                after = 0  # others may have given something back
            elif not self.is_wanted():
                return
            elif not self._inherit():
                self.clock.sleep(LOOK_AGAIN)

    def is_wanted(self) -> bool:
        """Say whether a track is due, or would be if those who ask about it died."""
        with reading(self.engine) as connection:
            until = self.clock.now() + LASTS
            return bool(queue.due(connection, self.provider, until, limit=1))

    def _take(self, after: int) -> Batch:
        now = self.clock.now()
        until = now + LASTS
        with transaction(self.engine) as connection:
            taken = queue.take(
                connection, self.provider, now, until=until, after=after, limit=self.size
            )
        return Batch(self.engine, self.clock, self.provider, taken, until)

    def _inherit(self) -> bool:
        """Free what the dead were asking about; say whether that was anything."""
        now = self.clock.now()  # before the look at who lives: what is taken since is theirs
        if not self.alone():
            return False
        with transaction(self.engine) as connection:
            return queue.free(connection, self.provider, now, until=now + LASTS)
