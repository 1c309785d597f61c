"""Choice of the database."""

from pathlib import Path

import pytest

from genrebase.errors import UserError
from genrebase.launcher import database_location

POSTGRESQL = "postgresql://me:hunter2@host/music"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STORE_URL", raising=False)


def test_the_default_file() -> None:
    """Without any word the default file is used."""
    assert database_location.choose("sandbox.db").url == "sqlite:///sandbox.db"


def test_the_users_address_wins_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """STORE_URL wins over a default file name, from the environment or from .env."""
    Path(".env").write_text("STORE_URL=sqlite:///mine.db\n")
    assert database_location.choose("sandbox.db").file == "mine.db"
    monkeypatch.setenv("STORE_URL", POSTGRESQL)
    chosen = database_location.choose("sandbox.db")
    assert (chosen.file, chosen.url) == (None, "postgresql+psycopg://me:hunter2@host/music")


def test_the_named_one_wins_over_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file or an address on the command line wins."""
    monkeypatch.setenv("STORE_URL", POSTGRESQL)
    assert database_location.choose("x.db", database="other.db").file == "other.db"
    assert database_location.choose("x.db", database="sqlite:///third.db").file == "third.db"


def test_the_password_is_hidden() -> None:
    """The printed URL has no password."""
    assert "hunter2" not in database_location.from_url(POSTGRESQL).display_url


def test_nonsense_is_refused() -> None:
    """An address of something else is refused with a sentence."""
    with pytest.raises(UserError, match="SQLite or PostgreSQL"):
        database_location.from_url("mysql://host/name")
