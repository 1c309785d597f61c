"""Rate limiter: the request budget and the ban of a credential, in one row for all processes.

Requests are spaced evenly (GCRA without a burst): one UPDATE acquires a slot, counts the request,
and matches no row during a ban. The slots of the last window are kept to count the requests that
were granted before a refusal. Time is a parameter, in seconds since 1970.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Self

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    and_,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from collector.errors import Blocked
from collector.http.adaptive_limit import (
    PROBE_INTERVAL_SECONDS,
    increased_limit,
    limit_after_refusal,
    request_interval,
)
from collector.http.backoff import (
    LONGEST_BAN_SECONDS,
    OVERLOADED,
    QUOTA_EXCEEDED,
    next_allowed_at,
)
from collector.rate_limits import Account, Capabilities
from genrebase.store import bulk
from genrebase.store.engine import read_transaction, transaction
from genrebase.store.tables import budget_slot, source_budget

_MAX_QUEUE: Final = 1_000
"""Slots. One reserved further ahead comes from a clock that was set back, and is ignored."""

_PRUNE_INTERVAL: Final = 100
"""Requests after which the slots before the last window are deleted."""

_COUNTS: Final = ("requests", "refusals", "banned_seconds")
"""Columns that only grow."""

_row, _slot = source_budget.c, budget_slot.c


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A stored budget."""

    source: str
    requests: int
    """Made so far, by all processes, retries included."""
    blocked_until: float | None
    blocked_reason: str | None
    capabilities: Capabilities
    interval: float
    """Seconds between two requests."""
    ceiling: float | None
    """Learned limit in requests per window; None: the configured one."""
    next_probe_at: float | None
    """When the limit is increased next."""
    refusals: int
    """429 responses so far."""
    banned_seconds: float
    """Total duration of all bans, the current one to its end."""

    def is_blocked(self, now: float) -> bool:
        """Return whether a ban is in force.

        One that ends too late comes from a clock that was set back since.
        """
        until = self.blocked_until
        return until is not None and now < until <= now + LONGEST_BAN_SECONDS

    def accepts(self, endpoint: str, now: float) -> bool:
        """Return whether `endpoint` may be requested: it is not closed, and there is no ban."""
        return not self.is_blocked(now) and not self.capabilities.is_closed(endpoint, now)

    @classmethod
    def from_row(cls, row: Row[Any]) -> Self:
        values = {field.name: getattr(row, field.name) for field in fields(cls)}
        return cls(**{**values, "capabilities": Capabilities.from_json(row.capabilities)})


class RequestBudget:
    """The requests that one account may make."""

    def __init__(self, engine: Engine, account: Account, capabilities: Capabilities) -> None:
        """Use `RequestBudget.open`, which creates the row."""
        self._engine = engine
        self._account = account
        self._is_own_row = and_(
            _row.source == account.source, _row.credential == account.credential
        )
        self._is_own_slot = and_(
            _slot.source == account.source, _slot.credential == account.credential
        )
        self._is_replaced_row = and_(
            _row.source == account.source, _row.credential == account.replaced_credential
        )
        self.capabilities = capabilities
        """What the credential may do, as of the last slot acquired."""
        self._recovering = False
        self._last_slot: int | None = None
        self.source = account.source
        self.requests_made = 0
        """Requests made through this object."""
        self.interval = request_interval(account.rate, None)
        """Seconds between two requests, as of the last slot acquired."""
        self.pause = account.pause
        """Seconds from a response to the next request, at least."""
        self.last_request_at: float | None = None
        """When the last request of this object was made, on the monotonic clock."""
        self.last_response_at: float | None = None
        """When the last response, or error, to this object's requests came."""

    @classmethod
    def open(cls, engine: Engine, account: Account) -> Self:
        """Return the account's budget; create its row, or adapt it to another rate."""
        budget = cls(engine, account, Capabilities())
        with read_transaction(engine) as connection:
            statement = select(source_budget).where(budget._is_own_row)
            row = connection.execute(statement).one_or_none()
            replaced = account.replaced_credential and connection.scalar(
                select(_row.credential).where(budget._is_replaced_row)
            )
        if row is None or replaced or row.interval != request_interval(account.rate, row.ceiling):
            with transaction(engine) as connection:
                row = budget._ensure_row(connection)
        budget.capabilities = Capabilities.from_json(row.capabilities)
        return budget

    def acquire(self, now: float) -> float:
        """Reserve the next slot and count its request; return the time to make it.

        Raises `Blocked` during a ban, without reserving a slot.
        """
        is_queued = and_(
            _row.next_slot_at > now, _row.next_slot_at <= now + _MAX_QUEUE * _row.interval
        )
        slot = case((is_queued, _row.next_slot_at), else_=now)
        statement = (
            update(source_budget)
            .where(self._is_own_row, ~_is_banned(now))
            .values(next_slot_at=slot + _row.interval, requests=_row.requests + 1)
            .returning(source_budget)
        )
        with transaction(self._engine) as connection:
            row = connection.execute(statement).one_or_none()
            if row is not None:
                slot_at: float = max(now, row.next_slot_at - row.interval)
                self._log_slot(connection, slot_at, row.requests)
        if row is None:
            self.check_ban(now)
            return self.acquire(now)  # the ban was lifted in between
        self.capabilities = Capabilities.from_json(row.capabilities)
        self.interval = row.interval
        self._recovering = row.blocked_until is not None
        self.requests_made += 1
        if _may_increase(row, now):
            self._increase_limit(now)
        return slot_at

    def release(self) -> None:
        """Return the last slot: its request was not made."""
        self.requests_made -= 1
        with transaction(self._engine) as connection:
            self._delete_last_slot(connection)
            self._write(connection, requests=_row.requests - 1)

    def check_ban(self, now: float) -> None:
        """Raise `Blocked` during a ban."""
        state = self.state()
        if state.blocked_until is not None and state.is_blocked(now):
            raise Blocked(self.source, state.blocked_until, state.blocked_reason)

    def record_ban(self, now: float, retry_after: float | None, reason: str | None) -> float:
        """Record a 429; return the end of the ban."""
        with transaction(self._engine) as connection:
            row = self._select_for_update(connection)
            before = Capabilities.from_json(row.capabilities)
            is_running = BudgetState.from_row(row).is_blocked(now)
            blocked_until = row.blocked_until if is_running else 0.0
            bans = before.bans + (not is_running)  # one ban, however many refusals
            after = replace(before, bans=bans)
            allowed_at = next_allowed_at(
                now, retry_after, reason, after.bans - 1, self._account.first_wait
            )
            until = max(allowed_at, blocked_until)
            self._write(
                connection,
                refusals=_row.refusals + 1,
                banned_seconds=_row.banned_seconds + max(0.0, until - max(now, blocked_until)),
                blocked_until=until,
                blocked_reason=reason,
                capabilities=after.to_json(),
            )
            self._delete_last_slot(connection)
            is_about_rate = reason not in {QUOTA_EXCEEDED, OVERLOADED}
            if is_about_rate and not is_running and not before.bans:
                self._decrease_limit(connection, row, now, until)
        self.capabilities = after
        return until

    def record_success(self, now: float) -> None:
        """End a ban: the source grants requests again."""
        if not self._recovering:
            return
        self._recovering = False
        with transaction(self._engine) as connection:
            row = self._select_for_update(connection)
            if row.blocked_until is None or BudgetState.from_row(row).is_blocked(now):
                return
            self.capabilities = replace(Capabilities.from_json(row.capabilities), bans=0)
            self._write(
                connection,
                blocked_until=None,
                blocked_reason=None,
                capabilities=self.capabilities.to_json(),
            )

    def record_refused_limit(self, limit: int, now: float) -> None:
        self._update_capabilities(lambda before: before.with_refused_limit(limit, now))

    def record_closed_endpoint(self, endpoint: str, now: float) -> None:
        self._update_capabilities(lambda before: before.with_closed_endpoint(endpoint, now))

    def record_access_mode(self, mode: str) -> None:
        """Record the access that a sandbox simulates; drop what another mode refused."""
        if mode != self.capabilities.access_mode:
            self._update_capabilities(lambda before: before.under_access_mode(mode))

    def record_failure(self, endpoint: str, now: float) -> None:
        """Record that `endpoint` gave no answer."""
        self._update_capabilities(lambda before: before.with_failure(endpoint, now))

    def record_response(self, endpoint: str) -> None:
        """Record that `endpoint` responds: its earlier failures are over."""
        if endpoint in self.capabilities.failures:
            self._update_capabilities(lambda before: before.without_failures(endpoint))

    def state(self) -> BudgetState:
        with read_transaction(self._engine) as connection:
            row = connection.execute(select(source_budget).where(self._is_own_row)).one()
        return BudgetState.from_row(row)

    def _decrease_limit(
        self, connection: Connection, row: Row[Any], now: float, until: float
    ) -> None:
        """Lower the limit at the first refusal after a success only."""
        rate = self._account.rate
        in_window = and_(_slot.at > now - rate.seconds, _slot.at <= now)
        granted = connection.execute(
            select(func.count()).where(self._is_own_slot, in_window)
        ).scalar_one()
        limit = limit_after_refusal(rate, row.ceiling, granted)
        self._set_limit(connection, limit, until + PROBE_INTERVAL_SECONDS)

    def _increase_limit(self, now: float) -> None:
        with transaction(self._engine) as connection:
            row = self._select_for_update(connection)
            if _may_increase(row, now):  # and no other process did meanwhile
                limit = increased_limit(self._account.rate, row.ceiling)
                self._set_limit(connection, limit, now + PROBE_INTERVAL_SECONDS)

    def _set_limit(self, connection: Connection, limit: float | None, probe_at: float) -> None:
        self._write(
            connection,
            ceiling=limit,
            interval=request_interval(self._account.rate, limit),
            next_probe_at=None if limit is None else probe_at,
        )

    def _log_slot(self, connection: Connection, at: float, requests: int) -> None:
        account = self._account
        values = {"source": account.source, "credential": account.credential, "at": at}
        key = connection.execute(insert(budget_slot).values(values)).inserted_primary_key
        self._last_slot = None if key is None else key[0]
        if requests % _PRUNE_INTERVAL == 0:
            is_old = _slot.at < at - account.rate.seconds
            connection.execute(delete(budget_slot).where(self._is_own_slot, is_old))

    def _delete_last_slot(self, connection: Connection) -> None:
        """Delete the last slot: its request was not granted."""
        if self._last_slot is not None:
            connection.execute(delete(budget_slot).where(_slot.id == self._last_slot))
            self._last_slot = None

    def _update_capabilities(self, change: Callable[[Capabilities], Capabilities]) -> None:
        with transaction(self._engine) as connection:
            row = self._select_for_update(connection)
            self.capabilities = change(Capabilities.from_json(row.capabilities))
            self._write(connection, capabilities=self.capabilities.to_json())

    def _ensure_row(self, connection: Connection) -> Row[Any]:
        account = self._account
        columns = ("source", "credential", "account", "interval", "capabilities")
        interval = request_interval(account.rate, None)
        new = (account.source, account.credential, account.name, interval, "{}")
        bulk.upsert(connection, source_budget, columns, [new])
        if account.replaced_credential is not None:
            self._add_replaced_row(connection)
        row = self._select_for_update(connection)
        self._write(connection, interval=request_interval(account.rate, row.ceiling))
        return row

    def _add_replaced_row(self, connection: Connection) -> None:
        """Add the counts and the ban of the credential's own row to the account's; remove it."""
        own = connection.execute(
            select(source_budget).where(self._is_replaced_row).with_for_update()
        ).one_or_none()
        if own is None:
            return
        shared = self._select_for_update(connection)
        sums = {name: getattr(shared, name) + getattr(own, name) for name in _COUNTS}
        if (own.blocked_until or 0.0) > (shared.blocked_until or 0.0):
            sums |= {"blocked_until": own.blocked_until, "blocked_reason": own.blocked_reason}
        self._write(connection, next_slot_at=max(shared.next_slot_at, own.next_slot_at), **sums)
        slots = update(budget_slot).where(
            _slot.source == own.source, _slot.credential == own.credential
        )
        connection.execute(slots.values(credential=shared.credential))
        connection.execute(delete(source_budget).where(self._is_replaced_row))

    def _select_for_update(self, connection: Connection) -> Row[Any]:
        statement = select(source_budget).where(self._is_own_row).with_for_update()
        return connection.execute(statement).one()

    def _write(self, connection: Connection, **values: Any) -> None:
        connection.execute(update(source_budget).where(self._is_own_row).values(**values))


def load_states(connection: Connection) -> list[BudgetState]:
    rows = connection.execute(select(source_budget).order_by(_row.source, _row.credential))
    return [BudgetState.from_row(row) for row in rows]


def last_request_at(connection: Connection) -> float | None:
    """Return when the last request of any source was granted, in seconds since 1970."""
    latest: float | None = connection.scalar(select(func.max(_slot.at)))
    return latest


def _is_banned(now: float) -> ColumnElement[bool]:
    """Return the condition of a ban that is running, as `BudgetState.is_blocked` has it."""
    until = func.coalesce(_row.blocked_until, 0.0)
    return and_(until > now, until <= now + LONGEST_BAN_SECONDS)


def _may_increase(row: Row[Any], now: float) -> bool:
    if row.ceiling is None or row.next_probe_at is None:
        return False
    wait: float = row.next_probe_at - now
    return not 0 < wait <= LONGEST_BAN_SECONDS + PROBE_INTERVAL_SECONDS
