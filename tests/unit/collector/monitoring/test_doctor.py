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
    }
    settings = CollectorSettings(_env_file=None, **{**values, **more})  # type: ignore[arg-type]
    doctor = CollectorDoctor(engine, settings, FakeClock(), RequestLimit(MAX_REQUESTS))
    return {check.name: check for check in doctor.run_checks()}


def requested_paths(server: ScriptedServer) -> int:
    return sum(server.requests(path) for path in (SEARCH, FEATURES, RECCOBEATS))


def test_all_is_well(sqlite_engine: Engine, server: ScriptedServer) -> None:
    """Where everything answers, three requests say so."""
    found_checks = examine(sqlite_engine, server.url)
    assert {name: check.ok for name, check in found_checks.items()} == {
        "spotify search": True,
        "spotify audio features": True,
        "reccobeats": True,
    }
    assert "50 tracks a page" in found_checks["spotify search"].sentence
    assert requested_paths(server) == 3


def test_finds_out_what_development_mode_may_do(
    sqlite_engine: Engine, server: ScriptedServer
) -> None:
    """Small pages and closed features are found with four requests, and remembered."""
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


def test_wrong_credentials_say_what_to_do(sqlite_engine: Engine, server: ScriptedServer) -> None:
    """Credentials that are not taken are a line with what to set."""
    server.respond("/api/token", ScriptedResponse.json({"error": "invalid_client"}, 400))
    check = examine(sqlite_engine, server.url)["spotify search"]
    assert check.ok is False
    assert "SPOTIPY_CLIENT_ID" in check.sentence


def test_no_credentials_are_no_fault(sqlite_engine: Engine, server: ScriptedServer) -> None:
    """Whoever imports needs no credentials: said, not complained about."""
    check = examine(sqlite_engine, server.url, spotify_client_id=None)["spotify"]
    assert check.ok is None
    assert requested_paths(server) == 1


def test_a_genre_search_that_brings_nothing_is_said(
    sqlite_engine: Engine, server: ScriptedServer
) -> None:
    """An app that may not search by genre gets another road pointed out."""
    server.respond(SEARCH, ScriptedResponse.json({"tracks": {"items": []}}))
    check = examine(sqlite_engine, server.url)["spotify search"]
    assert check.ok is False
    assert "Import a dataset" in check.sentence


def test_without_a_database_nothing_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests are counted in the database; where there is none, none are made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STORE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    (check,) = checks()
    assert check.ok is None
    assert "not checked" in check.sentence


def test_a_bad_setting_is_the_only_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that cannot be read is said first, and nothing else tried."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLLECTOR_RATE", "fast")
    (check,) = checks()
    assert check.ok is False
    assert "COLLECTOR_RATE" in check.sentence
