"""Diagnostics of the harvester."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from collector.http.retry import RequestLimit
from collector.monitoring.doctor import MAX_REQUESTS, CollectorDoctor, checks
from collector.settings import CollectorSettings
from genrebase.runtime.checks import Check
from tests.fakes import FakeClock
from tests.scripted_server import ScriptedResponse, ScriptedServer, serving

SEARCH, FEATURES = "/v1/search", "/v1/audio-features"
RECCOBEATS = "/reccobeats/v1/audio-features"
ITEM = {"id": "A" * 22, "name": "a", "artists": [{"name": "b"}]}
FOUND = ScriptedResponse.json({"tracks": {"items": [ITEM]}})
TOO_MANY = ScriptedResponse.json({"error": {"status": 400, "message": "Invalid limit"}}, 400)
CLOSED = ScriptedResponse.json({"error": {"status": 403}}, 403)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as script:
        script.respond(SEARCH, FOUND)
        script.respond(FEATURES, ScriptedResponse.json({"audio_features": [None]}))
        script.respond(RECCOBEATS, ScriptedResponse.json({"content": []}))
        yield script


def examine(engine: Engine, url: str | None, **more: object) -> dict[str, Check]:
    values: dict[str, object] = {
        "spotify_client_id": "an-id",
        "spotify_client_secret": SecretStr("a-secret"),
        "spotify_url": url,
        "acousticbrainz_url": url,
    }
    settings = CollectorSettings(_env_file=None, **{**values, **more})  # type: ignore[arg-type]
    doctor = CollectorDoctor(engine, settings, FakeClock(), RequestLimit(MAX_REQUESTS))
    return {check.name: check for check in doctor.run_checks()}


def requested_paths(server: ScriptedServer) -> int:
    return sum(server.requests(path) for path in (SEARCH, FEATURES, RECCOBEATS))


def test_everything_works(sqlite_engine: Engine, server: ScriptedServer) -> None:
    """Three requests succeed and no problem is reported."""
    found_checks = examine(sqlite_engine, server.url)
    assert {name: check.ok for name, check in found_checks.items()} == {
        "spotify search": True,
        "spotify audio features": True,
        "reccobeats": True,
    }
    assert "50 tracks a page" in found_checks["spotify search"].sentence
    assert requested_paths(server) == 3


def test_checks_musicbrainz_where_it_is_a_source(
    sqlite_engine: Engine, server: ScriptedServer
) -> None:
    """A search shows that requests are accepted; a missing contact is reported without one."""
    recordings = [{"id": str(number)} for number in range(100)]
    server.respond("/ws/2/recording", ScriptedResponse.json({"recordings": recordings}))
    more = {"sources": "spotify,musicbrainz", "musicbrainz_url": server.url}
    check = examine(sqlite_engine, server.url, **more)["musicbrainz"]
    assert (check.ok, check.sentence) == (True, "100 recordings on a page.")
    assert server.requests("/ws/2/recording") == 1
    without = examine(sqlite_engine, server.url, sources="musicbrainz")["musicbrainz"]
    assert without.ok is False
    assert "COLLECTOR_CONTACT" in without.sentence
    down = {**more, "musicbrainz_url": "http://127.0.0.1:1"}
    assert examine(sqlite_engine, server.url, **down)["musicbrainz"].ok is False


def test_acousticbrainz_may_have_ended(sqlite_engine: Engine, server: ScriptedServer) -> None:
    """It is checked with MusicBrainz; whatever it does, nothing is reported as wrong."""
    path = "/api/v1/low-level"
    more = {"sources": "spotify,musicbrainz", "musicbrainz_url": server.url}
    server.respond(path, ScriptedResponse.json({"mbid_mapping": {}}))
    check = examine(sqlite_engine, server.url, **more)["acousticbrainz"]
    assert (check.ok, check.sentence) == (True, "audio features are available.")
    server.respond(path, ScriptedResponse(503, b""))
    for url in (server.url, "http://127.0.0.1:1"):
        check = examine(sqlite_engine, server.url, **more, acousticbrainz_url=url)[
            "acousticbrainz"
        ]
        assert check.ok is None
        assert "It may have ended" in check.sentence
    assert server.requests(path) == 3
    assert "acousticbrainz" not in examine(sqlite_engine, server.url)


@pytest.mark.parametrize(
    ("name", "path", "page"),
    [
        ("internetarchive", "/services/search/v1/scrape", {"items": [{"identifier": "a"}]}),
        ("jamendo", "/v3.0/tracks/", {"headers": {"code": 0}, "results": [{"id": "1"}]}),
    ],
)
def test_checks_sources_of_audio_files(
    sqlite_engine: Engine, server: ScriptedServer, name: str, path: str, page: object
) -> None:
    """A search shows that requests are accepted; a missing setting is reported without one."""
    server.respond(path, ScriptedResponse.json(page))
    more = {"sources": name, "archive_url": server.url, "jamendo_url": server.url}
    client = {"jamendo_client_id": SecretStr("a-client")}
    check = examine(sqlite_engine, server.url, **more, **client)[name]
    assert (check.ok, check.sentence) == (True, "1 result on a page.")
    assert server.requests(path) == 1
    without = examine(sqlite_engine, server.url, sources=name)[name]
    assert without.ok is False
    assert "COLLECTOR_" in without.sentence


def test_detects_the_limits_of_development_mode(
    sqlite_engine: Engine, server: ScriptedServer
) -> None:
    """Small pages and closed features are detected with four requests and stored."""
    server.respond(SEARCH, TOO_MANY, FOUND)
    server.respond(FEATURES, CLOSED)
    for requests in (4, 6):
        found_checks = examine(sqlite_engine, server.url)
        assert "10 tracks a page (development mode)" in found_checks["spotify search"].sentence
        assert found_checks["spotify audio features"].ok is None
        assert requested_paths(server) == requests


def test_never_makes_more_than_its_requests(sqlite_engine: Engine, server: ScriptedServer) -> None:
    """However broken everything is, four requests are all."""
    for path in (SEARCH, FEATURES, RECCOBEATS):
        server.respond(path, ScriptedResponse(503, b""))
    found_checks = examine(sqlite_engine, server.url)
    assert found_checks["spotify search"].ok is False
    assert requested_paths(server) == MAX_REQUESTS


def test_an_unreachable_source_is_reported(sqlite_engine: Engine) -> None:
    """Offline every source is reported as unreachable, not the limit of requests."""
    found_checks = examine(
        sqlite_engine, "http://127.0.0.1:1", reccobeats_url="http://127.0.0.1:1/v1"
    )
    assert set(found_checks) == {"spotify search", "reccobeats"}
    for check in found_checks.values():
        assert check.ok is False
        assert "Nothing answers at http://127.0.0.1:1: is the sandbox" in check.sentence


def test_only_sources_that_are_used_are_checked(
    sqlite_engine: Engine, server: ScriptedServer
) -> None:
    """ReccoBeats cannot be reached, and nothing asks it: its ids are Spotify's."""
    server.respond("/ws/2/recording", ScriptedResponse.json({"recordings": []}))
    more = {"musicbrainz_url": server.url, "reccobeats_url": "http://127.0.0.1:1/v1"}
    checks = examine(sqlite_engine, server.url, sources="musicbrainz", **more)
    assert set(checks) == {"musicbrainz", "acousticbrainz"}
    assert requested_paths(server) == 0
    order = {"feature_order": "spotify,acousticbrainz"}
    assert "reccobeats" not in examine(sqlite_engine, server.url, **order)


def test_wrong_credentials_are_reported(sqlite_engine: Engine, server: ScriptedServer) -> None:
    """The line names the settings to change."""
    server.respond("/api/token", ScriptedResponse.json({"error": "invalid_client"}, 400))
    check = examine(sqlite_engine, server.url)["spotify search"]
    assert check.ok is False
    assert "SPOTIPY_CLIENT_ID" in check.sentence


def test_missing_credentials_are_no_error(sqlite_engine: Engine, server: ScriptedServer) -> None:
    """Imports need no credentials: their absence is reported as information."""
    check = examine(sqlite_engine, server.url, spotify_client_id=None)["spotify"]
    assert check.ok is None
    assert requested_paths(server) == 1


def test_an_empty_genre_search_is_reported(sqlite_engine: Engine, server: ScriptedServer) -> None:
    """The line names the alternatives for an app without genre search."""
    server.respond(SEARCH, ScriptedResponse.json({"tracks": {"items": []}}))
    check = examine(sqlite_engine, server.url)["spotify search"]
    assert check.ok is False
    assert "Import a dataset" in check.sentence


def test_without_a_database_no_request_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests are counted in the database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STORE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    (check,) = checks()
    assert check.ok is None
    assert "not checked" in check.sentence


def test_a_bad_setting_is_the_only_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`genrebase doctor` names an invalid setting itself; nothing else is checked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLLECTOR_RATE", "fast")
    (check,) = checks()
    assert check.ok is None
    assert "correct the settings first" in check.sentence
