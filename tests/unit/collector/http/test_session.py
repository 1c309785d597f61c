"""The HTTP session: deadline, size, redirects, and bodies that no parser expects."""

import base64
import gzip
import json
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from collector.errors import (
    BadRequest,
    CollectorError,
    InvalidResponse,
    RateLimited,
    SourceUnavailable,
)
from collector.http import session
from collector.http.client import ServiceClient
from genrebase.runtime.redaction import redact
from tests.fakes import FakeClock
from tests.scripted_server import ScriptedResponse, serving

OK = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def peer(speak: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """Run `speak` on the first connection in a thread; yield the address."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connected, _ = listener.accept()
            with connected:
                try:
                    connected.recv(1 << 16)
                    speak(connected, ended)
                except OSError:
                    return

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            ended.set()
            thread.join()


def get(url: str, timeout: float = 0.5) -> Any:
    return ServiceClient(url, FakeClock(), timeout).get_json()


def drip(first: bytes, repeated: bytes) -> Callable[[socket.socket, threading.Event], None]:
    """Send `first`, then `repeated` every 10 ms until the peer goes away."""

    def speak(connected: socket.socket, ended: threading.Event) -> None:
        connected.sendall(first)
        while not ended.wait(0.01):
            connected.sendall(repeated)

    return speak


@pytest.mark.parametrize(
    ("first", "repeated"),
    [
        (b"", b"H"),
        (OK, b"X"),
        (OK, b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK + b"\r\n", b" "),
        (OK + b"Content-Length: 100000\r\n\r\n", b" "),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n \r\n1;", b"x"),
        (b"HTTP/1.1 429 Slow\r\nRetry-After: 1\r\n\r\n", b" "),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_the_deadline_is_for_the_whole_response(first: bytes, repeated: bytes) -> None:
    """A server that sends a byte at a time holds a request no longer than the timeout."""
    with peer(drip(first, repeated)) as url, pytest.raises(SourceUnavailable, match="in time"):
        get(url)


@pytest.mark.parametrize("length", [b"-5", b"-1", b"0x", b"\xff", b"F" * 30])
def test_chunks_of_impossible_lengths_are_a_sick_source(length: bytes) -> None:
    """Whatever the length of a chunk says, the error is the source's."""

    def speak(connected: socket.socket, _ended: threading.Event) -> None:
        connected.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n" + length + b"\r\n{}\r\n0\r\n")

    with peer(speak) as url, pytest.raises(SourceUnavailable):
        get(url, 60.0)


def test_a_connection_that_is_used_again_has_a_deadline_too() -> None:
    """The second request on a connection ends as the first one would."""
    body = b"[1]"
    complete = OK + b"Content-Length: 3\r\n\r\n" + body

    def speak(connected: socket.socket, ended: threading.Event) -> None:
        connected.sendall(complete)
        connected.recv(1 << 16)
        drip(OK, b"X")(connected, ended)

    with peer(speak) as url:
        client = ServiceClient(url, FakeClock(), 5.0)
        assert client.get_json() == [1]
        client._timeout = 0.3
        with pytest.raises(SourceUnavailable, match="in time"):
            client.get_json()


def test_no_thread_is_left_behind() -> None:
    """The timer of a deadline ends with its request."""
    with serving() as server:
        server.respond("/here", ScriptedResponse.json([1]))
        for _ in range(5):
            assert get(f"{server.url}/here", timeout=60.0) == [1]
    timers = [one for one in threading.enumerate() if isinstance(one, threading.Timer)]
    for timer in timers:
        timer.join(30)
    assert not any(timer.is_alive() for timer in timers)


@pytest.mark.parametrize("encoding", ["gzip", "identity", "deflate"])
def test_the_size_of_a_body_is_limited(encoding: str) -> None:
    """A body is refused at its limit, counted after decompression, whatever its packing."""
    plain = b'"' + b"a" * (2 * session.MAX_BYTES) + b'"'
    packed = {"gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}[encoding](plain)
    with serving() as server:
        server.respond("/here", ScriptedResponse(200, packed, {"Content-Encoding": encoding}))
        del plain
        tracemalloc.start()
        try:
            with pytest.raises(InvalidResponse, match="longer than 16 MiB"):
                get(f"{server.url}/here", timeout=60.0)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 3 * session.MAX_BYTES + len(packed)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" + b"9" * 5_000 + b"]",
        b"\xff\xfe\x00",
        b'{"a": 1',
    ],
)
def test_whatever_cannot_be_parsed_is_a_bad_response(body: bytes) -> None:
    """Depth, huge integers and broken bytes are an invalid response, not the end of a run."""
    with serving() as server:
        server.respond("/here", ScriptedResponse(200, body))
        with pytest.raises(InvalidResponse):
            get(f"{server.url}/here", timeout=60.0)


def test_texts_are_cleaned() -> None:
    """Lone surrogates and NUL never come out of a response; pairs and other escapes do."""
    body = rb'{"a\ud800": ["\udfffx\u0000", "\ud83d\ude00", "\u001b[0m"]}'
    with serving() as server:
        server.respond("/here", ScriptedResponse(200, body))
        assert get(f"{server.url}/here", 60.0) == {"a": ["x", "\U0001f600", "\x1b[0m"]}
        server.respond("/raw", ScriptedResponse(200, b'["a\xed\xa0\x80b"]'))
        json.dumps(get(f"{server.url}/raw", 60.0), ensure_ascii=False).encode()


def test_the_reason_of_a_ban_is_one_short_clean_line() -> None:
    """A reason that no database can store does not lose the ban."""
    document = {"error": {"message": "m\n" * 900, "reason": "\x1b[31m" + "r\ud800" * 900}}
    with serving() as server:
        response = ScriptedResponse.json(document, 429, Retry_After="7")
        server.respond("/here", response)
        with pytest.raises(RateLimited) as caught:
            get(f"{server.url}/here", 60.0)
    assert caught.value.retry_after == 7
    reason = caught.value.reason
    assert reason is not None
    assert len(reason) <= 201
    assert reason.isprintable()
    reason.encode()


@pytest.mark.parametrize("charset", ["utf-7", "idna", "rot13", "no-such", "utf-16"])
def test_an_error_page_is_read_whatever_encoding_it_names(charset: str) -> None:
    """The encoding that a header names is the server's choice: it cannot end a run."""
    response = ScriptedResponse(
        503, b"\xff\xfebusy" * 9, {"Content-Type": f"text/html; charset={charset}"}
    )
    with serving() as server:
        server.respond("/here", response)
        with pytest.raises(SourceUnavailable):
            get(f"{server.url}/here", 60.0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    """A redirect would be a request outside the budget: the sentence names where it leads."""
    with serving() as server:
        location = f"{server.url}/there?access_token=0123456789abcdef"
        server.respond("/here", ScriptedResponse(status, b"", {"Location": location}))
        with pytest.raises(BadRequest, match="redirects") as caught:
            get(f"{server.url}/here", 60.0)
        assert server.received == ["/here"]
    assert "0123456789abcdef" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_secrets_that_a_server_echoes_are_hidden(status: int, scheme: str) -> None:
    """Whatever a request sends as its credential is in no error, however it is written."""
    password = "correct-horse-battery"
    value = {"Bearer": password, "Basic": base64.b64encode(f"me:{password}".encode()).decode()}
    echo = {"error": {"message": f"<{password}|{value[scheme]}>", "reason": f"R {password}"}}
    with serving() as server:
        server.respond("/here", ScriptedResponse.json(echo, status))
        client = ServiceClient(server.url, FakeClock(), 60.0)
        client._session.headers["Authorization"] = f"{scheme} {value[scheme]}"
        try:
            client.get_json("/here")
        except CollectorError as error:
            message = f"{error} {getattr(error, 'reason', '')}"
            assert password not in message
            assert value[scheme] not in message
    assert password not in redact(f"job failed: {password}")


def test_cookies_are_not_kept() -> None:
    """A server could add some to every response, and each request would send them all."""
    with serving() as server:
        cookie = "a=b; Max-Age=99999; Path=/"
        server.respond("/here", ScriptedResponse(200, b"[]", {"Set-Cookie": cookie}))
        client = ServiceClient(server.url, FakeClock(), 60.0)
        for _ in range(2):
            client.get_json("/here")
        assert len(client._session.cookies) == 0


def test_a_secret_that_is_cut_is_hidden() -> None:
    """A message is shortened after its secrets are hidden, not within one."""
    secret = "correct-horse-battery"
    with serving() as server:
        echo = {"error": {"message": " " * 790 + secret}}
        server.respond("/here", ScriptedResponse.json(echo, 400))
        client = ServiceClient(server.url, FakeClock(), 60.0)
        client._session.headers["Authorization"] = f"Bearer {secret}"
        with pytest.raises(BadRequest) as caught:
            client.get_json("/here")
    assert "correct" not in str(caught.value)


def test_a_silent_source_is_not_waited_for_until_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A download may take hours, but not without a byte for all of them."""
    monkeypatch.setattr(session, "MAX_SILENCE_SECONDS", 0.2)

    def speak(connected: socket.socket, ended: threading.Event) -> None:
        connected.sendall(OK + b"Content-Length: 100000\r\n\r\n{")
        ended.wait(20)

    with peer(speak) as url, pytest.raises(SourceUnavailable):
        get(url, timeout=3_600)


def test_a_signal_may_interrupt_the_deadlines_own_work() -> None:
    """Its handler ends the request in the thread that holds the lock: it must not wait for it."""
    deadline = session._Deadline(60)

    class Interrupted:
        def dup(self) -> socket.socket:
            deadline.end()
            return socket.socket()

    try:
        deadline.watch(Interrupted())  # type: ignore[arg-type]  # a socket that is interrupted
        assert deadline.is_over
    finally:
        deadline.close()


@pytest.fixture
def resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Names are looked up, as this computer's own, when the event is set, and after the test."""
    release, look_up = threading.Event(), socket.getaddrinfo

    def hang(_host: str, port: int, *options: Any) -> Any:
        release.wait()
        return look_up("127.0.0.1", port, *options)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield release
    release.set()


@pytest.mark.usefixtures("resolver_that_hangs")
def test_a_look_up_of_a_name_ends_at_the_deadline() -> None:
    """The system's resolver has no timeout of its own that we could set."""
    with pytest.raises(SourceUnavailable, match="in time"):
        get("http://api.example.org/", timeout=0.2)


@pytest.mark.usefixtures("resolver_that_hangs")
def test_a_look_up_of_a_name_is_not_waited_for_like_a_download(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A download may take hours; its connection may not."""
    monkeypatch.setattr(session, "MAX_SILENCE_SECONDS", 0.2)
    with pytest.raises(SourceUnavailable):
        get("http://api.example.org/", timeout=3_600)


@pytest.mark.usefixtures("resolver_that_hangs")
def test_a_signal_ends_the_look_up_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its handler ends the request of the main thread, which waits for the connection."""
    wait = session.PendingConnection.wait

    def interrupted(self: session.PendingConnection, seconds: float | None = None) -> Any:
        session.end_running_request()
        return wait(self, seconds)

    monkeypatch.setattr(session.PendingConnection, "wait", interrupted)
    with pytest.raises(SourceUnavailable, match="in time"):
        get("http://api.example.org/", timeout=3_600)


def test_a_connection_that_comes_too_late_is_closed(resolver_that_hangs: threading.Event) -> None:
    """Nobody would use it: the server sees its end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://api.example.org:{listener.getsockname()[1]}/"
        with pytest.raises(SourceUnavailable, match="in time"):
            get(address, timeout=0.2)
        resolver_that_hangs.set()
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.recv(1) == b""


def test_loopback_uses_no_proxy() -> None:
    """A proxy in the environment is used for other hosts only."""
    assert not session.make_session("http://127.0.0.1:8765/v1/").trust_env
    assert session.make_session("https://api.spotify.com/v1/").trust_env
