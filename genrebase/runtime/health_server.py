"""The HTTP server of a daemon: its health (`/healthz`) and its metrics (`/metrics`).

Clients cannot take what the daemon needs: there are few connections, each of them short, and one
query of the database at a time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final, Generic, TypeVar

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from genrebase.errors import GenrebaseError
from genrebase.runtime.addresses import ListenAddress
from genrebase.runtime.http_server import (
    ConnectionLimits,
    listen,
    serve_application,
)
from genrebase.runtime.monitoring import HealthTarget, check_health, first_line, render_metrics

_UNAVAILABLE: Final = 503
LIMITS: Final = ConnectionLimits(connections=32, seconds=15.0)

_Result = TypeVar("_Result")


@contextmanager
def serve(address: ListenAddress | None, target: HealthTarget) -> Iterator[str | None]:
    """Serve at `address` while the block runs; yield the URL. Port 0 takes any free one.

    Without an address there is no server, and None is yielded. Raise `AddressUnavailable`.
    """
    if address is None:
        yield None
        return
    listener = listen(address)
    port = listener.getsockname()[1]
    with serve_application(listener, application(target), LIMITS, "health"):
        yield ListenAddress(address.host, port).url


def application(target: HealthTarget) -> ASGIApp:
    """Return the ASGI application; simultaneous requests share one query of the database."""
    health = _SharedResult(lambda: check_health(target))
    rendered = _SharedResult(lambda: render_metrics(target))

    def healthz(_request: Request) -> Response:
        status = health.get()
        document = {"ok": status.ok, "sentence": status.sentence}
        return JSONResponse(document, 200 if status.ok else _UNAVAILABLE)

    def metrics(_request: Request) -> Response:
        try:
            text = rendered.get()
        except (GenrebaseError, SQLAlchemyError) as error:
            return PlainTextResponse(f"# {first_line(error)}\n", _UNAVAILABLE)
        return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return Starlette(routes=[Route("/healthz", healthz), Route("/metrics", metrics)])


class _SharedResult(Generic[_Result]):
    """Computes one result at a time, for all requests that arrived before its start."""

    def __init__(self, compute: Callable[[], _Result]) -> None:
        self._compute = compute
        self._lock = Lock()
        self._begun = 0
        self._result: _Result | None = None

    def get(self) -> _Result:
        """Return a result whose computation began after the call; raise what it raises."""
        begun_before = self._begun
        with self._lock:
            if self._result is None or self._begun == begun_before:
                self._result, self._begun = None, self._begun + 1
                self._result = self._compute()
            return self._result
