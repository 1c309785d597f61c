"""Request statistics per service and endpoint: counts, bans, faults, the fullest time window."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from collector.rate_limits import Rate

BAN_GRACE_SECONDS: Final = 1.0
"""After a ban's first 429, a request later than this should not have been made."""
MAX_QUERIES: Final = 10_000
"""Distinct queries that are listed per service."""
_MAX_USER_AGENTS: Final = 100
_WINDOW_SECONDS: Final = 30.0
"""Counting window of an API without a limit: Spotify's."""


@dataclass(frozen=True, slots=True)
class HandledRequest:
    """One request and its response."""

    api: str
    """Name of the service, `token`, or `other`."""
    endpoint: str
    begun: float
    status: int
    banned_since: float | None
    """When the ban in force at arrival began; None without a ban."""
    query: str | None = None
    """The search query, decoded."""
    refused: bool = False
    """Whether it was beyond the limit."""
    user_agent: str = ""

    @property
    def ignores_ban(self) -> bool:
        """Whether the client was informed of its ban."""
        return self.banned_since is not None and self.begun > self.banned_since + BAN_GRACE_SECONDS


@dataclass(slots=True)
class _ApiStats:
    window: float
    requests: int = 0
    banned: int = 0
    while_banned: int = 0
    max_in_window: int = 0
    recent: deque[float] = field(default_factory=deque)
    endpoints: dict[str, Counter[str]] = field(default_factory=dict)
    user_agents: Counter[str] = field(default_factory=Counter)
    queries: dict[str, None] = field(default_factory=dict)
    queries_left_out: int = 0

    def record(self, request: HandledRequest) -> None:
        self.requests += 1
        self.banned += request.refused
        self.while_banned += request.ignores_ban
        self.recent.append(request.begun)
        while self.recent[0] <= request.begun - self.window:
            self.recent.popleft()
        self.max_in_window = max(self.max_in_window, len(self.recent))
        self.endpoints.setdefault(request.endpoint, Counter())[str(request.status)] += 1
        if request.user_agent in self.user_agents or len(self.user_agents) < _MAX_USER_AGENTS:
            self.user_agents[request.user_agent] += 1
        if request.query is None or request.query in self.queries:
            return
        if len(self.queries) < MAX_QUERIES:
            self.queries[request.query] = None
        else:
            self.queries_left_out += 1

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
            "user_agents": dict(self.user_agents),
            "queries": list(self.queries),
            "queries_left_out": self.queries_left_out,
        }


class RequestStats:
    """Counts every request; `max_in_window` includes refused ones: it shows what a client did."""

    def __init__(self, rates: Mapping[str, Rate | None]) -> None:
        """Count per service, in the window of its limit; one of them is `spotify`."""
        self._apis = {
            api: _ApiStats(rate.seconds if rate else _WINDOW_SECONDS)
            for api, rate in rates.items()
        }
        self._faults: Counter[str] = Counter()

    def record(self, request: HandledRequest) -> None:
        self._apis.setdefault(request.api, _ApiStats(_WINDOW_SECONDS)).record(request)

    def record_fault(self, fault: str) -> None:
        self._faults[fault] += 1

    def as_json(self) -> dict[str, Any]:
        apis = self._apis.values()
        return {
            "requests": sum(api.requests for api in apis),
            "while_banned": sum(api.while_banned for api in apis),
            "banned": sum(api.banned for api in apis),
            "max_in_window": self._apis["spotify"].max_in_window,
            "faults": dict(sorted(self._faults.items())),
            "apis": {name: api.as_json() for name, api in self._apis.items()},
            "queries": list(self._apis["spotify"].queries),
            "queries_left_out": self._apis["spotify"].queries_left_out,
        }
