"""ASGI middleware before the application: counts, logs and rate-limits every request."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, unquote_plus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genrebase.runtime.clock import Clock
from sandbox.middleware.rate_limit import SandboxBan
from sandbox.middleware.request_stats import HandledRequest, RequestStats
from sandbox.middleware.simulated_service import SimulatedService

ADMIN_PATH: Final = "/__sandbox__/"
"""Below this path the sandbox describes itself; requests there are neither counted nor limited."""
_NO_SERVICE: Final = "other"
_SERVER_ERROR: Final = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RateLimitMiddleware:
    """Refuses requests beyond the limit of their service."""

    app: ASGIApp
    services: Sequence[SimulatedService]
    stats: RequestStats
    clock: Clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_api_request(scope):
            await self.app(scope, receive, send)
            return
        service, begun = service_of(self.services, scope["path"]), self.clock.monotonic()
        limit = service.limit if service else None
        watched = limit or (service.shared_ban if service else None)
        earlier_ban = watched.active_ban(begun) if watched else None
        ban = limit.admit(begun) if limit else None
        recorded = False

        async def record_and_send(message: Message) -> None:
            nonlocal recorded
            if message["type"] == "http.response.start":  # before the client can ask for the count
                recorded = True
                if service and service.headers:
                    MutableHeaders(scope=message).update(service.headers(begun))
                self._record(scope, service, begun, message["status"], earlier_ban, ban)
            await send(message)

        app = self.app
        if ban is not None and service is not None and service.refusal is not None:
            app = service.refusal(ban, begun)
        try:
            await app(scope, receive, record_and_send)
        finally:
            if not recorded:
                self._record(scope, service, begun, _SERVER_ERROR, earlier_ban, ban)

    def _record(
        self,
        scope: Scope,
        service: SimulatedService | None,
        begun: float,
        status: int,
        earlier_ban: SandboxBan | None,
        ban: SandboxBan | None,
    ) -> None:
        path, raw_query = scope["path"], scope["query_string"].decode("latin-1")
        self.stats.record(
            HandledRequest(
                api=service.name if service else _NO_SERVICE,
                endpoint=service.endpoint(path) if service else path.rstrip("/"),
                begun=begun,
                status=status,
                banned_since=earlier_ban.since if earlier_ban else None,
                query=_search_query(service, path, raw_query),
                refused=ban is not None,
                user_agent=Headers(scope=scope).get("user-agent", ""),
            )
        )
        query_text = f"?{unquote_plus(raw_query)}" if raw_query else ""
        _log.info("%s %s%s %d", scope["method"], path, query_text, status)


def is_api_request(scope: Scope) -> bool:
    """Return whether a connection is a request to one of the simulated services."""
    return scope["type"] == "http" and not scope["path"].startswith(ADMIN_PATH)


def service_of(services: Sequence[SimulatedService], path: str) -> SimulatedService | None:
    return next((service for service in services if path.startswith(service.path)), None)


def _search_query(service: SimulatedService | None, path: str, raw_query: str) -> str | None:
    if service is None or path != service.search_path:
        return None
    fields = parse_qs(raw_query)
    return next((fields[name][0] for name in service.query_names if name in fields), None)
