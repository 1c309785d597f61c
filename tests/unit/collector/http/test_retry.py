"""Retries of requests."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Engine

from collector.errors import (
    BadRequest,
    Blocked,
    InvalidLimit,
    InvalidResponse,
    LeaseLost,
    RateLimited,
    RequestLimitReached,
    SourceUnavailable,
    StopRequested,
)
from collector.http.rate_limiter import RequestBudget
from collector.http.retry import (
    MAX_ATTEMPTS,
    MAX_BAN_WAIT_SECONDS,
    RequestLimit,
    call_with_retries,
    fetch_page,
)
from collector.rate_limits import Account, Rate
from collector.records import Page, PageQuery
from tests.fakes import FakeClock, FakeSource

ACCOUNT = Account("spotify", "0123456789abcdef", Rate(60, 30))
QUERY = PageQuery("rock", 'genre:"rock"', 0, 9999, 0, 50)


@pytest.fixture
def budget(sqlite_engine: Engine) -> RequestBudget:
    return RequestBudget.open(sqlite_engine, ACCOUNT)


@dataclass
class Calls:
    """A request that fails as scripted, then succeeds; records its times."""

    clock: FakeClock
    failures: list[Exception] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    def __call__(self) -> str:
        self.at.append(self.clock.monotonic())
        if self.failures:
            raise self.failures.pop(0)
        return "an answer"


class InterruptedClock(FakeClock):
    """A clock whose sleep ends at once, as after a signal."""

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def test_requests_are_spaced(budget: RequestBudget) -> None:
    """Requests through one budget are spaced by its interval."""
    clock = FakeClock()
    call = Calls(clock)
    for _ in range(5):
        call_with_retries(budget, clock, call)
    apart = [after - before for before, after in pairwise(call.at)]
    assert apart == pytest.approx([ACCOUNT.rate.interval] * 4, abs=1e-4)


def test_retries_transient_errors(budget: RequestBudget) -> None:
    """A transient error is retried within half a second (or the next slot), then less often."""
    clock = FakeClock()
    call = Calls(clock, [SourceUnavailable(), InvalidResponse(), SourceUnavailable()])
    assert call_with_retries(budget, clock, call) == "an answer"
    first, second, third = (b - a for a, b in pairwise(call.at))
    assert first <= max(0.5, ACCOUNT.rate.interval) + 0.01
    assert first < second < third
    assert budget.state().requests == 4


def test_gives_up_after_the_maximum_of_attempts(budget: RequestBudget) -> None:
    """A persistent error is raised unchanged after a bounded number of requests."""
    clock = FakeClock()
    call = Calls(clock, [SourceUnavailable("down")] * 10)
    with pytest.raises(SourceUnavailable, match="down"):
        call_with_retries(budget, clock, call)
    assert len(call.at) == MAX_ATTEMPTS


def test_does_not_retry_permanent_errors(budget: RequestBudget) -> None:
    """A request the source does not understand is made once."""
    clock = FakeClock()
    call = Calls(clock, [BadRequest()])
    with pytest.raises(BadRequest):
        call_with_retries(budget, clock, call)
    assert len(call.at) == 1


def test_waits_out_a_short_ban(budget: RequestBudget) -> None:
    """A short Retry-After is waited for, and not much longer."""
    clock = FakeClock()
    call = Calls(clock, [RateLimited(30)])
    assert call_with_retries(budget, clock, call) == "an answer"
    assert 30 < call.at[1] - call.at[0] < 32


def test_a_long_ban_ends_the_run(budget: RequestBudget) -> None:
    """It ends with exit code 4 and the end of the ban, without waiting."""
    clock = FakeClock()
    call = Calls(clock, [RateLimited(20_000, "because")])
    with pytest.raises(Blocked, match=r"because.* until 2026-01-01 17:33:21 UTC") as caught:
        call_with_retries(budget, clock, call)
    assert caught.value.exit_code == 4
    assert clock.slept == []


def test_a_restart_during_a_ban_makes_no_request(
    budget: RequestBudget, sqlite_engine: Engine
) -> None:
    """A new process makes no request before the ban has ended."""
    clock = FakeClock()
    with pytest.raises(Blocked):
        call_with_retries(budget, clock, Calls(clock, [RateLimited(20_000)]))
    clock.advance(20_000 - MAX_BAN_WAIT_SECONDS)
    call = Calls(clock)
    with pytest.raises(Blocked):
        call_with_retries(RequestBudget.open(sqlite_engine, ACCOUNT), clock, call)
    assert call.at == []
    clock.advance(2)
    call_with_retries(RequestBudget.open(sqlite_engine, ACCOUNT), clock, call)
    assert call.at[0] > 20_000


def test_a_ban_during_the_wait_is_respected(budget: RequestBudget, sqlite_engine: Engine) -> None:
    """Another process records a 429 during the wait: no request is made during its ban."""
    clock = FakeClock()

    class BannedMeanwhile(FakeClock):
        def sleep(self, seconds: float) -> None:
            if not self.slept:
                now = self.now().timestamp()
                RequestBudget.open(sqlite_engine, ACCOUNT).record_ban(now, 40, None)
            super().sleep(seconds)

    clock = BannedMeanwhile()
    call = Calls(clock)
    call_with_retries(budget, clock, call)
    call_with_retries(budget, clock, call)
    assert call.at[1] > 40
    assert budget.state().requests == 2


def test_a_source_that_keeps_refusing_blocks(budget: RequestBudget) -> None:
    """A 429 at every attempt ends the run."""
    clock = FakeClock()
    call = Calls(clock, [RateLimited(1)] * 10)
    with pytest.raises(Blocked):
        call_with_retries(budget, clock, call)
    assert len(call.at) == MAX_ATTEMPTS


@pytest.mark.parametrize("maximum", [0, 1, 3])
def test_the_request_limit_counts_retries(budget: RequestBudget, maximum: int) -> None:
    """A run never makes more requests than allowed, retries included."""
    clock = FakeClock()
    call = Calls(clock, [SourceUnavailable()] * 10)
    with pytest.raises(RequestLimitReached):
        call_with_retries(budget, clock, call, RequestLimit(maximum))
    assert len(call.at) == maximum == budget.requests_made


def test_an_interrupted_wait_makes_no_request(budget: RequestBudget) -> None:
    """A stop request ends the wait for a slot, and the slot's request is not counted."""
    clock = InterruptedClock()
    call = Calls(clock)
    call_with_retries(budget, clock, call)
    with pytest.raises(StopRequested):
        call_with_retries(budget, clock, call)
    assert len(call.at) == budget.state().requests == 1


class LimitedSource(FakeSource):
    """A source that returns at most `max_limit` items a page."""

    page_limits = (50, 10)

    def __init__(self, max_limit: int) -> None:
        super().__init__({"rock": []}, max_results=1_000)
        self.max_limit = max_limit

    def fetch(self, query: PageQuery) -> Page:
        self.queries.append(query)
        if query.limit > self.max_limit:
            raise InvalidLimit(query.limit)
        return Page((), 0)


def test_reduces_the_page_limit(budget: RequestBudget, sqlite_engine: Engine) -> None:
    """A refused page is requested again with a smaller limit, which all processes share."""
    clock, source = FakeClock(), LimitedSource(10)
    fetch_page(budget, clock, source, QUERY)
    fetch_page(RequestBudget.open(sqlite_engine, ACCOUNT), clock, source, QUERY)
    assert [query.limit for query in source.queries] == [50, 10, 10]


def test_gives_up_where_no_page_is_small_enough(budget: RequestBudget) -> None:
    """A source that refuses every limit is not retried for ever."""
    source = LimitedSource(1)
    with pytest.raises(InvalidLimit):
        fetch_page(budget, FakeClock(), source, QUERY)
    assert [query.limit for query in source.queries] == [50, 10]


@pytest.mark.parametrize(("offset", "limit"), [(0, 50), (950, 50), (955, 45), (999, 1)])
def test_never_requests_beyond_the_result_limit(
    budget: RequestBudget, offset: int, limit: int
) -> None:
    """The last page of a query is shortened so that offset + limit stays within the limit."""
    source = LimitedSource(50)
    query = PageQuery("rock", 'genre:"rock"', 0, 9999, offset, 50)
    fetch_page(budget, FakeClock(), source, query)
    assert source.queries[0].limit == limit


def test_a_lost_lease_makes_no_request(budget: RequestBudget) -> None:
    """If another process took the shard during the wait, no request is made or counted."""
    source, request_limit = LimitedSource(50), RequestLimit()

    def lose_lease() -> None:
        raise LeaseLost

    with pytest.raises(LeaseLost):
        fetch_page(budget, FakeClock(), source, QUERY, request_limit, lose_lease)
    assert (source.queries, request_limit.used, budget.state().requests) == ([], 0, 0)


class LateClock(FakeClock):
    """A clock that advances while a slot is acquired, as with a slow database."""

    def __init__(self, delays: list[float]) -> None:
        super().__init__()
        self._delays = delays

    def now(self) -> datetime:
        before = super().now()
        if self._delays:
            self.advance(self._delays.pop(0))
        return before


def test_a_request_that_is_late_for_its_slot_delays_the_next(budget: RequestBudget) -> None:
    """Two requests of a process are an interval apart, however late the first one was sent."""
    clock = LateClock([0.3, 0.0, 0.0, 0.2])
    call = Calls(clock)
    for _ in range(5):
        call_with_retries(budget, clock, call)
    assert min(b - a for a, b in pairwise(call.at)) >= ACCOUNT.rate.interval - 1e-4


def test_an_account_pauses_after_a_response(sqlite_engine: Engine) -> None:
    """With a pause the next request comes so long after the response, or the error, before."""
    clock = FakeClock()
    account = replace(ACCOUNT, rate=Rate(20, 21.0), pause=1.0)
    budget = RequestBudget.open(sqlite_engine, account)
    ended: list[float] = []
    begun: list[float] = []

    def slow() -> None:
        begun.append(clock.monotonic())
        clock.advance(0.4)
        ended.append(clock.monotonic())
        if len(ended) == 2:
            raise SourceUnavailable

    for _ in range(4):
        call_with_retries(budget, clock, slow)
    assert len(begun) == 5
    pauses = [after - before for before, after in zip(ended, begun[1:], strict=False)]
    assert pauses == pytest.approx([1.0] * 4)


def test_a_stop_while_a_late_request_waits_makes_no_request(sqlite_engine: Engine) -> None:
    """Its slot is returned."""
    clock = FakeClock()
    budget = RequestBudget.open(sqlite_engine, ACCOUNT)
    call = Calls(clock)
    call_with_retries(budget, clock, call)
    interrupted = InterruptedClock(clock.now() + timedelta(seconds=60))
    budget.last_request_at = budget.last_response_at = interrupted.monotonic()
    with pytest.raises(StopRequested):
        call_with_retries(budget, interrupted, call)
    assert (len(call.at), budget.requests_made) == (1, 1)


def test_a_stop_in_the_middle_of_a_request_counts_it(budget: RequestBudget) -> None:
    """The source has received it: neither the budget nor the limit of the run gets it back."""
    clock, limit = FakeClock(), RequestLimit(5)
    with pytest.raises(StopRequested):
        call_with_retries(budget, clock, Calls(clock, [StopRequested()]), limit)
    assert (limit.used, budget.state().requests, budget.requests_made) == (1, 1, 1)
