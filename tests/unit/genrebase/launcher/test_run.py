"""Decisions of `genrebase run`."""

from pathlib import Path

import pytest

from genrebase.errors import UserError
from genrebase.launcher.run import plan_run, run
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.console import Output
from genrebase.settings import GenrebaseSettings

NAMES = (
    "STORE_URL",
    "SPOTIPY_CLIENT_ID",
    "SPOTIPY_CLIENT_SECRET",
    "CATALOGUE",
    "COLLECTOR_SOURCES",
)


@pytest.fixture(autouse=True)
def _nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_without_credentials_the_sandbox_is_harvested() -> None:
    """One line names the missing credentials and the synthetic catalogue."""
    chosen = plan_run(GenrebaseSettings())
    assert (chosen.uses_sandbox, chosen.database.file) == (True, "sandbox.db")
    assert "SPOTIPY_CLIENT_ID" in chosen.message
    assert "invented" in chosen.message
    assert "COLLECTOR_SOURCES=musicbrainz" in chosen.message
    assert "\n" not in chosen.message


def test_a_catalogue_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a catalogue file nothing is called synthetic."""
    monkeypatch.setenv("CATALOGUE", "songs.csv")
    sentence = plan_run(GenrebaseSettings()).message
    assert "songs.csv" in sentence
    assert "invented" not in sentence


def test_with_credentials_spotify_is_harvested() -> None:
    """Credentials in .env lead to Spotify and to its own file."""
    Path(".env").write_text("SPOTIPY_CLIENT_ID=id\nSPOTIPY_CLIENT_SECRET=hunter2\n")
    chosen = plan_run(GenrebaseSettings())
    assert (chosen.uses_sandbox, chosen.database.file) == (False, "genrebase.db")
    assert "hunter2" not in chosen.message


def test_open_sources_need_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are harvested into the file of live services; Spotify beside them needs credentials."""
    monkeypatch.setenv("COLLECTOR_SOURCES", "musicbrainz, internetarchive")
    chosen = plan_run(GenrebaseSettings())
    assert (chosen.uses_sandbox, chosen.database.file) == (False, "genrebase.db")
    assert "musicbrainz, internetarchive" in chosen.message
    monkeypatch.setenv("COLLECTOR_SOURCES", "musicbrainz,spotify")
    assert plan_run(GenrebaseSettings()).uses_sandbox


@pytest.mark.parametrize("name", ["SPOTIPY_CLIENT_ID", "SPOTIPY_CLIENT_SECRET"])
def test_half_a_credential_is_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id without a secret, a secret without an id and an empty one are no credentials."""
    for other in NAMES[1:3]:
        monkeypatch.setenv(other, "")
    monkeypatch.setenv(name, "x")
    chosen = plan_run(GenrebaseSettings())
    assert chosen.uses_sandbox
    (other,) = {"SPOTIPY_CLIENT_ID", "SPOTIPY_CLIENT_SECRET"} - {name}
    assert chosen.message.startswith(f"{other} is missing")


@pytest.mark.parametrize("sources", ["musicbrainz", "internetarchive"])
def test_a_source_that_cannot_be_used_is_refused_before_anything_is_written(
    sources: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without a contact there is no database, and no daemon starts."""
    monkeypatch.setenv("COLLECTOR_SOURCES", sources)
    monkeypatch.delenv("COLLECTOR_CONTACT", raising=False)
    with pytest.raises(UserError, match="Nothing is written") as refused:
        run(GenrebaseSettings(), Output(as_json=False), SystemClock())
    assert refused.value.exit_code == 2
    assert "set COLLECTOR_CONTACT" in " ".join(capfd.readouterr().err.split())
    assert not list(Path().iterdir())
