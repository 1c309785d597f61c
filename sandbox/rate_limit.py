"""How many requests the sandbox answers, and what it says to the others."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collector.rate import Rate

QUOTA_EXCEEDED: Final = "QUOTA_EXCEEDED"


@dataclass(frozen=True, slots=True)
class SandboxBan:
    """Requests are refused from one moment to another."""

    since: float
    """When the ban was answered for the first time."""
    until: float
    """Infinite where it has no promised end."""
    reason: str | None = None

    def retry_after(self, now: float) -> int | None:
        """Return what `Retry-After` says at `now`: whole seconds, None where nobody knows."""
        if math.isinf(self.until):
            return None
        # To the millisecond first: (now + 77) - now may be a hair more than 77.
        return max(1, math.ceil(round(self.until - now, 3)))


def seconds_until_free(granted: Sequence[float], now: float, rate: Rate) -> float:
    """Return the seconds until one more request fits into the sliding window, 0 if it does now.

    `granted` are the moments of those answered before, in order. Pure.
    """
    if len(granted) < rate.requests:
        return 0.0
    leaves = granted[-rate.requests] + rate.seconds
    return max(0.0, leaves - now)


class SlidingWindowLimit:
    """One API's limit, and how much of it is used."""

    def __init__(
        self,
        rate: Rate | None = None,
        ban_seconds: float | None = None,
        quota: int | None = None,
    ) -> None:
        """Answer so many requests in any window of `rate` (None: any number).

        A ban lasts `ban_seconds`, or until the next request fits. After `quota` requests in all
        comes a ban without an end.
        """
        self._rate, self._ban_seconds, self._quota = rate, ban_seconds, quota
        self._granted: deque[float] = deque(maxlen=rate.requests if rate else 1)
        self._answered = 0
        self._ban: SandboxBan | None = None

    def active_ban(self, now: float) -> SandboxBan | None:
        """Return the ban that holds at `now`."""
        return self._ban if self._ban and now < self._ban.until else None

    def admit(self, now: float) -> SandboxBan | None:
        """Count a request that comes at `now`; return the ban it meets, None if it is answered."""
        ban = self.active_ban(now)
        if ban is None:
            ban = self._ban = self._refusal(now)
        if ban is None:
            self._granted.append(now)
            self._answered += 1
        return ban

    def _refusal(self, now: float) -> SandboxBan | None:
        if self._quota is not None and self._answered >= self._quota:
            return SandboxBan(now, math.inf, QUOTA_EXCEEDED)
        seconds = seconds_until_free(self._granted, now, self._rate) if self._rate else 0.0
        if not seconds:
            return None
        # Whole seconds, as the header says them: who waits that long is answered.
        return SandboxBan(now, now + (self._ban_seconds or math.ceil(seconds)))
