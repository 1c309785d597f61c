"""Ask a source: take a slot, look at the ban once more, call, and retry what may pass."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from collector.errors import (
    Blocked,
    EndpointClosed,
    InvalidLimit,
    LeaseLost,
    RateLimited,
    RequestLimitReached,
    StopRequested,
    TransientError,
)
from collector.http.rate_limiter import RequestBudget
from collector.ports import Source
from collector.records import Page, PageQuery
from genrebase.runtime.clock import Clock

MAX_WAIT_SECONDS: Final = 60.0
"""Seconds that are slept out; a longer ban ends the run with exit code 4."""

MAX_ATTEMPTS: Final = 6
"""Requests for one answer, the first included."""

_BEYOND: Final = 0.001
"""Seconds slept beyond the end of a ban, so that rounding cannot end the wait before it."""

_UNPUNCTUAL: Final = 0.05
"""Seconds by which a wait may end early without having been interrupted."""

_backoff = wait_exponential(multiplier=0.25, exp_base=4, max=8) + wait_random(0, 0.25)
"""0.25 to 0.5 s before the first retry, then four times as long each."""

_log = structlog.get_logger(__name__)

T = TypeVar("T")


class RequestLimit:
    """How many requests a run may make, whoever they go to."""

    def __init__(self, max_requests: int | None = None) -> None:
        """Allow `max_requests` requests; None allows any number."""
        self.max_requests = max_requests
        self.used = 0

    @property
    def remaining(self) -> int | None:
        """Requests left; None where there is no limit."""
        return None if self.max_requests is None else self.max_requests - self.used

    def check(self) -> None:
        """Raise `RequestLimitReached` when there is none left."""
        if self.max_requests is not None and self.used >= self.max_requests:
            raise RequestLimitReached


def call_with_retries(
    budget: RequestBudget,
    clock: Clock,
    call: Callable[[], T],
    request_limit: RequestLimit | None = None,
) -> T:
    """Return what `call`, which makes one request, returns; pay for every try.

    A wait up to `MAX_WAIT_SECONDS` is slept out; a longer ban raises `Blocked`, and so does a source
    that keeps refusing us. What is `TransientError` is tried again, at most `MAX_ATTEMPTS` times in all, then
    raised. `RequestLimitReached` and `StopRequested` are raised before a request, never after one.
    """
    request_limit = request_limit or RequestLimit()
    retrying = Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(MAX_ATTEMPTS),
        wait=_wait,
        sleep=partial(_sleep, clock),
        before_sleep=partial(_say, budget.source),
        reraise=True,
    )
    try:
        answer: T = retrying(_once, budget, clock, call, request_limit)
    except RateLimited as error:
        budget.check_ban(clock.now().timestamp())
        raise Blocked(budget.source, clock.now().timestamp(), error.reason) from error
    return answer


def fetch_page(
    budget: RequestBudget,
    clock: Clock,
    source: Source,
    query: PageQuery,
    request_limit: RequestLimit | None = None,
    before_request: Callable[[], None] = lambda: None,
) -> Page:
    """Return a page, as large as `query` wants and the source gives; learn its page limit.

    `keep` is called before each request; where it raises `LeaseLost`, none is made.
    """

    def fetch(query: PageQuery) -> Page:
        before_request()
        return source.fetch(query)

    while True:
        limit = budget.capabilities.page_limit(source.page_limits, clock.now().timestamp())
        fitting = replace(query, limit=min(query.limit, limit, source.max_results - query.offset))
        try:
            return call_with_retries(budget, clock, partial(fetch, fitting), request_limit)
        except InvalidLimit:
            if limit == source.page_limits[-1]:
                raise
            _log.info("page limit refused", source=source.name, limit=limit)
            budget.record_refused_limit(limit, clock.now().timestamp())


@contextmanager
def recording_closed_endpoint(budget: RequestBudget, clock: Clock) -> Iterator[None]:
    """Write down an endpoint that turns out to be closed in the block."""
    try:
        yield
    except EndpointClosed as error:
        budget.record_closed_endpoint(error.endpoint, clock.now().timestamp())
        raise


def _once(
    budget: RequestBudget, clock: Clock, call: Callable[[], T], allowance: RequestLimit
) -> T:
    allowance.check()
    _await_turn(budget, clock)
    allowance.used += 1
    try:
        answer = call()
    except RateLimited as error:
        now = clock.now().timestamp()
        until = budget.record_ban(now, error.retry_after, error.reason)
        _log.warning(
            "rate limited", source=budget.source, seconds=round(until - now), reason=error.reason
        )
        raise
    except LeaseLost:
        allowance.used -= 1
        budget.release()
        raise
    budget.record_success(clock.now().timestamp())
    return answer


def _await_turn(budget: RequestBudget, clock: Clock) -> None:
    while True:
        now = clock.now().timestamp()
        try:
            wait = budget.acquire(now) - now
        except Blocked as ban:
            _sit_out(ban, clock)
            continue
        if wait <= 0:
            return
        try:
            _sleep(clock, wait)
            budget.check_ban(clock.now().timestamp())
        except StopRequested:
            budget.release()
            raise
        except Blocked as ban:
            budget.release()
            _sit_out(ban, clock)
            continue
        return


def _sit_out(ban: Blocked, clock: Clock) -> None:
    wait = (ban.until - clock.now()).total_seconds()
    if wait > MAX_WAIT_SECONDS:
        raise ban
    _sleep(clock, max(wait, 0.0) + _BEYOND)


def _sleep(clock: Clock, seconds: float) -> None:
    if seconds <= 0:
        return
    began = clock.monotonic()
    clock.sleep(seconds)
    if clock.monotonic() - began < seconds - _UNPUNCTUAL:
        raise StopRequested


def _wait(state: RetryCallState) -> float:
    limited = state.outcome is not None and isinstance(state.outcome.exception(), RateLimited)
    return 0.0 if limited else _backoff(state)  # a ban is waited for before the next slot


def _say(source: str, state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, RateLimited):
        _log.info("asking again", source=source, attempt=state.attempt_number, why=str(error))
