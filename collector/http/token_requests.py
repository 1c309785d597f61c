"""Count the requests for access tokens that a run makes: its request budget does not have them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(slots=True)
class TokenRequests:
    """A counter."""

    made: int = 0


_current: Final[ContextVar[TokenRequests | None]] = ContextVar("token_requests", default=None)


@contextmanager
def counting(counter: TokenRequests) -> Iterator[None]:
    """Let `counter` have the token requests of the block, in this thread."""
    before = _current.set(counter)
    try:
        yield
    finally:
        _current.reset(before)


def add_one() -> None:
    """Count one token request."""
    counter = _current.get()
    if counter is not None:
        counter.made += 1
