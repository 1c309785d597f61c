"""The HTTP client."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from collector.errors import (
    AccessDenied,
    BadRequest,
    CollectorError,
    InvalidResponse,
    NotFound,
    RateLimited,
    SourceUnavailable,
)
from collector.http import backoff, client
from tests.fakes import FakeClock
from tests.scripted_server import ScriptedResponse, ScriptedServer, serving

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with serving() as script:
        yield script


def get(url: str, timeout: float = 5.0) -> object:
    return client.ServiceClient(url, FakeClock(NOW), timeout).get_json()


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (ScriptedResponse(200, b""), InvalidResponse),
        (ScriptedResponse(200, b"<html>hello</html>"), InvalidResponse),
        (ScriptedResponse(200, b'{"content": [1, 2', {}), InvalidResponse),
        (ScriptedResponse(200, b"9" * 5_000), InvalidResponse),
        (ScriptedResponse(200, b'{"content": [1, 2, 3]}', cut=True), SourceUnavailable),
        (ScriptedResponse(200, b"not gzip", {"Content-Encoding": "gzip"}), InvalidResponse),
        (ScriptedResponse(429, b"Too many requests"), RateLimited),
        (ScriptedResponse(500, b""), SourceUnavailable),
        (ScriptedResponse(503, b"<html>busy</html>"), SourceUnavailable),
        (ScriptedResponse(408, b""), SourceUnavailable),
        (ScriptedResponse(403, b'{"error": {"status": 403}}'), AccessDenied),
        (ScriptedResponse(404, b"[]"), NotFound),
        (ScriptedResponse(400, b'{"error": "a string"}'), BadRequest),
        (ScriptedResponse(302, b"", {"Location": "ftp://elsewhere/"}), BadRequest),
    ],
)
def test_translates_errors(
    server: ScriptedServer, response: ScriptedResponse, error: type[CollectorError]
) -> None:
    """Every failure becomes an error whose type says whether a retry can help."""
    server.respond("/here", response)
    with pytest.raises(CollectorError) as caught:
        get(f"{server.url}/here")
    assert type(caught.value) is error
    assert str(caught.value)


def test_a_refused_connection_is_transient() -> None:
    """An address without a server is a transient error."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(
        SourceUnavailable, match=rf"^Nothing answers at http://127\.0\.0\.1:{port}:"
    ):
        get(f"http://127.0.0.1:{port}/")


def test_a_timeout_is_transient() -> None:
    """A server without a response in time gives a transient error."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(SourceUnavailable, match="in time"):
            get(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout=0.05)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("1.5", 1.5),
        ("79892", 79_892.0),
        ("Thu, 01 Jan 2026 12:01:00 GMT", 60.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 12:01:00 -0000", 60.0),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        ("soon", None),
        ("Thu, 99 Jan 99999 12:01:00 GMT", None),
    ],
)
def test_parses_retry_after(header: str | None, seconds: float | None) -> None:
    """Retry-After is seconds or a date; anything else is ignored."""
    assert backoff.parse_retry_after(header, NOW) == seconds


def test_keeps_the_reason_of_a_429(server: ScriptedServer) -> None:
    """An exceeded quota differs from a burst."""
    error = {"status": 429, "message": "Too many requests", "reason": "QUOTA_EXCEEDED"}
    server.respond("/here", ScriptedResponse.json({"error": error}, 429, Retry_After="9"))
    with pytest.raises(RateLimited) as caught:
        get(f"{server.url}/here")
    assert (caught.value.retry_after, caught.value.reason) == (9.0, "QUOTA_EXCEEDED")


def test_messages_are_short_and_without_secrets(server: ScriptedServer) -> None:
    """Messages of a source are truncated, and tokens in them redacted."""
    message = "Bearer BQDk3ZxYvUtSrQpOnMlKjIhGfEdCbA " + "x" * 10_000
    server.respond("/here", ScriptedResponse.json({"error": {"message": message}}, 400))
    with pytest.raises(BadRequest) as caught:
        get(f"{server.url}/here")
    assert len(str(caught.value)) < 400
    assert "BQDk3Zx" not in str(caught.value)


def test_fingerprints_identify_accounts() -> None:
    """A fingerprint is stable, short, different per credential and address, and no secret."""
    assert client.fingerprint("id", "address") == client.fingerprint("id", "address")
    assert client.fingerprint("id", "address") != client.fingerprint("id", "elsewhere")
    assert len(client.fingerprint("id", "address")) == 16


def test_an_address_in_a_message_has_no_secret() -> None:
    """Some services take the client id as a parameter."""
    with serving() as server:
        server.respond("/tracks", ScriptedResponse(404, b"[]"))
        address = f"{server.url}/tracks"
        with pytest.raises(NotFound) as caught:
            client.ServiceClient(address, FakeClock(NOW), 5).get_json(client_id="0123abcd", a="b")
    assert "0123abcd" not in str(caught.value)
    assert "/tracks" in str(caught.value)
