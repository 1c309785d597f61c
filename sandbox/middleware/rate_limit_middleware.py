"""ASGI middleware before the application: counts, logs and rate-limits every request."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, unquote_plus

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genrebase.runtime.clock import Clock
from sandbox.api.json_objects import error_object
from sandbox.middleware.rate_limit import SandboxBan, SlidingWindowLimit
from sandbox.middleware.request_stats import HandledRequest, RequestStats

ADMIN_PATH: Final = "/__sandbox__/"
"""Below this path the sandbox describes itself; requests there are neither counted nor limited."""
_APIS: Final = {"/v1/": "spotify", "/reccobeats/": "reccobeats", "/api/token": "token"}
_RESOURCE: Final = re.compile(r"^(/v1/[a-z-]+)/[^/]+")
_SERVER_ERROR: Final = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RateLimitMiddleware:
    """Refuses requests beyond the limit of their API."""

    app: ASGIApp
    limits: Mapping[str, SlidingWindowLimit]
    """Per API; one without an entry has no limit."""
    stats: RequestStats
    clock: Clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_api_request(scope):
            await self.app(scope, receive, send)
            return
        api, begun = api_of(scope["path"]), self.clock.monotonic()
        # A token request while the API is banned shows that the client is not waiting either.
        limit_of_ban = self.limits.get("spotify" if api == "token" else api)
        earlier_ban = limit_of_ban.active_ban(begun) if limit_of_ban else None
        recorded = False

        async def record_and_send(message: Message) -> None:
            nonlocal recorded
            if message["type"] == "http.response.start":  # before the client can ask for the count
                recorded = True
                self._record(scope, api, begun, message["status"], earlier_ban)
            await send(message)

        limit = self.limits.get(api)
        ban = limit.admit(begun) if limit else None
        app = self.app if ban is None else _refusal(api, ban, begun)
        try:
            await app(scope, receive, record_and_send)
        finally:
            if not recorded:
                self._record(scope, api, begun, _SERVER_ERROR, earlier_ban)

    def _record(
        self, scope: Scope, api: str, begun: float, status: int, ban: SandboxBan | None
    ) -> None:
        path, raw_query = scope["path"], scope["query_string"].decode("latin-1")
        query = _search_query(raw_query) if path == "/v1/search" else None
        since = ban.since if ban else None
        self.stats.record(HandledRequest(api, endpoint_of(path), begun, status, since, query))
        query_text = f"?{unquote_plus(raw_query)}" if raw_query else ""
        _log.info("%s %s%s %d", scope["method"], path, query_text, status)


def is_api_request(scope: Scope) -> bool:
    """Return whether a connection is a request to one of the simulated APIs."""
    return scope["type"] == "http" and not scope["path"].startswith(ADMIN_PATH)


def api_of(path: str) -> str:
    """Return the API a path belongs to."""
    return next((api for start, api in _APIS.items() if path.startswith(start)), "other")


def endpoint_of(path: str) -> str:
    """Return the path with an id in it replaced by `{id}`."""
    return _RESOURCE.sub(r"\1/{id}", path.rstrip("/"))


def _search_query(raw_query: str) -> str | None:
    fields = parse_qs(raw_query)
    values = fields.get("q") or fields.get("query")
    return values[0] if values else None


def _refusal(api: str, ban: SandboxBan, now: float) -> Response:
    seconds = ban.retry_after(now)
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    if api == "reccobeats":
        return PlainTextResponse("Too many requests", 429, headers)
    message = "Too many requests" if ban.reason else "API rate limit exceeded"
    return JSONResponse(error_object(429, message, ban.reason), 429, headers)
