"""What the sandbox was asked."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Final

from collector.rate import Rate

BAN_GRACE_SECONDS: Final = 1.0
"""Seconds after a ban was answered from which a request is one that should not have been made."""
MAX_QUERIES: Final = 10_000
_WINDOW: Final = 30.0
"""Seconds of the window counted where no limit names one: Spotify's."""


@dataclass(frozen=True, slots=True)
class HandledRequest:
    """One request, answered."""

    api: str
    """Who was asked: `spotify`, `reccobeats`, `token`, `other`."""
    endpoint: str
    begun: float
    status: int
    banned_since: float | None
    """When the ban that held as the request came was first answered; None without one."""
    query: str | None = None
    """The search query, decoded."""


@dataclass(slots=True)
class _ApiStats:
    window: float
    requests: int = 0
    banned: int = 0
    while_banned: int = 0
    max_in_window: int = 0
    recent: deque[float] = field(default_factory=deque)
    endpoints: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, call: HandledRequest) -> None:
        self.requests += 1
        self.banned += call.status == 429
        self.while_banned += _was_late(call)
        self.recent.append(call.begun)
        while self.recent[0] <= call.begun - self.window:
            self.recent.popleft()
        self.max_in_window = max(self.max_in_window, len(self.recent))
        self.endpoints.setdefault(call.endpoint, Counter())[str(call.status)] += 1

    def as_json(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "banned": self.banned,
            "while_banned": self.while_banned,
            "max_in_window": self.max_in_window,
            "endpoints": {
                endpoint: {"requests": statuses.total(), "statuses": dict(statuses)}
                for endpoint, statuses in sorted(self.endpoints.items())
            },
        }


class RequestStats:
    """Counts every call; `max_in_window` counts those refused too: it shows what a client did."""

    def __init__(self, rates: dict[str, Rate | None]) -> None:
        """Count per API, in the window of its limit."""
        self._apis = {
            api: _ApiStats(rate.seconds if rate else _WINDOW) for api, rate in rates.items()
        }
        self._faults: Counter[str] = Counter()
        self._queries: dict[str, None] = {}
        self._queries_left_out = 0

    def record(self, call: HandledRequest) -> None:
        """Count a call."""
        self._apis.setdefault(call.api, _ApiStats(_WINDOW)).count(call)
        if call.query is None or call.query in self._queries:
            return
        if len(self._queries) < MAX_QUERIES:
            self._queries[call.query] = None
        else:
            self._queries_left_out += 1

    def record_fault(self, fault: str) -> None:
        """Count an answer that was broken on purpose."""
        self._faults[fault] += 1

    def as_json(self) -> dict[str, Any]:
        """Return everything counted so far."""
        apis = self._apis.values()
        return {
            "requests": sum(api.requests for api in apis),
            "while_banned": sum(api.while_banned for api in apis),
            "banned": sum(api.banned for api in apis),
            "max_in_window": self._apis["spotify"].max_in_window,
            "faults": dict(sorted(self._faults.items())),
            "apis": {name: api.as_json() for name, api in self._apis.items()},
            "queries": list(self._queries),
            "queries_left_out": self._queries_left_out,
        }


def _was_late(call: HandledRequest) -> bool:
    return call.banned_since is not None and call.begun > call.banned_since + BAN_GRACE_SECONDS
