"""Which requests are answered, and the headers of every response. Pure ASGI middleware.

A page is reached under few host names (no DNS rebinding), writes come from our own pages only (no
cross-site requests), and other addresses than the loopback need a token.
"""

import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genrebase.runtime.addresses import LOOPBACK
from web.problems import problem

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_HTTP_PORT: Final = 80
_ALL_INTERFACES: Final = {"0.0.0.0", "[::]"}  # noqa: S104 - no name of a server
COOKIE: Final = "genrebase"
"""The name of the cookie of a client that entered the token."""
OPEN_PATHS: Final = frozenset({"/login", "/favicon.ico", "/static/style.css", "/static/app.js"})
"""Paths that need no token."""


@dataclass(frozen=True)
class Access:
    """Who may read the pages."""

    hosts: frozenset[str]
    """Values of the header Host that are answered, in lower case."""
    token: str | None = field(default=None, repr=False)
    _sessions: set[str] = field(default_factory=set, repr=False)

    def is_token(self, text: str) -> bool:
        """Return whether a text is the token; the time taken does not depend on it."""
        expected = self.token or ""
        return bool(expected) and hmac.compare_digest(text.encode(), expected.encode())

    def new_session(self) -> str:
        """Return the cookie of a client that entered the token."""
        session = secrets.token_urlsafe(32)
        self._sessions.add(session)
        return session

    def is_allowed(self, headers: Headers, cookies: Mapping[str, str]) -> bool:
        """Return whether a request has the token, or the cookie of a session."""
        if self.token is None:
            return True
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.is_token(credentials.strip()):
            return True
        return cookies.get(COOKIE) in self._sessions


def host_headers(port: int, host: str = LOOPBACK) -> frozenset[str]:
    """Return the values of the header Host under which a server at an address is reached.

    The loopback always is one of them. Port 80 may be left out.
    """
    named = f"[{host}]" if ":" in host else host
    names = {LOOPBACK, "localhost", "[::1]", named.lower()} - _ALL_INTERFACES
    headers = {f"{name}:{port}" for name in names}
    return frozenset(headers | names if port == _HTTP_PORT else headers)


class Guard:
    """Refuses requests before any page sees them, and adds the security headers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if not _is_host(host, self._access.hosts):
            sentence = (
                "This server answers under its own names only. Set SERVE_NAMES to add a name."
            )
            return problem(421, sentence, "Unknown host")
        if scope["method"] not in _SAFE_METHODS and not _is_same_origin(headers, host):
            return problem(403, "Send this from a page of this server.", "Cross-site request")
        cookies = HTTPConnection(scope).cookies
        if scope["path"] in OPEN_PATHS or self._access.is_allowed(headers, cookies):
            return None
        if "text/html" in headers.get("accept", ""):
            return RedirectResponse("/login", status_code=303)
        return problem(401, "Send the header `Authorization: Bearer TOKEN`.", "Token required")


def _is_host(host: str, hosts: Collection[str]) -> bool:
    return host in hosts or (host.rpartition(":")[0] or host) in hosts


def _is_same_origin(headers: Headers, host: str) -> bool:
    """Return whether a writing request comes from our own pages, or from no page at all."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is None or origin.lower().partition("://")[2] == host
