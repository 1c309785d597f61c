"""Count the requests of a run for access tokens, which are not part of its request budget."""

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
    """Count the token requests of the block in `counter`, in this thread."""
    before = _current.set(counter)
    try:
        yield
    finally:
        _current.reset(before)


def add_one() -> None:
    counter = _current.get()
    if counter is not None:
        counter.made += 1
