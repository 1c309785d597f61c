"""Downloads: resumed by Range, redirected within the service's domain only, never too long."""

from datetime import UTC, datetime

import pytest

from collector.errors import (
    AccessDenied,
    InvalidResponse,
    NotFound,
    RateLimited,
    SourceUnavailable,
    StopRequested,
)
from collector.http.file_download import FileClient, is_within
from tests.scripted_server import ScriptedResponse, serving

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
BODY = bytes(range(256)) * 40


class Receiver:
    """Bytes in memory; `limit` raises like a stop does."""

    def __init__(self, content=b"", limit=None):
        self.content, self.limit = content, limit

    @property
    def size(self):
        return len(self.content)

    def restart(self):
        self.content = b""

    def write(self, chunk):
        self.content += chunk
        if self.limit is not None and self.size > self.limit:
            raise StopRequested


@pytest.fixture
def server():
    with serving() as script:
        yield script


def fetch(server, receiver, path="/file"):
    client = FileClient("127.0.0.1", "a test")
    return client.fetch(f"{server.url}{path}", receiver, timeout=5, now=NOW)


def test_a_file_is_received(server):
    server.respond("/file", ScriptedResponse(body=BODY))
    receiver = Receiver()
    assert fetch(server, receiver) is None
    assert receiver.content == BODY


def test_the_rest_of_a_file_is_appended(server):
    """With status 206 the bytes follow those that were there."""
    headers = {"Content-Range": f"bytes 1000-{len(BODY) - 1}/{len(BODY)}"}
    server.respond("/file", ScriptedResponse(206, BODY[1000:], headers))
    receiver = Receiver(BODY[:1000])
    fetch(server, receiver)
    assert receiver.content == BODY


def test_a_server_without_range_sends_the_file_again(server):
    server.respond("/file", ScriptedResponse(200, BODY))
    receiver = Receiver(BODY[:1000])
    fetch(server, receiver)
    assert receiver.content == BODY


@pytest.mark.parametrize("content_range", ["bytes 7-20/30", "nonsense"])
def test_another_part_than_requested_is_not_appended(server, content_range):
    headers = {"Content-Range": content_range}
    server.respond("/file", ScriptedResponse(206, BODY, headers))
    receiver = Receiver(BODY[:1000])
    with pytest.raises(SourceUnavailable, match="another part"):
        fetch(server, receiver)
    assert receiver.size == 0


def test_a_partial_file_beyond_the_end_begins_again(server):
    server.respond("/file", ScriptedResponse(416, b""))
    receiver = Receiver(BODY)
    with pytest.raises(InvalidResponse):
        fetch(server, receiver)
    assert receiver.size == 0


def test_what_came_before_a_broken_connection_stays(server):
    """All of it but a last piece of less than 64 KiB."""
    server.respond("/file", ScriptedResponse(body=BODY * 100, cut=True))
    receiver = Receiver()
    with pytest.raises(SourceUnavailable):
        fetch(server, receiver)
    assert len(BODY) * 50 - (1 << 16) < receiver.size <= len(BODY) * 50
    assert (BODY * 100).startswith(receiver.content)


def test_an_error_of_the_receiver_ends_the_download(server):
    server.respond("/file", ScriptedResponse(body=BODY * 100))
    receiver = Receiver(limit=100)
    with pytest.raises(StopRequested):
        fetch(server, receiver)
    assert 100 < receiver.size < len(BODY) * 100


@pytest.mark.parametrize(
    ("status", "error"), [(404, NotFound), (429, RateLimited), (500, SourceUnavailable)]
)
def test_an_error_is_no_file(server, status, error):
    server.respond("/file", ScriptedResponse(status, b"sorry"))
    receiver = Receiver(b"kept")
    with pytest.raises(error):
        fetch(server, receiver)
    assert receiver.content == b"kept"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_returned_not_followed(server, status):
    """It is the caller's next request, within the budget."""
    server.respond("/file", ScriptedResponse(status, b"", {"Location": "/elsewhere"}))
    receiver = Receiver()
    assert fetch(server, receiver) == f"{server.url}/elsewhere"
    assert server.received == ["/file"]


@pytest.mark.parametrize(
    "location", ["http://example.org/file", "file:///etc/passwd", "http://[", "//example.org/x"]
)
def test_a_redirect_to_another_host_is_refused(server, location):
    server.respond("/file", ScriptedResponse(302, b"", {"Location": location}))
    with pytest.raises(AccessDenied, match="not followed"):
        fetch(server, Receiver())


@pytest.mark.parametrize(
    ("address", "accepted"),
    [
        ("https://archive.org/download/x", True),
        ("https://ia800.us.archive.org/1/x", True),
        ("https://ARCHIVE.org./x", True),
        ("https://notarchive.org/x", False),
        ("https://archive.org.example.com/x", False),
        ("https://archive.org:22/x", False),
        ("https://user@archive.org/x", False),
        ("ftp://archive.org/x", False),
        ("https://archive.org:x/", False),
        ("", False),
    ],
)
def test_addresses_within_a_domain(address, accepted):
    assert is_within(address, "archive.org") is accepted


def test_a_host_of_the_settings_may_have_a_port():
    """A mirror's files are where its address says; no other host's are."""
    assert is_within("http://mirror.example:8080/x", "mirror.example", any_port=True)
    assert not is_within("http://other.example:8080/x", "mirror.example", any_port=True)


def test_another_services_address_is_not_requested(server):
    with pytest.raises(AccessDenied):
        FileClient("archive.org", "a test").fetch(
            f"{server.url}/file", Receiver(), timeout=5, now=NOW
        )
    assert server.received == []
