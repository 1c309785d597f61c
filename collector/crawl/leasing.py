"""Shards are worked on by one process at a time: each step leases the one that it reads."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from collector.catalogue import leases
from collector.catalogue.leases import ActiveLease
from collector.errors import LeaseLost
from collector.planning import Shard
from genrebase.errors import GenrebaseError
from genrebase.runtime.clock import Clock
from genrebase.runtime.processes import ProcessIdentity
from genrebase.store.engine import Connection, Engine, read_transaction, transaction

LEASE_SECONDS: Final = 30.0
"""How long a lease lasts: longer than a request may take, with the waits between renewals."""

RENEW_AFTER_SECONDS: Final = LEASE_SECONDS / 3
"""Seconds after which it is renewed before the next request."""


LeaseClock = Callable[[Connection], float]
"""The moment by which leases are judged, in seconds since 1970: by default the database's clock,
which is one and the same for all hosts."""


class ShardLease:
    """A shard that is ours for a while."""

    def __init__(
        self, engine: Engine, clock: Clock, shard: Shard, token: int, time: LeaseClock
    ) -> None:
        """Use `LeaseManager.hold`: it takes the shard and gives it back."""
        self._engine, self._clock, self._time = engine, clock, time
        self._shard_id, self._token = shard.id, token
        self._taken = clock.monotonic()

    def renew_if_due(self) -> None:
        """See that it lasts for another request; raise `LeaseLost` where the shard is not ours."""
        if self._clock.monotonic() - self._taken < RENEW_AFTER_SECONDS:
            return
        with transaction(self._engine) as connection:
            until = self._time(connection) + LEASE_SECONDS
            if not leases.renew(connection, self._shard_id, self._token, until):
                raise LeaseLost
        self._taken = self._clock.monotonic()

    def lock(self, connection: Connection) -> None:
        """Make sure that nobody else moves the shard before this transaction ends.

        Raises `LeaseLost` where somebody may have done so already.
        """
        if not leases.lock(connection, self._shard_id, self._token):
            raise LeaseLost

    def release(self, connection: Connection) -> None:
        """Give the shard back at the end of this transaction."""
        leases.release(connection, self._shard_id, self._token)


@dataclass(frozen=True, slots=True)
class LeaseManager:
    """How one process leases shards."""

    engine: Engine
    clock: Clock
    owner: str
    """The process, as `ProcessIdentity` writes it."""
    clock_time: LeaseClock = leases.server_time
    pending_releases: list[ShardLease] = field(default_factory=list)
    """Leases that could not be given back: the database was away. Shared by the steps of a run."""

    def available(self, shards: Sequence[Shard]) -> list[Shard]:
        """Return those of `shards` on which nobody works who may still live."""
        self._return_late()
        busy = {held.shard_id for held in self._held() if not _is_dead(held.owner)}
        return [shard for shard in shards if shard.id not in busy]

    @contextmanager
    def acquire(self, shard: Shard) -> Iterator[ShardLease]:
        """Lease a shard for the block, which gives it back in the transaction of its last write.

        Raises `LeaseLost` where another process was faster. A block that fails gives it back too,
        late where the database is away; a process that dies leaves it to those who see that it
        died, or to the end of its time.
        """
        lease = self._take(shard)
        try:
            yield lease
        except BaseException:
            self.pending_releases.append(lease)
            with suppress(GenrebaseError):
                self._return_late()
            raise

    def _return_late(self) -> None:
        if self.pending_releases:
            with transaction(self.engine) as connection:
                for lease in self.pending_releases:
                    lease.release(connection)
            self.pending_releases.clear()

    def _take(self, shard: Shard) -> ShardLease:
        token = self._try(shard, ())
        if token is None:
            dead = [held.owner for held in self._held() if _is_dead(held.owner)]
            token = self._try(shard, dead) if dead else None
        if token is None:
            raise LeaseLost
        return ShardLease(self.engine, self.clock, shard, token, self.clock_time)

    def _try(self, shard: Shard, dead: Sequence[str]) -> int | None:
        with transaction(self.engine) as connection:
            now = self.clock_time(connection)
            until = now + LEASE_SECONDS
            return leases.acquire(
                connection, shard, self.owner, now=now, until=until, expired_owners=dead
            )

    def _held(self) -> list[ActiveLease]:
        with read_transaction(self.engine) as connection:
            return leases.active_leases(connection, self.clock_time(connection))


def _is_dead(owner: str) -> bool:
    """Say whether the owner of a lease is known to have died; others have the time they took."""
    try:
        return ProcessIdentity.parse(owner).is_alive() is False
    except ValueError:
        return False
