"""The HTTP server: uvicorn on loopback, in its own thread."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, Final

import uvicorn

from genrebase.runtime.clock import Clock, SystemClock
from sandbox import HOST
from sandbox.application import SandboxOptions, make_application
from sandbox.errors import PortTaken
from sandbox.middleware.request_stats import RequestStats
from sandbox.tracks.catalogue import SandboxCatalogue

_START_SECONDS: Final = 10.0
"""Timeout of the server's start; it needs some milliseconds."""
_STOP_SECONDS: Final = 2
"""Time that a response in progress is given when the server stops."""


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A running sandbox."""

    url: str
    """`http://127.0.0.1:PORT`, without a slash at the end."""
    port: int
    addresses: Mapping[str, str]
    """Of the services, by name: what their clients are given."""
    _stats: RequestStats
    _thread: Thread

    @property
    def is_alive(self) -> bool:
        """Whether the server still runs."""
        return self._thread.is_alive()

    def stats(self) -> dict[str, Any]:
        """Return the content of `/__sandbox__/stats`."""
        return self._stats.as_json()


class _SandboxServer(uvicorn.Server):
    """Sets `ready` when it has started."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def serve_in_thread(
    catalogue: SandboxCatalogue,
    options: SandboxOptions | None = None,
    *,
    port: int = 0,
    clock: Clock | None = None,
) -> Iterator[RunningSandbox]:
    """Serve `catalogue` while the block runs; port 0 takes any free one.

    Raise `PortTaken` where another program listens there.
    """
    listening = _listen(port)
    port = listening.getsockname()[1]
    url = f"http://{HOST}:{port}"
    app = make_application(catalogue, options or SandboxOptions(), url, clock or SystemClock())
    config = uvicorn.Config(
        app.asgi,
        access_log=False,
        lifespan="off",
        log_config=None,
        loop="asyncio",
        server_header=False,
        timeout_graceful_shutdown=_STOP_SECONDS,
        ws="none",
    )
    server = _SandboxServer(config)
    thread = Thread(
        target=server.run, kwargs={"sockets": [listening]}, name="sandbox", daemon=True
    )
    thread.start()
    try:
        server.ready.wait(_START_SECONDS)
        yield RunningSandbox(url, port, app.addresses, app.stats, thread)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def _listen(port: int) -> socket.socket:
    # Only with the protocol named does asyncio disable Nagle's delay: 40 ms per response.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows: there SO_REUSEADDR would share the port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(socket.SOMAXCONN)
    except (OSError, OverflowError) as error:
        listening.close()
        raise PortTaken(
            f"Port {port} of {HOST} cannot be used ({error}): "
            "give another with --port, or --port 0 for any free one."
        ) from error
    return listening
