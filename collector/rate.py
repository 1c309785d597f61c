"""Rate limits, parsed from texts like `60/30s`. Pure."""

import re
from dataclasses import dataclass
from typing import Final

SAFETY_FACTOR: Final = 0.97
"""Share of a limit that is used: at the exact spacing one more request falls into a window."""

_RATE: Final = re.compile(r"\s*(\d{1,9})\s*/\s*(\d{1,6}(?:\.\d{1,6})?)?\s*s\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit: so many requests in any window of so many seconds."""

    requests: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.requests}/{self.seconds:g}s"

    @property
    def interval(self) -> float:
        """Seconds between two requests that keep within the limit."""
        return self.seconds / (SAFETY_FACTOR * self.requests)


def parse_rate(text: str) -> Rate:
    """Parse a rate written as `60/30s`; raise ValueError with a sentence otherwise."""
    match = _RATE.fullmatch(text)
    if match:
        rate = Rate(int(match[1]), float(match[2] or 1))
        if rate.requests > 0 and rate.seconds > 0:
            return rate
    raise ValueError(f"{text!r} is not a rate: write requests per seconds, like 60/30s")
