"""Leases of shards: each step of a harvest leases the shard whose next page it reads."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from collector.catalogue import shard_leases
from collector.catalogue.lease import Lease
from collector.catalogue.shard_leases import LeasedShard
from collector.errors import LeaseLost
from collector.shard import Shard
from genrebase.runtime.clock import Clock
from genrebase.runtime.process_identity import ProcessIdentity
from genrebase.store.engine import Engine, read_transaction, transaction


@dataclass(frozen=True, slots=True)
class LeaseManager:
    """Leases shards for one process."""

    engine: Engine
    clock: Clock
    owner: str
    """The process, as `ProcessIdentity` writes it."""

    def available(self, shards: Sequence[Shard]) -> list[Shard]:
        """Return the shards that no other process, which may be alive, has leased."""
        with read_transaction(self.engine) as connection:
            active = shard_leases.active_leases(connection)
        return [one for one in shards if one.id not in active or self._may_take(active[one.id])]

    @contextmanager
    def acquire(self, shard: Shard) -> Iterator[Lease[LeasedShard]]:
        """Lease a shard for a block, whose last transaction releases it.

        Raises `LeaseLost` if another process was faster. A block that fails releases it, too. If
        the process dies, others take the shard when they see that, or when the lease expires.
        """
        with transaction(self.engine) as connection:
            active = shard_leases.active_leases(connection)
            expired_owners = set(filter(self._may_take, active.values()))
            rows = shard_leases.acquire(connection, shard, self.owner, expired_owners)
        if rows is None:
            raise LeaseLost
        with Lease(self.engine, self.clock, rows).released_on_failure() as lease:
            yield lease

    def _may_take(self, owner: str) -> bool:
        """Return whether the leases of an owner may be taken before they expire.

        Our own active leases were not released, because the database was unreachable then.
        """
        if owner == self.owner:
            return True
        try:
            return ProcessIdentity.parse(owner).is_alive() is False
        except ValueError:
            return False
