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
from collector.http import client
from tests.scripted import Answer, Scripted, serving

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[Scripted]:
    with serving() as script:
        yield script


def get(url: str, timeout: float = 5.0) -> object:
    with client.make_session(url) as session:
        return client.get_json(session, url, timeout=timeout, now=NOW)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(200, b""), InvalidResponse),
        (Answer(200, b"<html>hello</html>"), InvalidResponse),
        (Answer(200, b'{"content": [1, 2', {}), InvalidResponse),
        (Answer(200, b'{"content": [1, 2, 3]}', cut=True), SourceUnavailable),
        (Answer(200, b"not gzip", {"Content-Encoding": "gzip"}), InvalidResponse),
        (Answer(429, b"Too many requests"), RateLimited),
        (Answer(500, b""), SourceUnavailable),
        (Answer(503, b"<html>busy</html>"), SourceUnavailable),
        (Answer(408, b""), SourceUnavailable),
        (Answer(403, b'{"error": {"status": 403}}'), AccessDenied),
        (Answer(404, b"[]"), NotFound),
        (Answer(400, b'{"error": "a string"}'), BadRequest),
        (Answer(302, b"", {"Location": "ftp://elsewhere/"}), BadRequest),
    ],
)
def test_translates_what_goes_wrong(
    server: Scripted, answer: Answer, error: type[CollectorError]
) -> None:
    """Every broken answer becomes the error that says whether asking again can help."""
    server.will("/here", answer)
    with pytest.raises(CollectorError) as caught:
        get(f"{server.url}/here")
    assert type(caught.value) is error
    assert str(caught.value)


def test_nobody_there_may_pass() -> None:
    """An address where nobody listens is a fault that may pass."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        get(f"http://127.0.0.1:{port}/")


def test_silence_may_pass() -> None:
    """A server that does not answer in time is a fault that may pass."""
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
def test_reads_retry_after(header: str | None, seconds: float | None) -> None:
    """Retry-After is seconds or a date; anything else says nothing."""
    assert client.parse_retry_after(header, NOW) == seconds


def test_keeps_the_reason(server: Scripted) -> None:
    """The reason of a 429 is kept: a spent quota is another thing than a burst."""
    error = {"status": 429, "message": "Too many requests", "reason": "QUOTA_EXCEEDED"}
    server.will("/here", Answer.json({"error": error}, 429, Retry_After="9"))
    with pytest.raises(RateLimited) as caught:
        get(f"{server.url}/here")
    assert (caught.value.retry_after, caught.value.reason) == (9.0, "QUOTA_EXCEEDED")


def test_sentences_are_short_and_without_secrets(server: Scripted) -> None:
    """What a source says is quoted briefly, and no token in it is repeated."""
    message = "Bearer BQDk3ZxYvUtSrQpOnMlKjIhGfEdCbA " + "x" * 10_000
    server.will("/here", Answer.json({"error": {"message": message}}, 400))
    with pytest.raises(BadRequest) as caught:
        get(f"{server.url}/here")
    assert len(str(caught.value)) < 400
    assert "BQDk3Zx" not in str(caught.value)


def test_fingerprints_tell_accounts_apart() -> None:
    """A fingerprint is stable, short, different per credential and address, and no secret."""
    assert client.fingerprint("id", "address") == client.fingerprint("id", "address")
    assert client.fingerprint("id", "address") != client.fingerprint("id", "elsewhere")
    assert len(client.fingerprint("id", "address")) == 16


def test_loopback_knows_no_proxy() -> None:
    """A proxy in the environment is for the world outside."""
    assert not client.make_session("http://127.0.0.1:8765/v1/").trust_env
    assert client.make_session("https://api.spotify.com/v1/").trust_env
