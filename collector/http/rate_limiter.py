"""The requests we may still make: one row per credential, shared by every process.

Requests are spaced evenly (GCRA without a burst): a slot is taken with one UPDATE, which also
counts the request and gives none while a ban lasts. The slots of the last window are kept, so that
a refusal can tell how many were granted. Time is handed in, in seconds since 1970.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Self

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from collector.errors import Blocked
from collector.http import adaptive_limit, backoff
from collector.http.capabilities import Capabilities
from collector.records import Account
from genrebase.store import bulk
from genrebase.store.engine import read_transaction, transaction
from genrebase.store.tables import budget_slot, source_budget

_LONGEST_QUEUE: Final = 1_000
"""Slots. One reserved further ahead comes from a clock that was set back, and does not count."""

_PRUNE_EVERY: Final = 100
"""Requests after which slots that no window reaches any more are dropped."""

_row, _slot = source_budget.c, budget_slot.c


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget as it is stored."""

    source: str
    requests: int
    """Made so far, by every process, retries included."""
    blocked_until: float | None
    blocked_reason: str | None
    capabilities: Capabilities
    interval: float
    """Seconds between two requests."""
    ceiling: float | None
    """Requests per window, as learned from a refusal; None: as told."""
    next_probe_at: float | None
    """When a higher ceiling is tried."""
    refusals: int
    """Answers 429 so far."""
    banned_seconds: float
    """For which bans kept us away so far, the one in hand to its end."""


class RequestBudget:
    """What one account may still spend."""

    def __init__(self, engine: Engine, account: Account, capabilities: Capabilities) -> None:
        """Use `RequestBudget.open`: it sees to the row."""
        self._engine = engine
        self._account = account
        self._known = capabilities
        self._recovering = False
        self._last_slot: int | None = None
        self.source = account.source
        self.requests_made = 0
        """Requests made through this object."""

    @classmethod
    def open(cls, engine: Engine, account: Account) -> Self:
        """Return the account's budget; make its row, or adapt it to another rate."""
        budget = cls(engine, account, Capabilities())
        with read_transaction(engine) as connection:
            row = connection.execute(select(source_budget).where(budget._mine())).one_or_none()
        if row is None or row.interval != adaptive_limit.request_interval(
            account.rate, row.ceiling
        ):
            with transaction(engine) as connection:
                row = budget._settle(connection)
        budget._known = Capabilities.from_json(row.capabilities)
        return budget

    def acquire(self, now: float) -> float:
        """Reserve the next slot and count its request; return the moment to make it.

        Raises `Blocked` while a ban lasts; nothing is reserved then.
        """
        waiting = and_(
            _row.next_slot_at > now, _row.next_slot_at <= now + _LONGEST_QUEUE * _row.interval
        )
        slot = case((waiting, _row.next_slot_at), else_=now)
        statement = (
            update(source_budget)
            .where(self._mine(), or_(_row.blocked_until.is_(None), _row.blocked_until <= now))
            .values(next_slot_at=slot + _row.interval, requests=_row.requests + 1)
            .returning(source_budget)
        )
        with transaction(self._engine) as connection:
            row = connection.execute(statement).one_or_none()
            if row is not None:
                slot_at: float = max(now, row.next_slot_at - row.interval)
                self._keep(connection, slot_at, row.requests)
        if row is None:
            self.check_ban(now)
            return self.acquire(now)  # the ban was lifted in between
        self._known = Capabilities.from_json(row.capabilities)
        self._recovering = row.blocked_until is not None
        self.requests_made += 1
        if _may_probe(row, now):
            self._probe(now)
        return slot_at

    def release(self) -> None:
        """Uncount a request whose slot was taken, and that was not made."""
        self.requests_made -= 1
        with transaction(self._engine) as connection:
            self._drop_last(connection)
            connection.execute(
                update(source_budget).where(self._mine()).values(requests=_row.requests - 1)
            )

    def check_ban(self, now: float) -> None:
        """Raise `Blocked` while a ban lasts."""
        state = self.state()
        if state.blocked_until is not None and state.blocked_until > now:
            raise Blocked(self.source, state.blocked_until, state.blocked_reason)

    def record_ban(self, now: float, retry_after: float | None, reason: str | None) -> float:
        """Write a 429 down; return until when nothing is asked."""
        with transaction(self._engine) as connection:
            row = self._select(connection, lock=True)
            known = Capabilities.from_json(row.capabilities)
            running = row.blocked_until is not None and row.blocked_until > now
            counted = known if running else known.with_ban()  # one ban, however many refusals
            until = max(
                backoff.next_allowed_at(now, retry_after, reason, counted.bans - 1),
                row.blocked_until or 0.0,
            )
            since = max(now, row.blocked_until or 0.0)
            self._write(
                connection,
                refusals=_row.refusals + 1,
                banned_seconds=_row.banned_seconds + max(0.0, until - since),
                blocked_until=until,
                blocked_reason=reason,
                capabilities=counted.to_json(),
            )
            self._drop_last(connection)
            if reason != backoff.QUOTA_EXCEEDED and not running and not known.bans:
                self._lower(connection, row, now, until)
        self._known = counted
        return until

    def record_success(self, now: float) -> None:
        """Write down that the source answers again, where it had banned us."""
        if not self._recovering:
            return
        self._recovering = False
        with transaction(self._engine) as connection:
            row = self._select(connection, lock=True)
            if row.blocked_until is None or row.blocked_until > now:
                return
            self._known = Capabilities.from_json(row.capabilities).without_bans()
            self._write(
                connection,
                blocked_until=None,
                blocked_reason=None,
                capabilities=self._known.to_json(),
            )

    def _lower(self, connection: Connection, row: Row[Any], now: float, until: float) -> None:
        """Learn from the first refusal after an answer; those that follow it teach no more."""
        rate = self._account.rate
        window = and_(_slot.at > now - rate.seconds, _slot.at <= now)
        counted = select(func.count()).where(self._my_slots(), window)
        granted = connection.execute(counted).scalar_one()
        self._set_ceiling(
            connection,
            adaptive_limit.limit_after_refusal(rate, row.ceiling, granted),
            until + adaptive_limit.PROBE_INTERVAL_SECONDS,
        )

    def _probe(self, now: float) -> None:
        with transaction(self._engine) as connection:
            row = self._select(connection, lock=True)
            if _may_probe(row, now):  # and no other process did meanwhile
                higher = adaptive_limit.increased_limit(self._account.rate, row.ceiling)
                self._set_ceiling(connection, higher, now + adaptive_limit.PROBE_INTERVAL_SECONDS)

    def _set_ceiling(self, connection: Connection, limit: float | None, probe_at: float) -> None:
        self._write(
            connection,
            ceiling=limit,
            interval=adaptive_limit.request_interval(self._account.rate, limit),
            next_probe_at=None if limit is None else probe_at,
        )

    def _keep(self, connection: Connection, at: float, requests: int) -> None:
        own = self._account
        values = {"source": own.source, "credential": own.credential, "at": at}
        key = connection.execute(insert(budget_slot).values(values)).inserted_primary_key
        self._last_slot = None if key is None else key[0]
        if requests % _PRUNE_EVERY == 0:
            gone = and_(self._my_slots(), _slot.at < at - own.rate.seconds)
            connection.execute(delete(budget_slot).where(gone))

    def _drop_last(self, connection: Connection) -> None:
        """Forget the last slot: nothing was granted in it."""
        if self._last_slot is not None:
            connection.execute(delete(budget_slot).where(_slot.id == self._last_slot))
            self._last_slot = None

    def record_refused_limit(self, limit: int, now: float) -> None:
        """Remember that pages of `limit` items are refused."""
        self._learn(lambda known: known.with_refused_limit(limit, now))

    def record_closed_endpoint(self, endpoint: str, now: float) -> None:
        """Remember that `endpoint` is closed."""
        self._learn(lambda known: known.with_closed_endpoint(endpoint, now))

    def _learn(self, change: Callable[[Capabilities], Capabilities]) -> None:
        with transaction(self._engine) as connection:
            row = self._select(connection, lock=True)
            self._known = change(Capabilities.from_json(row.capabilities))
            self._write(connection, capabilities=self._known.to_json())

    @property
    def capabilities(self) -> Capabilities:
        """What the credential may do, as of the last slot taken."""
        return self._known

    def state(self) -> BudgetState:
        """Read the budget as it is stored."""
        with read_transaction(self._engine) as connection:
            row = self._select(connection)
        return _state(row)

    def _settle(self, connection: Connection) -> Row[Any]:
        own = self._account
        bulk.upsert(
            connection,
            source_budget,
            ("source", "credential", "interval", "capabilities"),
            [(own.source, own.credential, adaptive_limit.request_interval(own.rate, None), "{}")],
        )
        row = self._select(connection, lock=True)
        self._write(connection, interval=adaptive_limit.request_interval(own.rate, row.ceiling))
        return row

    def _mine(self) -> Any:
        return and_(
            _row.source == self._account.source, _row.credential == self._account.credential
        )

    def _my_slots(self) -> Any:
        return and_(
            _slot.source == self._account.source, _slot.credential == self._account.credential
        )

    def _select(self, connection: Connection, *, lock: bool = False) -> Row[Any]:
        statement = select(source_budget).where(self._mine())
        if lock:
            statement = statement.with_for_update()
        return connection.execute(statement).one()

    def _write(self, connection: Connection, **values: Any) -> None:
        connection.execute(update(source_budget).where(self._mine()).values(**values))


def load_states(connection: Connection) -> list[BudgetState]:
    """Return every budget there is."""
    rows = connection.execute(select(source_budget).order_by(_row.source, _row.credential))
    return [_state(row) for row in rows]


def _may_probe(row: Row[Any], now: float) -> bool:
    return row.ceiling is not None and row.next_probe_at is not None and row.next_probe_at <= now


def _state(row: Row[Any]) -> BudgetState:
    return BudgetState(
        source=row.source,
        requests=row.requests,
        blocked_until=row.blocked_until,
        blocked_reason=row.blocked_reason,
        capabilities=Capabilities.from_json(row.capabilities),
        interval=row.interval,
        ceiling=row.ceiling,
        next_probe_at=row.next_probe_at,
        refusals=row.refusals,
        banned_seconds=row.banned_seconds,
    )
