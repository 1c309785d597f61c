"""The HTTP server: uvicorn on loopback, in its own thread."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

from genrebase.runtime.addresses import ListenAddress
from genrebase.runtime.clock import Clock, SystemClock
from genrebase.runtime.http_server import AddressUnavailable, listen, serve_application
from sandbox import HOST
from sandbox.application import SandboxOptions, make_application
from sandbox.errors import PortTaken
from sandbox.middleware.request_stats import RequestStats
from sandbox.tracks.catalogue import SandboxCatalogue


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
    try:
        listener = listen(ListenAddress(HOST, port))
    except AddressUnavailable as error:
        raise PortTaken(
            f"Port {port} of {HOST} cannot be used ({error.__cause__}): "
            "give another with --port, or --port 0 for any free one."
        ) from error
    port = listener.getsockname()[1]
    url = f"http://{HOST}:{port}"
    app = make_application(catalogue, options or SandboxOptions(), url, clock or SystemClock())
    with serve_application(listener, app.asgi, None, "sandbox") as thread:
        yield RunningSandbox(url, port, app.addresses, app.stats, thread)
