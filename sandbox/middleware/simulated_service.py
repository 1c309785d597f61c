"""What the middleware has to know of one simulated service: paths, limit, shape of its errors."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Protocol

from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox.middleware.faults import Fault
from sandbox.middleware.rate_limit import RateLimit, SandboxBan

_HTML: Final = "<html><head><title>{text}</title></head><body></body></html>"
_UNAVAILABLE: Final = "503 Service Unavailable"


def html_page(status: int, text: str) -> Response:
    """Return the page of a proxy before the service."""
    return HTMLResponse(_HTML.format(text=text), status)


class RequestError(Exception):
    """A request is refused with a status and a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class PageFaults(Protocol):
    """The faults that only a service's pages of results can have."""

    def possible(self, document: Any) -> Sequence[Fault]:
        """Return the faults that the page in `document` can have without hiding a row."""

    def apply(self, document: Any, fault: Fault, random: Random) -> None:
        """Change the page in `document` as the fault requires."""


@dataclass(frozen=True, slots=True)
class FaultShapes:
    """How a service's broken responses look."""

    server_error: Callable[[], Response]
    unavailable: Callable[[], Response] = lambda: html_page(503, _UNAVAILABLE)
    pages: PageFaults | None = None


@dataclass(frozen=True, slots=True)
class SimulatedService:
    """One service of the sandbox."""

    name: str
    """In the statistics."""
    path: str
    """All its requests are below it; it ends in a slash, unless it is one endpoint."""
    routes: Sequence[Route]
    faults: FaultShapes
    base: str | None = None
    """Path of the address that its clients are given; None: not listed."""
    limit: RateLimit | None = None
    refusal: Callable[[SandboxBan, float], Response] | None = None
    """Makes the response to a request beyond the limit, from its ban and the present moment."""
    shared_ban: RateLimit | None = None
    """Another service's limit: a request during its ban shows that the client does not wait."""
    resource: re.Pattern[str] | None = None
    """Finds the part of a path before an id, as group 1: endpoints are counted without ids."""
    search_path: str | None = None
    """The endpoint whose queries are listed."""
    query_names: tuple[str, ...] = ("query",)
    """Parameters of the search that can hold the query; the first that is there counts."""
    headers: Callable[[float], dict[str, str]] | None = None
    """Makes the headers of every response, from the present moment."""

    def endpoint(self, path: str) -> str:
        """Return the path with an id in it replaced by `{id}`."""
        path = path.rstrip("/")
        return self.resource.sub(r"\1/{id}", path) if self.resource else path
