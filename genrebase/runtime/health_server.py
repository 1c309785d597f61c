"""The HTTP server of a daemon: its health (`/healthz`) and its metrics (`/metrics`).

Clients cannot take what the daemon needs: there are few connections, each of them short, and one
query of the database at a time.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import Final, Generic, TypeVar

import uvicorn
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from genrebase.errors import GenrebaseError, UserError
from genrebase.runtime.addresses import ListenAddress
from genrebase.runtime.monitoring import HealthTarget, check_health, first_line, render_metrics

_UNAVAILABLE: Final = 503
_START_SECONDS: Final = 10.0
"""Seconds that the server may take to start; it needs some milliseconds."""
_SHUTDOWN_SECONDS: Final = 2
"""Seconds that a request in progress may still take when the daemon shuts down."""

MAX_CONNECTIONS: Final = 32
"""Maximum of connections at once: more would use up the daemon's file descriptors."""
CONNECTION_SECONDS: Final = 15.0
"""Seconds after which a connection is closed, whatever the client has sent or read."""

_Result = TypeVar("_Result")


class AddressUnavailable(UserError):
    """The server cannot listen on its address."""


@contextmanager
def serve(address: ListenAddress | None, target: HealthTarget) -> Iterator[str | None]:
    """Serve at `address` while the block runs; yield the URL. Port 0 takes any free one.

    Without an address there is no server, and None is yielded. Raise `AddressUnavailable`.
    """
    if address is None:
        yield None
        return
    listener = _listen(address)
    server = _HealthServer(
        uvicorn.Config(
            application(target),
            access_log=False,
            http=_LimitedConnection,
            lifespan="off",
            log_config=None,
            loop="asyncio",
            server_header=False,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            ws="none",
        )
    )
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # it warns of every bad request
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="health", daemon=True)
    thread.start()
    try:
        server.ready.wait(_START_SECONDS)
        yield ListenAddress(address.host, listener.getsockname()[1]).url
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


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


class _LimitedConnection(H11Protocol):
    """One of few connections, with a limited life."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.abort()
        else:
            self._end = self.loop.call_later(CONNECTION_SECONDS, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if hasattr(self, "_end"):
            self._end.cancel()
        super().connection_lost(exc)


class _HealthServer(uvicorn.Server):
    """Sets `ready` when it has started."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _listen(address: ListenAddress) -> socket.socket:
    try:
        return socket.create_server(
            (address.host, address.port),
            family=socket.AF_INET6 if ":" in address.host else socket.AF_INET,
        )
    except OSError as error:
        raise AddressUnavailable(
            f"Cannot listen on {address.host}:{address.port} ({error.strerror or error}): "
            "another program may use the port; give another one."
        ) from error
