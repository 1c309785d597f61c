"""Retry policy of requests: acquire a slot, check the ban, call, retry transient errors.

Retries back off exponentially. A ban works like a circuit breaker: no request is sent until it
ends; `backoff` decides when that is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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

MAX_BAN_WAIT_SECONDS: Final = 60.0
"""A shorter ban is waited for; a longer one ends the run with exit code 4."""

MAX_ATTEMPTS: Final = 6
"""Attempts per request, the first included."""

_BETWEEN_RETRIES: Final = wait_exponential(0.25, max=8, exp_base=4) + wait_random(0, 0.25)
"""Exponential backoff with jitter: 0.25 to 0.5 s, then four times as long each, at most 8 s."""

_AFTER_BAN_SECONDS: Final = 0.001
"""Added to a wait for the end of a ban, so that rounding cannot end the wait before it."""

_EARLY_WAKE_SECONDS: Final = 0.05
"""By so much a sleep may end early without having been interrupted."""

_MIN_WAIT_SECONDS: Final = 0.001
"""A shorter wait before a request is left out: clocks are not that exact."""

_log = structlog.get_logger(__name__)

T = TypeVar("T")


class RequestLimit:
    """Maximum number of requests of a run, to all sources together."""

    def __init__(self, max_requests: int | None = None) -> None:
        """Allow `max_requests`; None allows any number."""
        self.max_requests = max_requests
        self.used = 0
        self.token_requests = 0
        """Requests for access tokens, at most one for each request; not limited otherwise."""

    def check(self) -> None:
        """Raise `RequestLimitReached` when none is left."""
        if self.max_requests is not None and self.used >= self.max_requests:
            raise RequestLimitReached

    @contextmanager
    def counting_token_requests(self) -> Iterator[None]:
        """Count the token requests of the block, in this thread."""
        before = _counts_tokens.set(self)
        try:
            yield
        finally:
            _counts_tokens.reset(before)


_counts_tokens: Final[ContextVar[RequestLimit | None]] = ContextVar("counts_tokens", default=None)


def count_token_request() -> None:
    """Count a request for an access token, which is not part of the budget of requests."""
    limit = _counts_tokens.get()
    if limit is not None:
        limit.token_requests += 1


def call_with_retries(
    budget: RequestBudget,
    clock: Clock,
    call: Callable[[], T],
    request_limit: RequestLimit | None = None,
    before_request: Callable[[], None] = lambda: None,
    *,
    max_attempts: int = MAX_ATTEMPTS,
) -> T:
    """Return the result of `call`, which makes one request; every attempt uses budget.

    `before_request` is called before each request; none is made if it raises `LeaseLost`.

    A ban up to `MAX_BAN_WAIT_SECONDS` is waited for; a longer one raises `Blocked`, and so does a
    source that refuses every attempt. A `TransientError` is retried, up to `max_attempts` in all,
    then raised. `RequestLimitReached` and `StopRequested` are raised before a request, unless
    `call` itself raises one: its request counts. The endpoint of an `EndpointClosed` is recorded.
    """
    retrying = Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(max_attempts),
        wait=_wait,
        sleep=partial(_sleep, clock),
        before_sleep=partial(_log_retry, budget.source),
        reraise=True,
    )
    try:
        limit = request_limit or RequestLimit()
        result: T = retrying(_attempt, budget, clock, call, limit, before_request)
    except RateLimited as error:
        budget.check_ban(clock.now().timestamp())
        raise Blocked(budget.source, clock.now().timestamp(), error.reason) from error
    except EndpointClosed as error:
        budget.record_closed_endpoint(error.endpoint, clock.now().timestamp())
        raise
    return result


def fetch_page(
    budget: RequestBudget,
    clock: Clock,
    source: Source,
    query: PageQuery,
    request_limit: RequestLimit | None = None,
    before_request: Callable[[], None] = lambda: None,
    *,
    max_attempts: int = MAX_ATTEMPTS,
) -> Page:
    """Return a page with up to `query.limit` items; store the source's page limit from a refusal.

    `before_request` as in `call_with_retries`.
    """
    while True:
        limit = budget.capabilities.page_limit(source.page_limits, clock.now().timestamp())
        limited = replace(query, limit=min(query.limit, limit, source.max_results - query.offset))
        try:
            return call_with_retries(
                budget,
                clock,
                partial(source.fetch, limited),
                request_limit,
                before_request,
                max_attempts=max_attempts,
            )
        except InvalidLimit:
            if limit == source.page_limits[-1]:
                raise
            _log.info("page limit refused", source=source.name, limit=limit)
            budget.record_refused_limit(limit, clock.now().timestamp())


def _attempt(
    budget: RequestBudget,
    clock: Clock,
    call: Callable[[], T],
    request_limit: RequestLimit,
    before_request: Callable[[], None],
) -> T:
    request_limit.check()
    _acquire_slot(budget, clock)
    request_limit.used += 1
    try:
        before_request()
        _keep_apart(budget, clock)
    except (LeaseLost, StopRequested):
        request_limit.used -= 1
        budget.release()
        raise
    try:
        with request_limit.counting_token_requests():
            result = call()
    except RateLimited as error:
        now = clock.now().timestamp()
        until = budget.record_ban(now, error.retry_after, error.reason)
        _log.warning(
            "rate limited", source=budget.source, seconds=round(until - now), reason=error.reason
        )
        raise
    finally:
        budget.last_response_at = clock.monotonic()
    budget.record_success(clock.now().timestamp())
    return result


def _acquire_slot(budget: RequestBudget, clock: Clock) -> None:
    """Wait for the next slot; check the ban once more after the wait."""
    while True:
        now = clock.now().timestamp()
        try:
            wait = budget.acquire(now) - now
        except Blocked as ban:
            _wait_out(ban, clock)
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
            _wait_out(ban, clock)
            continue
        return


def _keep_apart(budget: RequestBudget, clock: Clock) -> None:
    """Wait until the interval since this process's last request, and its pause, are over.

    Slots are an interval apart, but a slow database can make a request late for its slot: the next
    one would follow too soon.
    """
    if budget.last_request_at is not None and budget.last_response_at is not None:
        due = max(budget.last_request_at + budget.interval, budget.last_response_at + budget.pause)
        wait = due - clock.monotonic()
        if wait >= _MIN_WAIT_SECONDS:
            _sleep(clock, min(wait, max(budget.interval, budget.pause)))
    budget.last_request_at = clock.monotonic()


def _wait_out(ban: Blocked, clock: Clock) -> None:
    wait = (ban.until - clock.now()).total_seconds()
    if wait > MAX_BAN_WAIT_SECONDS:
        raise ban
    _sleep(clock, max(wait, 0.0) + _AFTER_BAN_SECONDS)


def _sleep(clock: Clock, seconds: float) -> None:
    """Sleep; raise `StopRequested` where the clock wakes up early."""
    if seconds <= 0:
        return
    begun = clock.monotonic()
    clock.sleep(seconds)
    if clock.monotonic() - begun < seconds - _EARLY_WAKE_SECONDS:
        raise StopRequested


def _wait(state: RetryCallState) -> float:
    limited = state.outcome is not None and isinstance(state.outcome.exception(), RateLimited)
    return 0.0 if limited else _BETWEEN_RETRIES(state)  # a ban is waited for before the next slot


def _log_retry(source: str, state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, RateLimited):
        _log.info("retrying", source=source, attempt=state.attempt_number, why=str(error))
