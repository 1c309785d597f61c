"""The settings of the collector."""

from pathlib import Path

import pytest

from collector.settings import CollectorSettings


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("SPOTIPY_CLIENT_ID", "SPOTIPY_CLIENT_SECRET", "COLLECTOR_SPOTIFY_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_defaults_to_the_real_services() -> None:
    """Without settings requests go to Spotify and ReccoBeats themselves, at a modest rate."""
    settings = CollectorSettings.load()
    assert settings.uses_real_spotify
    assert not settings.terms_accepted
    assert settings.spotify_api_url == "https://api.spotify.com/v1/"
    assert settings.spotify_token_url == "https://accounts.spotify.com/api/token"
    assert settings.reccobeats_api_url == "https://api.reccobeats.com/v1/"
    assert (settings.rate.requests, settings.rate.seconds) == (60, 30)
    assert settings.provider_names == (
        "spotify",
        "csv",
        "reccobeats",
        "audio",
        "acousticbrainz",
    )
    assert settings.acousticbrainz_api_url == "https://acousticbrainz.org/api/v1/"


def test_one_address_redirects_all_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the sandbox's address set, tokens, the API and ReccoBeats are requested there."""
    monkeypatch.setenv("COLLECTOR_SPOTIFY_URL", "http://127.0.0.1:8765/")
    settings = CollectorSettings.load()
    assert not settings.uses_real_spotify
    assert settings.spotify_api_url == "http://127.0.0.1:8765/v1/"
    assert settings.spotify_token_url == "http://127.0.0.1:8765/api/token"
    assert settings.reccobeats_api_url == "http://127.0.0.1:8765/reccobeats/v1/"
    monkeypatch.setenv("COLLECTOR_RECCOBEATS_URL", "http://127.0.0.1:9/v1")
    assert CollectorSettings.load().reccobeats_api_url == "http://127.0.0.1:9/v1/"


def test_the_sandbox_stands_in_for_all_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """One address for all; that of one service comes before it."""
    monkeypatch.setenv("COLLECTOR_SANDBOX_URL", "http://127.0.0.1:8765/")
    settings = CollectorSettings.load()
    assert not settings.uses_real_spotify
    assert settings.spotify_api_url == "http://127.0.0.1:8765/v1/"
    assert settings.reccobeats_api_url == "http://127.0.0.1:8765/reccobeats/v1/"
    monkeypatch.setenv("COLLECTOR_SPOTIFY_URL", "http://127.0.0.1:9")
    assert CollectorSettings.load().spotify_api_url == "http://127.0.0.1:9/v1/"


def test_the_user_agent_has_program_version_and_contact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open services ask for a way to reach whoever sends the requests."""
    assert CollectorSettings.load().user_agent.endswith("( no contact given )")
    monkeypatch.setenv("COLLECTOR_CONTACT", " me@example.org ")
    assert CollectorSettings.load().user_agent.startswith("Genrebase/")
    assert CollectorSettings.load().user_agent.endswith(" ( me@example.org )")


def test_reads_a_file_and_hides_the_secret(nowhere: Path) -> None:
    """Credentials come from `.env` under spotipy's names; the secret is masked."""
    (nowhere / ".env").write_text("SPOTIPY_CLIENT_ID=abc\nSPOTIPY_CLIENT_SECRET=def-secret\n")
    settings = CollectorSettings.load()
    assert settings.spotify_client_id == "abc"
    assert settings.spotify_client_secret
    assert settings.spotify_client_secret.get_secret_value() == "def-secret"
    assert "def-secret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COLLECTOR_RATE", "fast"),
        ("COLLECTOR_RECCOBEATS_RATE", "0/30s"),
        ("COLLECTOR_SPOTIFY_URL", "localhost:8765"),
        ("COLLECTOR_TIMEOUT", "-1"),
        ("COLLECTOR_FEATURE_ORDER", "spotify,recobeats"),
        ("COLLECTOR_FEATURE_ORDER", "csv, csv"),
        ("COLLECTOR_SOURCES", "spotfy"),
        ("COLLECTOR_SOURCES", " , "),
        ("COLLECTOR_SOURCES", "spotify_playlists"),
        ("COLLECTOR_SOURCES", "spotify,spotify"),
        ("COLLECTOR_SANDBOX_URL", "localhost:8765"),
        ("COLLECTOR_CONTACT", "me"),
        ("COLLECTOR_CONTACT", "me@example.org\nX-Header: 1"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that cannot be used is refused by its name, with exit code 2."""
    monkeypatch.setenv(name, value)
    with pytest.raises(match=name) as caught:
        CollectorSettings.load()
    assert caught.value.exit_code == 2


def test_every_setting_is_described() -> None:
    """Each setting has a description."""
    for name, field in CollectorSettings.model_fields.items():
        assert field.description, name
        assert field.description.endswith(".")
