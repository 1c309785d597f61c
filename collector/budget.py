"""The requests we may still make: one row per credential, shared by every process.

Requests are spaced evenly (GCRA without a burst): a slot is taken with one UPDATE, which also
counts the request and gives none while a ban lasts. Time is handed in, in seconds since 1970.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Self

from sqlalchemy import Connection, Engine, Row, and_, case, or_, select, update

from collector import bans
from collector.capabilities import Capabilities
from collector.errors import Blocked
from collector.rates import Rate
from collector.records import Account
from genrebase.store import bulk
from genrebase.store.engine import reading, transaction
from genrebase.store.tables import source_budget

_LONGEST_QUEUE: Final = 1_000
"""Slots. One reserved further ahead comes from a clock that was set back, and does not count."""

_row = source_budget.c


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget as it is stored."""

    source: str
    requests: int
    """Made so far, by every process, retries included."""
    blocked_until: float | None
    blocked_reason: str | None
    capabilities: Capabilities


def interval(rate: Rate, ceiling: float | None) -> float:
    """Return the seconds between two requests: as told, or slower where a ceiling was learned."""
    if ceiling is None:
        return rate.interval
    return max(rate.interval, rate.seconds / max(ceiling, 1.0))


class Budget:
    """What one account may still spend."""

    def __init__(self, engine: Engine, account: Account, capabilities: Capabilities) -> None:
        """Use `Budget.open`: it sees to the row."""
        self._engine = engine
        self._account = account
        self._known = capabilities
        self._recovering = False
        self.source = account.source
        self.spent = 0
        """Requests made through this object."""

    @classmethod
    def open(cls, engine: Engine, account: Account) -> Self:
        """Return the account's budget; make its row, or adapt it to another rate."""
        budget = cls(engine, account, Capabilities())
        with reading(engine) as connection:
            row = connection.execute(select(source_budget).where(budget._mine())).one_or_none()
        if row is None or row.interval != interval(account.rate, row.ceiling):
            with transaction(engine) as connection:
                row = budget._settle(connection)
        budget._known = Capabilities.from_json(row.capabilities)
        return budget

    def take(self, now: float) -> float:
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
            .returning(_row.next_slot_at, _row.interval, _row.blocked_until, _row.capabilities)
        )
        with transaction(self._engine) as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            self.check(now)
            return self.take(now)  # the ban was lifted in between
        self._known = Capabilities.from_json(row.capabilities)
        self._recovering = row.blocked_until is not None
        self.spent += 1
        reserved: float = row.next_slot_at - row.interval
        return max(now, reserved)

    def give_back(self) -> None:
        """Uncount a request whose slot was taken, and that was not made."""
        self.spent -= 1
        with transaction(self._engine) as connection:
            connection.execute(
                update(source_budget).where(self._mine()).values(requests=_row.requests - 1)
            )

    def check(self, now: float) -> None:
        """Raise `Blocked` while a ban lasts."""
        state = self.state()
        if state.blocked_until is not None and state.blocked_until > now:
            raise Blocked(self.source, state.blocked_until, state.blocked_reason)

    def banned(self, now: float, retry_after: float | None, reason: str | None) -> float:
        """Write a 429 down; return until when nothing is asked."""
        with transaction(self._engine) as connection:
            row = self._select(connection, lock=True)
            known = Capabilities.from_json(row.capabilities)
            running = row.blocked_until is not None and row.blocked_until > now
            counted = known if running else known.after_ban()  # one ban, however many refusals
            ban = bans.plan(now, retry_after, reason, counted.bans - 1)
            until = max(ban.until, row.blocked_until or 0.0)
            self._write(
                connection,
                blocked_until=until,
                blocked_reason=reason,
                next_probe_at=until if ban.probe else None,
                capabilities=counted.to_json(),
            )
        self._known = counted
        return until

    def answered(self, now: float) -> None:
        """Write down that the source answers again, where it had banned us."""
        if not self._recovering:
            return
        self._recovering = False
        with transaction(self._engine) as connection:
            row = self._select(connection, lock=True)
            if row.blocked_until is None or row.blocked_until > now:
                return
            self._known = Capabilities.from_json(row.capabilities).after_answer()
            self._write(
                connection,
                blocked_until=None,
                blocked_reason=None,
                next_probe_at=None,
                capabilities=self._known.to_json(),
            )

    def refused_limit(self, limit: int, now: float) -> None:
        """Remember that pages of `limit` items are refused."""
        self._learn(lambda known: known.refusing(limit, now))

    def found_closed(self, endpoint: str, now: float) -> None:
        """Remember that `endpoint` is closed."""
        self._learn(lambda known: known.closing(endpoint, now))

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
        with reading(self._engine) as connection:
            row = self._select(connection)
        return _state(row)

    def _settle(self, connection: Connection) -> Row[Any]:
        own = self._account
        bulk.upsert(
            connection,
            source_budget,
            ("source", "credential", "interval", "capabilities"),
            [(own.source, own.credential, interval(own.rate, None), "{}")],
        )
        row = self._select(connection, lock=True)
        self._write(connection, interval=interval(own.rate, row.ceiling))
        return row

    def _mine(self) -> Any:
        return and_(
            _row.source == self._account.source, _row.credential == self._account.credential
        )

    def _select(self, connection: Connection, *, lock: bool = False) -> Row[Any]:
        statement = select(source_budget).where(self._mine())
        if lock:
            statement = statement.with_for_update()
        return connection.execute(statement).one()

    def _write(self, connection: Connection, **values: Any) -> None:
        connection.execute(update(source_budget).where(self._mine()).values(**values))


def states(connection: Connection) -> list[BudgetState]:
    """Return every budget there is."""
    rows = connection.execute(select(source_budget).order_by(_row.source, _row.credential))
    return [_state(row) for row in rows]


def _state(row: Row[Any]) -> BudgetState:
    return BudgetState(
        source=row.source,
        requests=row.requests,
        blocked_until=row.blocked_until,
        blocked_reason=row.blocked_reason,
        capabilities=Capabilities.from_json(row.capabilities),
    )
