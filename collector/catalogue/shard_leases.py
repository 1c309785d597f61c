"""Leases of shards in the database, with fencing tokens.

Whoever leases a shard gets a higher fencing token, so that a process that comes back after the end
of its lease finds that the shard is no longer its own. Leases are timed by the database's clock:
hosts whose clocks differ must not take a shard that another still works on.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from collector.catalogue import shards
from collector.catalogue.lease import LEASE_SECONDS
from collector.errors import LeaseLost
from collector.shard import Shard
from genrebase.store import bulk, name_locks, tables
from genrebase.store.database_clock import server_time

_shard = tables.shard.c


@dataclass(frozen=True, slots=True)
class LeasedShard:
    """A shard that this process has leased."""

    shard_id: int
    token: int

    def renew(self, connection: Connection) -> bool:
        """Extend the lease; False if the shard is no longer ours."""
        until = server_time(connection) + LEASE_SECONDS
        renewed = update(tables.shard).where(self._ours()).values(lease_until=until)
        return connection.execute(renewed).rowcount == 1

    def lock(self, connection: Connection) -> None:
        """Keep others from moving the shard's cursor until this transaction ends.

        Raises `LeaseLost` if another process may have moved it already.
        """
        if not name_locks.is_concurrent(connection):
            bulk.lock_identity_writers(connection)  # first, like everybody who needs both locks
        query = select(_shard.id).where(self._ours()).with_for_update()
        if connection.scalar(query) is None:
            raise LeaseLost

    def release(self, connection: Connection) -> None:
        """Release the shard at the end of this transaction, if it is still ours."""
        released = update(tables.shard).where(self._ours())
        connection.execute(released.values(lease_owner=None, lease_until=None))

    def _ours(self) -> ColumnElement[bool]:
        return (_shard.id == self.shard_id) & (_shard.fencing_token == self.token)


def active_leases(connection: Connection) -> dict[int, str]:
    """Return the owners of the leases that have not expired, by the ids of their shards."""
    query = select(_shard.id, _shard.lease_owner).where(
        _shard.lease_until.is_not(None), ~_has_expired(server_time(connection))
    )
    return {shard_id: owner or "" for shard_id, owner in connection.execute(query)}


def _has_expired(now: float) -> ColumnElement[bool]:
    """Return the condition of no lease, or one that has ended.

    No lease lasts twice its time: one that seems to comes from a clock that was set back since.
    """
    until = func.coalesce(_shard.lease_until, 0.0)
    return or_(until <= now, until > now + 2 * LEASE_SECONDS)


def acquire(
    connection: Connection, shard: Shard, owner: str, expired_owners: Collection[str]
) -> LeasedShard | None:
    """Lease a shard; return None if another process was faster.

    That is, if an owner that is not in `expired_owners` holds a lease, is acquiring one right now,
    or has moved the cursor.
    """
    now = server_time(connection)
    free = or_(_has_expired(now), _shard.lease_owner.in_(expired_owners))
    query = select(_shard.id).where(*shards.is_unmoved(shard), free)
    if connection.scalar(query.with_for_update(skip_locked=True)) is None:
        return None
    leased = (
        update(tables.shard)
        .where(_shard.id == shard.id)
        .values(
            lease_owner=owner,
            lease_until=now + LEASE_SECONDS,
            fencing_token=_shard.fencing_token + 1,
        )
        .returning(_shard.fencing_token)
    )
    return LeasedShard(shard.id, connection.execute(leased).scalar_one())
