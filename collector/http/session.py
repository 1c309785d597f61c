"""HTTP session with limits for every response: one deadline, a maximum size, no redirects.

A timeout of `requests` limits the wait for the next byte only, so a server that sends one byte per
second could block a request without end. Here the timeout is the deadline for the whole request:
look-up of the name, connection, status line, headers and body; the size is counted after
decompression. `file_download` writes bodies to files, under the same deadline.
"""

import base64
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.cookiejar import DefaultCookiePolicy
from queue import Empty, SimpleQueue
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError
from urllib3.poolmanager import PoolManager

from collector.http.connection_errors import LOOPBACK_HOSTS
from genrebase.counts import counted
from genrebase.runtime import redaction

MAX_BYTES: Final = 16 << 20
"""Maximum bytes of a decompressed body. Spotify's longest analyses have about 8 MiB."""
MAX_SILENCE_SECONDS: Final = 60.0
"""Maximum wait for the next byte, where the deadline is later: a download's is hours away."""
USER_AGENT: Final = "genrebase"
"""Header of requests to services that do not ask for a contact."""
_CHUNK: Final = 1 << 16
_SECRET_HEADERS: Final = ("Authorization", "X-Api-Key")
_ESCAPED: Final = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
"""The escape of a surrogate, or of NUL."""
_NOT_TEXT: Final = dict.fromkeys([0x00, *range(0xD800, 0xE000)])
"""Code points that no database stores."""


class ResponseTooLarge(requests.RequestException):
    """The body of a response is longer than `MAX_BYTES`."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__(f"more than {counted(MAX_BYTES, 'byte')}", response=response)


class SourceResponse(requests.Response):
    """A response whose body is complete, and is UTF-8: text and JSON never raise anything else."""

    @property
    def text(self) -> str:
        """The body; bytes that are not UTF-8 are replaced, whatever encoding a header names."""
        return self.content.decode("utf-8-sig", "replace").translate(_NOT_TEXT)

    def json(self, **_options: Any) -> Any:
        """Return the JSON document, without NUL and lone surrogates in its texts.

        Raises `requests.JSONDecodeError` for invalid JSON, too deep nesting, and numbers that are
        too long for Python.
        """
        text = self.content.decode("utf-8-sig", "replace")
        try:
            document = json.loads(text)
            return _clean(document) if _ESCAPED.search(text) else document
        except (ValueError, RecursionError) as error:
            raise requests.JSONDecodeError(str(error), "", 0) from error

    def raise_for_status(self) -> None:
        """Raise `requests.HTTPError` for every status but 2xx: redirects are not followed."""
        super().raise_for_status()
        if not 200 <= self.status_code < 300:
            raise requests.HTTPError(f"status {self.status_code}", response=self)


class SourceSession(requests.Session):
    """A session for one source; use it in one thread at a time.

    It keeps no cookies: every response could add some, which each request would then send.
    """

    def __init__(self, read_body: "BodyReader | None" = None) -> None:
        """Read bodies by `read_body`; by default, into memory, up to `MAX_BYTES`."""
        super().__init__()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = _LimitedAdapter(read_body or read_limited)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: a redirect is a request outside the budget, perhaps to another host."""


def make_session(address: str, user_agent: str = USER_AGENT) -> requests.Session:
    """Return a session without retries and redirects; loopback is reached without a proxy."""
    session = SourceSession()
    session.trust_env = urlsplit(address).hostname not in LOOPBACK_HOSTS
    session.headers["User-Agent"] = user_agent
    return session


BodyReader = Callable[[requests.Response], bytes]
"""Reads the body of a response before the deadline; an error closes the connection."""


class _LimitedAdapter(HTTPAdapter):
    """Reads the whole body within the deadline and the size."""

    def __init__(self, read_body: BodyReader) -> None:
        super().__init__()
        self._read_body = read_body

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: Any, **options: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(  # type: ignore[override]  # positional in the base class, by name everywhere
        self, request: requests.PreparedRequest, stream: bool = False, **options: Any
    ) -> SourceResponse:
        _hide_credentials(request)
        timeout = options.get("timeout")
        seconds = float(timeout) if isinstance(timeout, int | float) else None
        if seconds is not None:
            options["timeout"] = min(seconds, MAX_SILENCE_SECONDS)
        with _deadline(seconds) as deadline:
            try:
                response = super().send(request, stream=stream, **options)
                body = self._read(response)
            except requests.RequestException as error:
                error.request = error.request or request  # messages name its address
                if deadline.is_over:
                    raise _too_slow(request) from error
                raise
            if deadline.is_over:  # a truncated body without a declared length seems complete
                raise _too_slow(request)
        return _complete(response, body)

    def _read(self, response: requests.Response) -> bytes:
        try:
            return self._read_body(response)
        except BaseException:
            response.close()  # the rest of the body is unread: the connection cannot be reused
            raise


def _hide_credentials(request: requests.PreparedRequest) -> None:
    """Register the secrets of a request for redaction: its server may echo them in an error."""
    for name in _SECRET_HEADERS:
        scheme, _, value = str(request.headers.get(name, "")).partition(" ")
        secret = value or scheme
        redaction.hide(secret)
        if scheme.casefold() == "basic":
            with suppress(ValueError):
                redaction.hide(base64.b64decode(secret).decode().partition(":")[2])


def _too_slow(request: requests.PreparedRequest) -> requests.ReadTimeout:
    return requests.ReadTimeout("the response took too long", request=request)


def read_limited(response: requests.Response) -> bytes:
    """Return the body, of `MAX_BYTES` at most."""
    chunks, size = [], 0
    for chunk in chunks_of(response):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BYTES:
            raise ResponseTooLarge(response)
    return b"".join(chunks)


def chunks_of(response: requests.Response) -> Iterator[bytes]:
    """Yield the body in pieces; raises errors of `requests` only."""
    try:
        yield from response.iter_content(_CHUNK)
    except ValueError as error:  # of http.client, for a chunk of negative length
        raise requests.exceptions.ChunkedEncodingError(str(error), response=response) from error


def _complete(response: requests.Response, body: bytes) -> SourceResponse:
    complete = SourceResponse()
    complete.__dict__.update(response.__dict__, _content=body, _content_consumed=True)
    return complete


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.translate(_NOT_TEXT)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value


class PendingConnection:
    """A connection that a thread makes, so that it can be given up at any moment.

    The system's look-up of a name takes no timeout, and a connection waits as long as its timeout
    for every address of the name: neither can be interrupted. A connection that comes too late is
    closed by the thread.
    """

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        """Call `connect` in the thread."""
        self._connect = connect
        self._ends: SimpleQueue[None] = SimpleQueue()  # a handler of a signal may put into it
        self._lock = threading.Lock()
        self._given_up = False
        self._connected: socket.socket | None = None
        self._error: BaseException | None = None

    def wait(self, seconds: float | None = None) -> socket.socket | None:
        """Return the connection; None if it is not made within `seconds`, or until `give_up`.

        Raises what `connect` raises.
        """
        threading.Thread(target=self._run, daemon=True).start()
        try:
            self._ends.get(timeout=seconds)
        except Empty:
            pass
        finally:
            connected, error = self._close_later_connection()
        if error is not None:
            raise error
        return connected

    def give_up(self) -> None:
        """End the wait; also from a handler of a signal."""
        self._ends.put(None)

    def _run(self) -> None:
        try:
            connected = self._connect()
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            self._error = error
        else:
            with self._lock:
                if self._given_up:
                    connected.close()
                else:
                    self._connected = connected
        self._ends.put(None)

    def _close_later_connection(self) -> tuple[socket.socket | None, BaseException | None]:
        with self._lock:
            self._given_up = True
            return self._connected, self._error


class _Deadline:
    """Gives up the connections of a request, and shuts down its sockets, at its deadline.

    A blocking read then ends at once. The sockets are duplicates: TLS takes the
    original from the object that was registered.
    """

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._lock = threading.RLock()  # the handler of a signal may interrupt its holder
        self._sockets: list[socket.socket] = []
        self._pending: list[PendingConnection] = []
        self._timer = threading.Timer(seconds, self.end)
        self._timer.daemon = True
        self._timer.start()

    def watch(self, connected: socket.socket) -> None:
        with self._lock:
            self._sockets.append(connected.dup())
        if self.is_over:
            self.end()

    def connect(
        self, connect: Callable[[], socket.socket], seconds: float | None
    ) -> socket.socket | None:
        """Return a connection; None where it takes more than `seconds`, or until the deadline."""
        pending = PendingConnection(connect)
        with self._lock:
            self._pending.append(pending)
        if self.is_over:
            pending.give_up()
        return pending.wait(seconds)

    def close(self) -> None:
        self._timer.cancel()
        with self._lock:
            for duplicate in self._sockets:
                duplicate.close()
            self._sockets.clear()

    def end(self) -> None:
        """Give the connections up, and shut the sockets down."""
        with self._lock:
            self.is_over = True
            for pending in self._pending:
                pending.give_up()
            for duplicate in self._sockets:
                with suppress(OSError):  # the server has closed it
                    duplicate.shutdown(socket.SHUT_RDWR)


_running: Final = threading.local()


@contextmanager
def _deadline(seconds: float | None) -> Iterator[_Deadline]:
    """Limit the request that this thread makes in the block."""
    deadline = _Deadline(threading.TIMEOUT_MAX if seconds is None else seconds)
    _running.deadline = deadline
    try:
        yield deadline
    finally:
        _running.deadline = None
        deadline.close()


def end_running_request() -> None:
    """End the request of this thread, as if its deadline had come; for handlers of signals."""
    deadline = getattr(_running, "deadline", None)
    if deadline is not None:
        deadline.end()


class _WatchedConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        deadline = getattr(_running, "deadline", None)
        if deadline is None:
            return super()._new_conn()
        connected: socket.socket | None = deadline.connect(super()._new_conn, self.timeout)
        if connected is None:
            raise ConnectTimeoutError(self, f"no connection to {self.host} in time")
        deadline.watch(connected)
        return connected

    def putrequest(self, *args: Any, **options: Any) -> None:
        deadline = getattr(_running, "deadline", None)
        if deadline is not None and self.sock is not None:  # kept open by an earlier request
            deadline.watch(self.sock)
        super().putrequest(*args, **options)


class _WatchedTlsConnection(_WatchedConnection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTlsConnection


_POOLS: Final = {"http": _Pool, "https": _TlsPool}
