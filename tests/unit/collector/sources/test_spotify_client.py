"""The Spotify client."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from collector.errors import (
    AccessDenied,
    BadCredentials,
    BadRequest,
    CollectorError,
    EndpointClosed,
    InvalidLimit,
    InvalidResponse,
    NotFound,
    RateLimited,
    SourceUnavailable,
    TokenExpired,
)
from collector.settings import CollectorSettings
from collector.sources import spotify_client
from collector.sources.spotify_client import SpotifyClient
from tests.fakes import FakeClock
from tests.scripted_server import TOKEN, ScriptedResponse, ScriptedServer, serving

ID = "3n3Ppam7vgaVa1iaRUc9Lp"
SEARCH = "/v1/search"
FEATURES = "/v1/audio-features"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as script:
        yield script


def settings_for(url: str | None, **more: object) -> CollectorSettings:
    values: dict[str, object] = {
        "spotify_client_id": "an-id",
        "spotify_client_secret": SecretStr("a-secret"),
        "spotify_url": url,
        "timeout": 5.0,
    }
    return CollectorSettings(_env_file=None, **{**values, **more})  # type: ignore[arg-type]


@pytest.fixture
def client(server: ScriptedServer) -> SpotifyClient:
    return SpotifyClient(settings_for(server.url), FakeClock())


def search(client: SpotifyClient) -> list[object]:
    return client.search('genre:"rock"', limit=50, offset=0).items


@pytest.mark.parametrize(
    ("stated", "total"),
    [(200, 200), (0, 0), (None, None), ("200", None), (-1, None), (True, None)],
)
def test_a_page_has_the_total_that_spotify_states(
    client: SpotifyClient, server: ScriptedServer, stated: object, total: int | None
) -> None:
    """A total that is no count is left out."""
    server.respond(SEARCH, ScriptedResponse.json({"tracks": {"items": [], "total": stated}}))
    assert client.search("genre:rock", limit=50, offset=0) == ([], total)


def test_one_call_is_one_request(client: SpotifyClient, server: ScriptedServer) -> None:
    """A call makes one request; the token is fetched once."""
    server.respond(SEARCH, ScriptedResponse.json({"tracks": {"items": [None, 1]}}))
    assert search(client) == search(client) == [None, 1]
    assert server.requests(SEARCH) == 2
    assert server.requests("/api/token") == 1


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (ScriptedResponse(200, b""), InvalidResponse),
        (ScriptedResponse(200, b'{"tracks": {"items": ['), InvalidResponse),
        (ScriptedResponse(200, b"<html></html>"), InvalidResponse),
        (ScriptedResponse(200, b"[]"), InvalidResponse),
        (ScriptedResponse(200, b'{"tracks": null}'), InvalidResponse),
        (ScriptedResponse(200, b'{"tracks": {"items": null}}'), InvalidResponse),
        (ScriptedResponse(200, b'{"tracks": {"items": []}}', cut=True), SourceUnavailable),
        (ScriptedResponse(500, b""), SourceUnavailable),
        (ScriptedResponse(502, b'{"error": "a string"}'), SourceUnavailable),
        (ScriptedResponse(503, b"<html>busy</html>"), SourceUnavailable),
        (ScriptedResponse(503, b'{"error": null}'), SourceUnavailable),
        (ScriptedResponse(503, b"[1]"), SourceUnavailable),
        (
            ScriptedResponse(400, b'{"error": {"status": 400, "message": "Invalid limit"}}'),
            InvalidLimit,
        ),
        (
            ScriptedResponse(400, b'{"error": {"status": 400, "message": "Invalid offset"}}'),
            BadRequest,
        ),
        (ScriptedResponse(400, b'{"error": "a string"}'), BadRequest),
        (ScriptedResponse(403, b'{"error": {"status": 403, "message": "no"}}'), AccessDenied),
        (ScriptedResponse(404, b'{"error": {"status": 404, "message": "no"}}'), NotFound),
    ],
)
def test_translates_errors(
    client: SpotifyClient,
    server: ScriptedServer,
    response: ScriptedResponse,
    error: type[CollectorError],
) -> None:
    """Any error or broken response is translated, after one request."""
    server.respond(SEARCH, response)
    with pytest.raises(CollectorError) as caught:
        search(client)
    assert type(caught.value) is error
    assert server.requests(SEARCH) == 1


@pytest.mark.parametrize(
    ("response", "seconds", "reason"),
    [
        (
            ScriptedResponse.json({"error": {"message": "slow"}}, 429, Retry_After="13749"),
            13_749.0,
            None,
        ),
        (ScriptedResponse(429, b"Too many requests", {"Retry-After": "1"}), 1.0, None),
        (
            ScriptedResponse(429, b'{"error": "Too many requests"}', {"Retry-After": "1"}),
            1.0,
            None,
        ),
        (ScriptedResponse(429, b"Too many requests"), None, None),
        (ScriptedResponse(429, b"", {"Retry-After": "soon"}), None, None),
        (
            ScriptedResponse.json({"error": {"message": "slow", "reason": "QUOTA_EXCEEDED"}}, 429),
            None,
            "QUOTA_EXCEEDED",
        ),
    ],
)
def test_keeps_retry_after_and_reason_of_a_429(
    client: SpotifyClient,
    server: ScriptedServer,
    response: ScriptedResponse,
    seconds: float | None,
    reason: str | None,
) -> None:
    """A 429 is raised at once, for any shape of its body."""
    server.respond(SEARCH, response)
    with pytest.raises(RateLimited) as caught:
        search(client)
    assert (caught.value.retry_after, caught.value.reason) == (seconds, reason)
    assert server.requests(SEARCH) == 1


def test_an_expired_token_is_replaced_once(client: SpotifyClient, server: ScriptedServer) -> None:
    """After a 401 for a used token the next request fetches a new one."""
    unauthorised = ScriptedResponse.json({"error": {"status": 401, "message": "expired"}}, 401)
    fine = ScriptedResponse.json({"tracks": {"items": []}})
    server.respond(SEARCH, fine, unauthorised, fine)
    search(client)
    with pytest.raises(TokenExpired):
        search(client)
    assert search(client) == []
    assert server.requests("/api/token") == 2


def test_a_refused_new_token_means_bad_credentials(
    client: SpotifyClient, server: ScriptedServer
) -> None:
    """A 401 for a new token raises, instead of refreshing for ever."""
    server.respond(SEARCH, ScriptedResponse.json({"error": {"status": 401, "message": "no"}}, 401))
    with pytest.raises(BadCredentials):
        search(client)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (
            ScriptedResponse.json({"error": "invalid_client", "error_description": "no"}, 400),
            BadCredentials,
        ),
        (ScriptedResponse.json({"error": "unauthorized_client"}, 401), BadCredentials),
        (ScriptedResponse(403, b"<html></html>"), BadCredentials),
        (ScriptedResponse(429, b"slow", {"Retry-After": "3"}), RateLimited),
        (ScriptedResponse(503, b"<html>busy</html>"), SourceUnavailable),
        (ScriptedResponse(503, b"[]"), SourceUnavailable),
        (ScriptedResponse(404, b""), NotFound),
        (ScriptedResponse(200, b""), InvalidResponse),
        (ScriptedResponse(200, b"[]"), InvalidResponse),
        (ScriptedResponse(200, b"{}"), InvalidResponse),
        (ScriptedResponse(200, TOKEN.body, cut=True), SourceUnavailable),
    ],
)
def test_translates_token_errors(
    client: SpotifyClient,
    server: ScriptedServer,
    response: ScriptedResponse,
    error: type[CollectorError],
) -> None:
    """Failures of the token endpoint differ from bad credentials; no other request follows."""
    server.respond("/api/token", response)
    with pytest.raises(CollectorError) as caught:
        search(client)
    assert type(caught.value) is error
    assert server.requests(SEARCH) == 0


def test_bad_credentials_name_the_variables(client: SpotifyClient, server: ScriptedServer) -> None:
    """The sentence names both variables; the exit code is that of a user error."""
    server.respond("/api/token", ScriptedResponse.json({"error": "invalid_client"}, 400))
    with pytest.raises(BadCredentials, match="SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET") as bad:
        search(client)
    assert bad.value.exit_code == 2
    assert "a-secret" not in str(bad.value)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_closed_endpoint_is_named(
    client: SpotifyClient, server: ScriptedServer, status: int
) -> None:
    """The error names the endpoint, with or without a message."""
    server.respond(FEATURES, ScriptedResponse.json({"error": {"status": status}}, status))
    with pytest.raises(EndpointClosed) as caught:
        client.audio_features([ID])
    assert caught.value.endpoint == spotify_client.AUDIO_FEATURES_ENDPOINT


def test_ids_are_sent_in_one_request(client: SpotifyClient, server: ScriptedServer) -> None:
    """Several ids are sent in one request, separated by commas; results are unparsed."""
    server.respond(FEATURES, ScriptedResponse.json({"audio_features": [None, {"id": ID}]}))
    server.respond("/v1/tracks", ScriptedResponse.json({"tracks": [None]}))
    assert client.audio_features(["A" * 22, ID]) == [None, {"id": ID}]
    assert client.tracks([ID]) == [None]
    assert f"{FEATURES}?ids={'A' * 22},{ID}" in server.received


def test_no_token_is_stored_or_logged(
    client: SpotifyClient,
    server: ScriptedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No token is written to a file or into the log, at any level."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    server.respond(SEARCH, ScriptedResponse(500, b""))
    with pytest.raises(SourceUnavailable):
        search(client)
    assert list(tmp_path.iterdir()) == []
    assert "a-token" not in caplog.text


@pytest.mark.parametrize(
    ("client_id", "secret"), [(None, "s"), ("i", None), ("", "s"), ("i", ""), ("i", "Ключ")]
)
def test_missing_credentials_are_refused(client_id: str | None, secret: str | None) -> None:
    """Without credentials no request is made; the message names the settings."""
    hidden = None if secret is None else SecretStr(secret)
    settings = settings_for(None, spotify_client_id=client_id, spotify_client_secret=hidden)
    with pytest.raises(BadCredentials, match="SPOTIPY_CLIENT_ID"):
        SpotifyClient(settings, FakeClock())


@pytest.mark.parametrize(
    ("client_id", "secret", "missing"),
    [("i", None, "SPOTIPY_CLIENT_SECRET"), (None, "s", "SPOTIPY_CLIENT_ID")],
)
def test_one_missing_credential_is_named(
    client_id: str | None, secret: str | None, missing: str
) -> None:
    """The other one is there."""
    hidden = None if secret is None else SecretStr(secret)
    settings = settings_for(None, spotify_client_id=client_id, spotify_client_secret=hidden)
    with pytest.raises(BadCredentials, match=f"^{missing} is missing"):
        SpotifyClient(settings, FakeClock())


def test_accounts_have_a_fingerprint() -> None:
    """Another app or address is another account; the rate is the configured one."""
    one = spotify_client.spotify_account(settings_for(None))
    assert one == spotify_client.spotify_account(settings_for(None))
    assert (
        one.credential
        != spotify_client.spotify_account(settings_for("http://127.0.0.1:1")).credential
    )
    assert (
        one.credential
        != spotify_client.spotify_account(settings_for(None, spotify_client_id="b")).credential
    )


def test_apps_of_one_named_account_have_one_budget() -> None:
    """Its fingerprint is that of the account; blanks are no name."""
    own = spotify_client.spotify_account(settings_for(None))
    one, two, other = (
        spotify_client.spotify_account(
            settings_for(None, spotify_client_id=app, spotify_account=name)
        )
        for app, name in (("an-id", " Ada "), ("b", "Ada"), ("b", "Bo"))
    )
    assert one.name == two.name == "Ada"
    assert one.credential == two.credential != other.credential
    assert one.replaced_credential == own.credential
    assert spotify_client.spotify_account(settings_for(None, spotify_account=" ")) == own
    assert one.rate == settings_for(None).rate
