"""Server-side rate limiting: a sliding window, bans with Retry-After, an overall quota."""

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collector.rate_limits import Rate

QUOTA_EXCEEDED: Final = "QUOTA_EXCEEDED"


@dataclass(frozen=True, slots=True)
class SandboxBan:
    """Requests are refused between two moments."""

    since: float
    """When the first 429 of the ban was sent."""
    until: float
    """Infinite where the ban has no end."""
    reason: str | None = None

    def retry_after(self, now: float) -> int | None:
        """Return the value of `Retry-After`: whole seconds; None for a ban without an end."""
        if math.isinf(self.until):
            return None
        # To the millisecond first: (now + 77) - now may be a hair more than 77.
        return max(1, math.ceil(round(self.until - now, 3)))

    def headers(self, now: float) -> dict[str, str]:
        """Return the header `Retry-After`; none for a ban without an end."""
        seconds = self.retry_after(now)
        return {} if seconds is None else {"Retry-After": str(seconds)}


class RateLimit(ABC):
    """The rate limit of one service, and how much of it is used."""

    def __init__(self, rate: Rate | None) -> None:
        """Allow `rate` (None: any number of requests)."""
        self.rate = rate
        self._ban: SandboxBan | None = None

    def active_ban(self, now: float) -> SandboxBan | None:
        """Return the ban in force at `now`."""
        return self._ban if self._ban and now < self._ban.until else None

    @abstractmethod
    def admit(self, now: float) -> SandboxBan | None:
        """Count a request that arrives at `now`; return the ban that refuses it, if any."""


def seconds_until_free(granted: Sequence[float], now: float, rate: Rate) -> float:
    """Return the seconds until one more request fits into the sliding window, 0 if it does now.

    `granted` are the moments of the earlier successful requests, in order. Pure.
    """
    if len(granted) < rate.requests:
        return 0.0
    leaves_window = granted[-rate.requests] + rate.seconds
    return max(0.0, leaves_window - now)


class SlidingWindowLimit(RateLimit):
    """So many requests in any window; a request beyond them begins a ban."""

    def __init__(
        self,
        rate: Rate | None = None,
        ban_seconds: float | None = None,
        quota: int | None = None,
    ) -> None:
        """Allow `rate` (None: any number of requests).

        A ban lasts `ban_seconds`, or until the next request fits. After `quota` requests in all
        comes a ban without an end.
        """
        super().__init__(rate)
        self._ban_seconds, self._quota = ban_seconds, quota
        self._granted: deque[float] = deque(maxlen=rate.requests if rate else 1)
        self._n_granted = 0

    def admit(self, now: float) -> SandboxBan | None:
        ban = self.active_ban(now)
        if ban is None:
            ban = self._ban = self._new_ban(now)
        if ban is None:
            self._granted.append(now)
            self._n_granted += 1
        return ban

    def _new_ban(self, now: float) -> SandboxBan | None:
        if self._quota is not None and self._n_granted >= self._quota:
            return SandboxBan(now, math.inf, QUOTA_EXCEEDED)
        seconds = seconds_until_free(self._granted, now, self.rate) if self.rate else 0.0
        if not seconds:
            return None
        # Whole seconds, like the header: a client that waits for Retry-After is served.
        return SandboxBan(now, now + (self._ban_seconds or math.ceil(seconds)))


class FixedWindowLimit(RateLimit):
    """So many requests in each window, which begins at a multiple of its length."""

    def __init__(self, rate: Rate | None) -> None:
        super().__init__(rate)
        self._window, self._used = -1.0, 0

    @property
    def remaining(self) -> int:
        """Requests that the present window still has room for; 0 without a limit."""
        return max(0, self.rate.requests - self._used) if self.rate else 0

    def seconds_left(self, now: float) -> float:
        """Return the seconds until the next window; 0 without a limit."""
        return self.rate.seconds - now % self.rate.seconds if self.rate else 0.0

    def admit(self, now: float) -> SandboxBan | None:
        if self.rate is None:
            return None
        window = now // self.rate.seconds
        if window > self._window:
            self._window, self._used, self._ban = window, 0, None
        self._used += 1
        if self._used > self.rate.requests and self._ban is None:
            self._ban = SandboxBan(now, now + self.seconds_left(now))
        return self._ban


class ArrivalLimit(RateLimit):
    """So many arrivals in any window, refused ones included: until they are fewer, none is served.

    Without a `Retry-After` there are no whole seconds to wait for.
    """

    def __init__(self, rate: Rate | None) -> None:
        super().__init__(rate)
        self._arrivals: deque[float] = deque(maxlen=rate.requests if rate else 1)

    def admit(self, now: float) -> SandboxBan | None:
        seconds = seconds_until_free(self._arrivals, now, self.rate) if self.rate else 0.0
        if not seconds:
            self._ban = None
        else:  # this arrival leaves the window last
            since = self._ban.since if self._ban else now
            self._ban = SandboxBan(since, now + (self.rate.seconds if self.rate else 0.0))
        self._arrivals.append(now)
        return self._ban
