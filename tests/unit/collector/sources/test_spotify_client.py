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
from tests.scripted import TOKEN, Answer, Scripted, serving

ID = "3n3Ppam7vgaVa1iaRUc9Lp"
SEARCH = "/v1/search"
FEATURES = "/v1/audio-features"


@pytest.fixture
def server() -> Iterator[Scripted]:
    with serving() as script:
        yield script


def settings_for(url: str | None, **more: object) -> CollectorSettings:
    known: dict[str, object] = {
        "spotify_client_id": "an-id",
        "spotify_client_secret": SecretStr("a-secret"),
        "spotify_url": url,
        "timeout": 5.0,
    }
    return CollectorSettings(_env_file=None, **{**known, **more})  # type: ignore[arg-type]


@pytest.fixture
def client(server: Scripted) -> SpotifyClient:
    return SpotifyClient(settings_for(server.url), FakeClock())


def search(client: SpotifyClient) -> list[object]:
    return client.search('genre:"rock"', limit=50, offset=0)


def test_one_call_is_one_request(client: SpotifyClient, server: Scripted) -> None:
    """A call makes one request; the token is fetched once, and not by itself again."""
    server.will(SEARCH, Answer.json({"tracks": {"items": [None, 1]}}))
    assert search(client) == search(client) == [None, 1]
    assert server.requests(SEARCH) == 2
    assert server.requests("/api/token") == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(200, b""), InvalidResponse),
        (Answer(200, b'{"tracks": {"items": ['), InvalidResponse),
        (Answer(200, b"<html></html>"), InvalidResponse),
        (Answer(200, b"[]"), InvalidResponse),
        (Answer(200, b'{"tracks": null}'), InvalidResponse),
        (Answer(200, b'{"tracks": {"items": null}}'), InvalidResponse),
        (Answer(200, b'{"tracks": {"items": []}}', cut=True), SourceUnavailable),
        (Answer(500, b""), SourceUnavailable),
        (Answer(502, b'{"error": "a string"}'), SourceUnavailable),
        (Answer(503, b"<html>busy</html>"), SourceUnavailable),
        (Answer(503, b'{"error": null}'), SourceUnavailable),
        (Answer(503, b"[1]"), SourceUnavailable),
        (Answer(400, b'{"error": {"status": 400, "message": "Invalid limit"}}'), InvalidLimit),
        (Answer(400, b'{"error": {"status": 400, "message": "Invalid offset"}}'), BadRequest),
        (Answer(400, b'{"error": "a string"}'), BadRequest),
        (Answer(403, b'{"error": {"status": 403, "message": "no"}}'), AccessDenied),
        (Answer(404, b'{"error": {"status": 404, "message": "no"}}'), NotFound),
    ],
)
def test_translates_what_goes_wrong(
    client: SpotifyClient, server: Scripted, answer: Answer, error: type[CollectorError]
) -> None:
    """Whatever shape a refusal or a broken answer has, it becomes our error, after one request."""
    server.will(SEARCH, answer)
    with pytest.raises(CollectorError) as caught:
        search(client)
    assert type(caught.value) is error
    assert server.requests(SEARCH) == 1


@pytest.mark.parametrize(
    ("answer", "seconds", "reason"),
    [
        (Answer.json({"error": {"message": "slow"}}, 429, Retry_After="13749"), 13_749.0, None),
        (Answer(429, b"Too many requests", {"Retry-After": "1"}), 1.0, None),
        (Answer(429, b'{"error": "Too many requests"}', {"Retry-After": "1"}), 1.0, None),
        (Answer(429, b"Too many requests"), None, None),
        (Answer(429, b"", {"Retry-After": "soon"}), None, None),
        (
            Answer.json({"error": {"message": "slow", "reason": "QUOTA_EXCEEDED"}}, 429),
            None,
            "QUOTA_EXCEEDED",
        ),
    ],
)
def test_keeps_what_a_429_says(
    client: SpotifyClient,
    server: Scripted,
    answer: Answer,
    seconds: float | None,
    reason: str | None,
) -> None:
    """A 429 comes at once, with its Retry-After and its reason, whatever shape its body has."""
    server.will(SEARCH, answer)
    with pytest.raises(RateLimited) as caught:
        search(client)
    assert (caught.value.retry_after, caught.value.reason) == (seconds, reason)
    assert server.requests(SEARCH) == 1


def test_an_expired_token_is_replaced_once(client: SpotifyClient, server: Scripted) -> None:
    """401 for a token that worked: the next request fetches another."""
    unauthorised = Answer.json({"error": {"status": 401, "message": "expired"}}, 401)
    fine = Answer.json({"tracks": {"items": []}})
    server.will(SEARCH, fine, unauthorised, fine)
    search(client)
    with pytest.raises(TokenExpired):
        search(client)
    assert search(client) == []
    assert server.requests("/api/token") == 2


def test_a_fresh_token_refused_is_no_accident(client: SpotifyClient, server: Scripted) -> None:
    """401 for a token just given out means the credentials are bad: no refreshing for ever."""
    server.will(SEARCH, Answer.json({"error": {"status": 401, "message": "no"}}, 401))
    with pytest.raises(BadCredentials):
        search(client)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer.json({"error": "invalid_client", "error_description": "no"}, 400), BadCredentials),
        (Answer.json({"error": "unauthorized_client"}, 401), BadCredentials),
        (Answer(403, b"<html></html>"), BadCredentials),
        (Answer(429, b"slow", {"Retry-After": "3"}), RateLimited),
        (Answer(503, b"<html>busy</html>"), SourceUnavailable),
        (Answer(503, b"[]"), SourceUnavailable),
        (Answer(404, b""), NotFound),
        (Answer(200, b""), InvalidResponse),
        (Answer(200, b"[]"), InvalidResponse),
        (Answer(200, b"{}"), InvalidResponse),
        (Answer(200, TOKEN.body, cut=True), SourceUnavailable),
    ],
)
def test_translates_what_goes_wrong_with_tokens(
    client: SpotifyClient, server: Scripted, answer: Answer, error: type[CollectorError]
) -> None:
    """The token endpoint's faults are told from wrong credentials; nothing else is asked then."""
    server.will("/api/token", answer)
    with pytest.raises(CollectorError) as caught:
        search(client)
    assert type(caught.value) is error
    assert server.requests(SEARCH) == 0


def test_wrong_credentials_say_what_to_set(client: SpotifyClient, server: Scripted) -> None:
    """The sentence names the two variables, and ends with the exit code of a refusal."""
    server.will("/api/token", Answer.json({"error": "invalid_client"}, 400))
    with pytest.raises(BadCredentials, match="SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET") as bad:
        search(client)
    assert bad.value.exit_code == 2
    assert "a-secret" not in str(bad.value)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_closed_endpoint_is_named(client: SpotifyClient, server: Scripted, status: int) -> None:
    """An endpoint closed to the credentials, with or without a message, is said by name."""
    server.will(FEATURES, Answer.json({"error": {"status": status}}, status))
    with pytest.raises(EndpointClosed) as caught:
        client.audio_features([ID])
    assert caught.value.endpoint == spotify_client.AUDIO_FEATURES_ENDPOINT


def test_ids_arrive_as_they_are(client: SpotifyClient, server: Scripted) -> None:
    """Several ids go in one request, separated by commas; answers come as they are."""
    server.will(FEATURES, Answer.json({"audio_features": [None, {"id": ID}]}))
    server.will("/v1/tracks", Answer.json({"tracks": [None]}))
    assert client.audio_features(["A" * 22, ID]) == [None, {"id": ID}]
    assert client.tracks([ID]) == [None]
    assert f"{FEATURES}?ids={'A' * 22},{ID}" in server.asked


def test_leaves_nothing_behind(
    client: SpotifyClient,
    server: Scripted,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No token is written to a file or into the log, at any level."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    server.will(SEARCH, Answer(500, b""))
    with pytest.raises(SourceUnavailable):
        search(client)
    assert list(tmp_path.iterdir()) == []
    assert "a-token" not in caplog.text


@pytest.mark.parametrize(
    ("client_id", "secret"), [(None, "s"), ("i", None), ("", "s"), ("i", ""), ("i", "Ключ")]
)
def test_missing_credentials_are_refused(client_id: str | None, secret: str | None) -> None:
    """Without usable credentials nothing is asked, and the sentence says what to set."""
    hidden = None if secret is None else SecretStr(secret)
    settings = settings_for(None, spotify_client_id=client_id, spotify_client_secret=hidden)
    with pytest.raises(BadCredentials, match="SPOTIPY_CLIENT_ID"):
        SpotifyClient(settings, FakeClock())


def test_accounts_are_known_by_a_fingerprint() -> None:
    """Another app or another address is another account; the rate is the one we were told."""
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
    assert one.rate == settings_for(None).spotify_rate_limit
