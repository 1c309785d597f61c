"""Serve an ASGI application in a thread, by default to few connections of a limited life."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from genrebase.errors import UserError
from genrebase.runtime.addresses import ListenAddress

_START_SECONDS: Final = 10.0
"""Seconds that the server may take to start; it needs some milliseconds."""
_SHUTDOWN_SECONDS: Final = 2
"""Seconds that a request in progress may still take when the server shuts down."""
_STEPS_TO_CLOSE: Final = 3
"""Of the event loop, until an idle connection that was closed is gone."""


class AddressUnavailable(UserError):
    """The server cannot listen on its address."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What clients may take of a server."""

    connections: int
    """Maximum of connections at once: more would use up the process's file descriptors."""
    seconds: float
    """Seconds after which a connection is closed, whatever the client has sent or read."""
    reuse_seconds: float | None = None
    """Seconds after which a response tells the client to use another connection; after twice as
    many, a connection without a request in progress is closed. None: no limit but `seconds`."""


@contextmanager
def serve_application(
    listener: socket.socket, app: ASGIApp, limits: ConnectionLimits | None, name: str
) -> Iterator[Thread]:
    """Serve on a listening socket while the block runs, and close the socket at its end.

    Yields the server's thread, which has this name. Without limits it serves every client.
    """
    server = _Server(
        uvicorn.Config(
            app,
            access_log=False,
            http=H11Protocol if limits is None else _limited_connection(limits),
            lifespan="off",
            log_config=None,
            loop="asyncio",
            server_header=False,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            ws="none",
        )
    )
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # it warns of every bad request
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name=name, daemon=True)
    thread.start()
    try:
        server.ready.wait(_START_SECONDS)
        yield thread
    finally:
        server.stop()
        thread.join()
        listener.close()


def listen(address: ListenAddress) -> socket.socket:
    """Return a socket that listens at an address; raise `AddressUnavailable`."""
    # Only with the protocol named does asyncio disable Nagle's delay: 40 ms per response.
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows: there SO_REUSEADDR would share the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
        listener.listen(socket.SOMAXCONN)
    except (OSError, OverflowError) as error:
        listener.close()
        raise AddressUnavailable(
            f"Cannot listen on {address.host}:{address.port} "
            f"({getattr(error, 'strerror', None) or error}): another program may use the port; "
            "give another one."
        ) from error
    return listener


def _limited_connection(limits: ConnectionLimits) -> type[H11Protocol]:
    class LimitedConnection(H11Protocol):
        """One of few connections, with a limited life."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > limits.connections:
                transport.abort()
            else:
                self._ends = [self.loop.call_later(limits.seconds, transport.abort)]
                if limits.reuse_seconds is not None:
                    end = self.loop.time() + limits.reuse_seconds
                    self.app = _closing_after(end, self.app, self.loop)
                    later = 2 * limits.reuse_seconds
                    self._ends.append(self.loop.call_later(later, self.shutdown))

        def connection_lost(self, exc: Exception | None) -> None:
            for end in getattr(self, "_ends", ()):
                end.cancel()
            super().connection_lost(exc)

    return LimitedConnection


def _closing_after(end: float, app: Any, loop: asyncio.AbstractEventLoop) -> ASGIApp:
    """Return an application whose responses close the connection after a time of the loop."""

    async def closing(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start" and loop.time() >= end:
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await app(scope, receive, send_with_header)

    return closing


class _Server(uvicorn.Server):
    """Sets `ready` when it has started, and stops at once: uvicorn looks ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = Event()

    def stop(self) -> None:
        """Stop it, from another thread."""
        self.should_exit = True
        if self.ready.is_set():
            with suppress(RuntimeError):  # its loop has ended
                self._loop.call_soon_threadsafe(self._stopping.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self.ready.set()

    async def main_loop(self) -> None:
        tasks: list[asyncio.Task[Any]] = [
            asyncio.create_task(super().main_loop()),
            asyncio.create_task(self._stopping.wait()),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(_STEPS_TO_CLOSE):
            await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
