"""What every request passes: counting, logging, and the limits."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, unquote_plus

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genrebase.runtime.clock import Clock
from sandbox.json_objects import error_object
from sandbox.rate_limit import SandboxBan, SlidingWindowLimit
from sandbox.request_stats import HandledRequest, RequestStats

ADMIN_PATH: Final = "/__sandbox__/"
"""Under this path the sandbox speaks of itself; nothing there is counted or limited."""
_APIS: Final = {"/v1/": "spotify", "/reccobeats/": "reccobeats", "/api/token": "token"}
_ONE_OF_MANY: Final = re.compile(r"^(/v1/[a-z-]+)/[^/]+")
_BROKEN: Final = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RateLimitMiddleware:
    """Stands before the application."""

    app: ASGIApp
    limits: Mapping[str, SlidingWindowLimit]
    """Per API; one that is not named has no limit."""
    stats: RequestStats
    clock: Clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it; count and log it either way."""
        if scope["type"] != "http" or scope["path"].startswith(ADMIN_PATH):
            await self.app(scope, receive, send)
            return
        api, begun = api_of(scope["path"]), self.clock.monotonic()
        # Who asks for a token while the API has banned it is not waiting either.
        watched = self.limits.get("spotify" if api == "token" else api)
        held = watched.active_ban(begun) if watched else None
        counted = False

        async def noting(message: Message) -> None:
            nonlocal counted
            if message["type"] == "http.response.start":  # before the client can ask for the count
                counted = True
                self._note(scope, api, begun, message["status"], held)
            await send(message)

        limit = self.limits.get(api)
        ban = limit.admit(begun) if limit else None
        app = self.app if ban is None else _refusal(api, ban, begun)
        try:
            await app(scope, receive, noting)
        finally:
            if not counted:
                self._note(scope, api, begun, _BROKEN, held)

    def _note(
        self, scope: Scope, api: str, begun: float, status: int, held: SandboxBan | None
    ) -> None:
        raw = scope["query_string"].decode("latin-1")
        query = _search_query(raw) if scope["path"] == "/v1/search" else None
        since = held.since if held else None
        self.stats.record(
            HandledRequest(api, endpoint_of(scope["path"]), begun, status, since, query)
        )
        asked = f"?{unquote_plus(raw)}" if raw else ""
        _log.info("%s %s%s %d", scope["method"], scope["path"], asked, status)


def api_of(path: str) -> str:
    """Return which API a path belongs to."""
    return next((api for start, api in _APIS.items() if path.startswith(start)), "other")


def endpoint_of(path: str) -> str:
    """Return the path with an id in it replaced by `{id}`."""
    return _ONE_OF_MANY.sub(r"\1/{id}", path.rstrip("/"))


def _search_query(raw: str) -> str | None:
    fields = parse_qs(raw)
    found = fields.get("q") or fields.get("query")
    return found[0] if found else None


def _refusal(api: str, ban: SandboxBan, now: float) -> Response:
    seconds = ban.retry_after(now)
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    if api == "reccobeats":
        return PlainTextResponse("Too many requests", 429, headers)
    message = "Too many requests" if ban.reason else "API rate limit exceeded"
    return JSONResponse(error_object(429, message, ban.reason), 429, headers)
