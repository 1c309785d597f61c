"""Who works on which shard, as the database knows it.

A lease ends by itself; whoever takes a shard gets a higher fencing token, so that one who comes
back after the end of his lease finds that the shard is no longer his. The time is the database's
own: hosts whose clocks differ must not take what another still works on.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select, update

from collector.planning import Shard
from genrebase.store import bulk, tables

_shard = tables.shard.c


@dataclass(frozen=True, slots=True)
class ActiveLease:
    """A lease that has not ended."""

    shard_id: int
    owner: str


def server_time(connection: Connection) -> float:
    """Return what the database's clock says, in seconds since 1970; on SQLite the host's.

    Not the beginning of the transaction: it may have waited.
    """
    if connection.dialect.name == "postgresql":
        query = "SELECT extract(epoch FROM clock_timestamp())"
    else:
        query = "SELECT (julianday('now') - 2440587.5) * 86400"
    return float(connection.exec_driver_sql(query).scalar_one())


def active_leases(connection: Connection, now: float) -> list[ActiveLease]:
    """Return the leases that have not ended."""
    query = select(_shard.id, _shard.lease_owner).where(_shard.lease_until > now)
    return [ActiveLease(shard_id, owner or "") for shard_id, owner in connection.execute(query)]


def acquire(
    connection: Connection,
    shard: Shard,
    owner: str,
    *,
    now: float,
    until: float,
    expired_owners: Collection[str] = (),
) -> int | None:
    """Lease a shard; return the fencing token, None where somebody was faster.

    That is so where another holds it (but those in `dead`), is taking it right now, or has moved
    its cursor.
    """
    free = or_(
        _shard.lease_until.is_(None),
        _shard.lease_until <= now,
        _shard.lease_owner.in_(expired_owners),
    )
    unmoved = (
        _shard.next_offset == shard.next_offset,
        _shard.requests == shard.requests,
        _shard.status == shard.status,
    )
    query = select(_shard.id).where(_shard.id == shard.id, *unmoved, free)
    if connection.scalar(query.with_for_update(skip_locked=True)) is None:
        return None
    taken = (
        update(tables.shard)
        .where(_shard.id == shard.id)
        .values(lease_owner=owner, lease_until=until, fencing_token=_shard.fencing_token + 1)
        .returning(_shard.fencing_token)
    )
    token: int = connection.execute(taken).scalar_one()
    return token


def renew(connection: Connection, shard_id: int, token: int, until: float) -> bool:
    """Make a lease last until then; False where it is no longer ours."""
    mine = (_shard.id == shard_id, _shard.fencing_token == token)
    renewed = connection.execute(update(tables.shard).where(*mine).values(lease_until=until))
    return renewed.rowcount == 1


def lock(connection: Connection, shard_id: int, token: int) -> bool:
    """Keep everybody else from a shard until the transaction ends; False where it is not ours."""
    bulk.lock_identity_writers(connection)  # first, as everybody who needs both does
    query = select(_shard.id).where(_shard.id == shard_id, _shard.fencing_token == token)
    return connection.scalar(query.with_for_update()) is not None


def release(connection: Connection, shard_id: int, token: int) -> None:
    """Give a shard back, where it is still ours."""
    mine = (_shard.id == shard_id, _shard.fencing_token == token)
    connection.execute(
        update(tables.shard).where(*mine).values(lease_owner=None, lease_until=None)
    )
