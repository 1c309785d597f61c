"""Rate limits like `60/30s`, and the credentials that requests are counted under. Pure.

The limit of each service is a setting: see `service_settings`.

What a credential may do (page limits, open endpoints) is learned from refusals, and checked again
after a week.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Self

SAFETY_FACTOR: Final = 0.97
"""Share of a limit that is used: at the exact spacing one more request falls into a window."""

_RATE: Final = re.compile(r"\s*(\d{1,9})\s*/\s*(\d{1,6}(?:\.\d{1,6})?)?\s*s\s*", re.ASCII)

FIRST_WAIT_SECONDS: Final = 30.0
"""One window of Spotify's limit."""

RECHECK_AFTER_SECONDS: Final = 7 * 86_400.0
"""How long a refusal is remembered."""

FAILURES_APART_SECONDS: Final = 43_200.0
"""Half a day: failures of an endpoint that follow one another sooner are one outage, or ours."""

_MAX_FAILURES: Final = 3
"""Outages in a row, at least a day in all, after which an endpoint seems to have ended."""


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


@dataclass(frozen=True, slots=True)
class Account:
    """A credential of a source; its requests share one rate limit."""

    source: str
    """`spotify`, `reccobeats`, …"""
    credential: str
    """A fingerprint of credential and address, never the secret itself."""
    rate: Rate
    """The configured limit."""
    first_wait: float = FIRST_WAIT_SECONDS
    """Seconds to wait after a first refusal without a Retry-After."""
    pause: float = 0.0
    """Seconds from a response to the next request, at least. Requests that are sent a second apart
    can arrive closer together: one that is known to have arrived cannot."""
    name: str | None = None
    """The account that the source counts requests of, where several credentials have the same;
    `credential` is then its fingerprint."""
    replaced_credential: str | None = None
    """The fingerprint of the credential alone, under which its requests were counted before the
    account had a name."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Learned refusals of a credential, each with its time (seconds since 1970)."""

    refused_limits: Mapping[str, float] = field(default_factory=dict)
    """Page limits that were refused."""
    closed: Mapping[str, float] = field(default_factory=dict)
    """Endpoints that are closed."""
    failures: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Outages of endpoints since their last response, the first of each half day."""
    bans: int = 0
    """Bans since the last successful request."""
    access_mode: str | None = None
    """The access that a sandbox simulated when these refusals were learned; None: not named."""

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read the result of `to_json`; missing keys take their defaults."""
        values = document if isinstance(document, dict) else {}
        return cls(
            refused_limits=values.get("refused_limits") or {},
            closed=values.get("closed") or {},
            failures={one: tuple(at) for one, at in (values.get("failures") or {}).items()},
            bans=values.get("bans") or 0,
            access_mode=values.get("access_mode"),
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def page_limit(self, limits: Sequence[int], now: float) -> int:
        """Return the largest of `limits` (descending) that was not refused recently."""
        for limit in limits:
            if not _is_recent(self.refused_limits.get(str(limit)), now):
                return limit
        return limits[-1]

    def is_closed(self, endpoint: str, now: float) -> bool:
        """Return whether `endpoint` was closed at a recent request."""
        return _is_recent(self.closed.get(endpoint), now)

    def with_refused_limit(self, limit: int, now: float) -> Self:
        """Return a copy that knows pages of `limit` items to be refused."""
        return replace(self, refused_limits={**self.refused_limits, str(limit): now})

    def with_closed_endpoint(self, endpoint: str, now: float) -> Self:
        """Return a copy that knows `endpoint` to be closed."""
        return replace(self, closed={**self.closed, endpoint: now})

    def has_failed_for_long(self, endpoint: str) -> bool:
        """Return whether `endpoint` failed for a day or longer, and never responded."""
        return len(self.failures.get(endpoint, ())) >= _MAX_FAILURES

    def with_failure(self, endpoint: str, now: float) -> Self:
        """Return a copy with a failure of `endpoint` that is no answer."""
        before = tuple(self.failures.get(endpoint, ()))
        if before and abs(now - before[-1]) < FAILURES_APART_SECONDS:
            return self
        after = (*before, now)[-_MAX_FAILURES:]
        return replace(self, failures={**self.failures, endpoint: after})

    def without_failures(self, endpoint: str) -> Self:
        """Return a copy without failures of `endpoint`, after a response."""
        others = {one: at for one, at in self.failures.items() if one != endpoint}
        return replace(self, failures=others)

    def under_access_mode(self, mode: str) -> Self:
        """Return these refusals, or none of them if they were learned under another mode."""
        if mode == self.access_mode:
            return self
        return replace(self, access_mode=mode, refused_limits={}, closed={}, failures={})


def _is_recent(moment: float | None, now: float) -> bool:
    return moment is not None and abs(now - moment) < RECHECK_AFTER_SECONDS
