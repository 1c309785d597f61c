"""MusicBrainz' web service: requests and errors."""

from collections.abc import Iterator
from importlib.metadata import version
from urllib.parse import parse_qs, urlsplit

import pytest

from collector.errors import (
    AccessDenied,
    BadCredentials,
    BadRequest,
    CollectorError,
    InvalidResponse,
    NotFound,
    RateLimited,
    SourceUnavailable,
)
from collector.http.backoff import OVERLOADED
from collector.settings import CollectorSettings
from collector.sources.musicbrainz_client import (
    MergedRecording,
    MusicBrainzClient,
    musicbrainz_account,
)
from tests.fakes import FakeClock
from tests.scripted_server import ScriptedResponse, ScriptedServer, serving

MBID = "5935ec91-8124-42ff-937f-f31a20ffe58f"
OLD_MBID = "0c7d2f4a-1b89-4d0e-9c8a-2f4a1b894d0e"
RECORDING = f"/ws/2/recording/{OLD_MBID}"
HELP = "For usage, please see: https://musicbrainz.org/development/mmd"
RATE_LIMIT = (
    "Your requests are exceeding the allowable rate limit. Please see "
    "http://wiki.musicbrainz.org/XMLWebService for more information."
)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as script:
        yield script


def settings_for(**more: object) -> CollectorSettings:
    return CollectorSettings(_env_file=None, timeout=5.0, **more)  # type: ignore[arg-type]


@pytest.fixture
def client(server: ScriptedServer) -> MusicBrainzClient:
    settings = settings_for(musicbrainz_url=server.url, contact="me@example.org")
    return MusicBrainzClient(settings, FakeClock())


def last_query(server: ScriptedServer) -> dict[str, list[str]]:
    return parse_qs(urlsplit(server.received[-1]).query)


def test_identifies_itself(server: ScriptedServer, client: MusicBrainzClient) -> None:
    """Every request has program, version and contact in its User-Agent."""
    server.respond("/ws/2/recording", ScriptedResponse.json({"recordings": []}))
    server.respond("/ws/2/genre/all", ScriptedResponse(body=b"rock\n"))
    client.search("tag:rock", limit=100, offset=0)
    client.genres()
    assert set(server.user_agents) == {f"Genrebase/{version('genrebase')} ( me@example.org )"}


def test_requires_a_contact() -> None:
    """The public service is not requested without a contact; a stand-in is."""
    with pytest.raises(BadCredentials, match="COLLECTOR_CONTACT"):
        MusicBrainzClient(settings_for(), FakeClock())
    for url in ({"musicbrainz_url": "http://127.0.0.1:9"}, {"sandbox_url": "http://127.0.0.1:9"}):
        MusicBrainzClient(settings_for(**url), FakeClock())
    MusicBrainzClient(settings_for(contact="me@example.org"), FakeClock())


def test_accounts_are_addresses() -> None:
    """A stand-in has a budget of its own; the default rate is one request in over a second."""
    public = musicbrainz_account(settings_for())
    sandbox = musicbrainz_account(settings_for(sandbox_url="http://127.0.0.1:9"))
    assert (public.source, sandbox.source) == ("musicbrainz", "musicbrainz")
    assert public.credential != sandbox.credential
    assert 1.05 < public.rate.interval < 1.1


def test_requests_are_complete(server: ScriptedServer, client: MusicBrainzClient) -> None:
    """A search has its query, limit and offset; lookups include what is parsed."""
    empty = ScriptedResponse.json({})
    for path in ("recording", f"recording/{MBID}"):
        server.respond(f"/ws/2/{path}", empty)
    client.search('tag:"r&b"', limit=25, offset=50)
    assert last_query(server) == {
        "query": ['tag:"r&b"'],
        "limit": ["25"],
        "offset": ["50"],
        "fmt": ["json"],
    }
    client.recording(MBID)
    assert last_query(server)["inc"] == ["artist-credits isrcs tags genres releases"]


def test_lists_genres(server: ScriptedServer, client: MusicBrainzClient) -> None:
    """All genres come as text, one a line."""
    server.respond("/ws/2/genre/all", ScriptedResponse(body="rock\nシティポップ\n".encode()))
    assert client.genres() == ["rock", "シティポップ"]
    assert last_query(server) == {"fmt": ["txt"]}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": RATE_LIMIT}, None),
        ({"error": RATE_LIMIT, "help": HELP}, None),
        ({"error": "The MusicBrainz web server is currently busy."}, OVERLOADED),
        ({"error": "Search server could not complete query: timeout"}, OVERLOADED),
        ({}, OVERLOADED),
    ],
)
def test_every_503_is_a_limit(
    server: ScriptedServer, client: MusicBrainzClient, body: object, reason: str | None
) -> None:
    """A 503 in any wording is a rate limit without an announced end."""
    server.respond(RECORDING, ScriptedResponse.json(body, 503))
    with pytest.raises(RateLimited) as caught:
        client.recording(OLD_MBID)
    assert (caught.value.retry_after, caught.value.reason) == (None, reason)


@pytest.mark.parametrize(
    ("response", "error", "message"),
    [
        (ScriptedResponse.json({"error": "Invalid mbid.", "help": HELP}, 400), BadRequest, "mbid"),
        (ScriptedResponse.json({"error": "Not Found", "help": HELP}, 404), NotFound, "Not Found"),
        (
            ScriptedResponse.json(
                {"error": "Search server could not complete query: Bad request"}, 400
            ),
            BadRequest,
            "complete query",
        ),
        (ScriptedResponse.json({"error": "Your credentials could not be verified."}, 401),
         AccessDenied, "credentials"),
        (ScriptedResponse(403, b"<html>Forbidden</html>"), AccessDenied, "COLLECTOR_CONTACT"),
        (ScriptedResponse(503, b"<html>busy</html>"), RateLimited, ""),
        (ScriptedResponse(429, b"slow down", {"Retry-After": "7"}), RateLimited, ""),
        (ScriptedResponse(502, b"<html>"), SourceUnavailable, "502"),
        (ScriptedResponse(200, b"<html>"), InvalidResponse, "JSON"),
        (ScriptedResponse(301, b"", {"Location": "https://elsewhere.example/"}),
         BadRequest, "redirects"),
        (ScriptedResponse(302, b"", {"Location": "http://[half"}), BadRequest, "redirects"),
    ],
)  # fmt: skip
def test_translates_errors(
    server: ScriptedServer,
    client: MusicBrainzClient,
    response: ScriptedResponse,
    error: type[CollectorError],
    message: str,
) -> None:
    """Errors are told apart by status; their text is kept."""
    server.respond(RECORDING, response)
    with pytest.raises(error) as caught:
        client.recording(OLD_MBID)
    assert message in str(caught.value)


def test_names_the_recording_that_another_was_merged_into(
    server: ScriptedServer, client: MusicBrainzClient
) -> None:
    """A redirect is read, not followed: one request, and the new MBID."""
    location = f"{server.url}/ws/2/recording/{MBID}?inc=isrcs"
    server.respond(RECORDING, ScriptedResponse(301, b"", {"Location": location}))
    with pytest.raises(MergedRecording) as caught:
        client.recording(OLD_MBID)
    assert caught.value.mbid == MBID
    assert len(server.received) == 1
