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
    AllowanceSpent,
    Blocked,
    EndpointClosed,
    Interrupted,
    InvalidLimit,
    LeaseLost,
    RateLimited,
    Transient,
)
from collector.http.rate_limiter import Budget
from collector.ports import Source
from collector.records import Page, PageQuery
from genrebase.runtime.clock import Clock

PATIENCE: Final = 60.0
"""Seconds that are slept out; a longer ban ends the run with exit code 4."""

TRIES: Final = 6
"""Requests for one answer, the first included."""

_BEYOND: Final = 0.001
"""Seconds slept beyond the end of a ban, so that rounding cannot end the wait before it."""

_UNPUNCTUAL: Final = 0.05
"""Seconds by which a wait may end early without having been interrupted."""

_backoff = wait_exponential(multiplier=0.25, exp_base=4, max=8) + wait_random(0, 0.25)
"""0.25 to 0.5 s before the first retry, then four times as long each."""

_log = structlog.get_logger(__name__)

T = TypeVar("T")


class Allowance:
    """How many requests a run may make, whoever they go to."""

    def __init__(self, most: int | None = None) -> None:
        """Allow `most` requests; None allows any number."""
        self.most = most
        self.spent = 0

    @property
    def left(self) -> int | None:
        """Requests left; None where there is no limit."""
        return None if self.most is None else self.most - self.spent

    def check(self) -> None:
        """Raise `AllowanceSpent` when there is none left."""
        if self.most is not None and self.spent >= self.most:
            raise AllowanceSpent


def ask(
    budget: Budget, clock: Clock, call: Callable[[], T], allowance: Allowance | None = None
) -> T:
    """Return what `call`, which makes one request, returns; pay for every try.

    A wait up to `PATIENCE` is slept out; a longer ban raises `Blocked`, and so does a source
    that keeps refusing us. What is `Transient` is tried again, at most `TRIES` times in all, then
    raised. `AllowanceSpent` and `Interrupted` are raised before a request, never after one.
    """
    allowance = allowance or Allowance()
    retrying = Retrying(
        retry=retry_if_exception_type(Transient),
        stop=stop_after_attempt(TRIES),
        wait=_wait,
        sleep=partial(_sleep, clock),
        before_sleep=partial(_say, budget.source),
        reraise=True,
    )
    try:
        answer: T = retrying(_once, budget, clock, call, allowance)
    except RateLimited as error:
        budget.check(clock.now().timestamp())
        raise Blocked(budget.source, clock.now().timestamp(), error.reason) from error
    return answer


def fetch_page(
    budget: Budget,
    clock: Clock,
    source: Source,
    query: PageQuery,
    allowance: Allowance | None = None,
    keep: Callable[[], None] = lambda: None,
) -> Page:
    """Return a page, as large as `query` wants and the source gives; learn its page limit.

    `keep` is called before each request; where it raises `LeaseLost`, none is made.
    """

    def fetch(query: PageQuery) -> Page:
        keep()
        return source.fetch(query)

    while True:
        limit = budget.capabilities.page_limit(source.page_limits, clock.now().timestamp())
        fitting = replace(query, limit=min(query.limit, limit, source.reach - query.offset))
        try:
            return ask(budget, clock, partial(fetch, fitting), allowance)
        except InvalidLimit:
            if limit == source.page_limits[-1]:
                raise
            _log.info("page limit refused", source=source.name, limit=limit)
            budget.refused_limit(limit, clock.now().timestamp())


@contextmanager
def remembering_closed(budget: Budget, clock: Clock) -> Iterator[None]:
    """Write down an endpoint that turns out to be closed in the block."""
    try:
        yield
    except EndpointClosed as error:
        budget.found_closed(error.endpoint, clock.now().timestamp())
        raise


def _once(budget: Budget, clock: Clock, call: Callable[[], T], allowance: Allowance) -> T:
    allowance.check()
    _await_turn(budget, clock)
    allowance.spent += 1
    try:
        answer = call()
    except RateLimited as error:
        now = clock.now().timestamp()
        until = budget.banned(now, error.retry_after, error.reason)
        _log.warning(
            "rate limited", source=budget.source, seconds=round(until - now), reason=error.reason
        )
        raise
    except LeaseLost:
        allowance.spent -= 1
        budget.give_back()
        raise
    budget.answered(clock.now().timestamp())
    return answer


def _await_turn(budget: Budget, clock: Clock) -> None:
    while True:
        now = clock.now().timestamp()
        try:
            wait = budget.take(now) - now
        except Blocked as ban:
            _sit_out(ban, clock)
            continue
        if wait <= 0:
            return
        try:
            _sleep(clock, wait)
            budget.check(clock.now().timestamp())
        except Interrupted:
            budget.give_back()
            raise
        except Blocked as ban:
            budget.give_back()
            _sit_out(ban, clock)
            continue
        return


def _sit_out(ban: Blocked, clock: Clock) -> None:
    wait = (ban.until - clock.now()).total_seconds()
    if wait > PATIENCE:
        raise ban
    _sleep(clock, max(wait, 0.0) + _BEYOND)


def _sleep(clock: Clock, seconds: float) -> None:
    if seconds <= 0:
        return
    began = clock.monotonic()
    clock.sleep(seconds)
    if clock.monotonic() - began < seconds - _UNPUNCTUAL:
        raise Interrupted


def _wait(state: RetryCallState) -> float:
    limited = state.outcome is not None and isinstance(state.outcome.exception(), RateLimited)
    return 0.0 if limited else _backoff(state)  # a ban is waited for before the next slot


def _say(source: str, state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, RateLimited):
        _log.info("asking again", source=source, attempt=state.attempt_number, why=str(error))
