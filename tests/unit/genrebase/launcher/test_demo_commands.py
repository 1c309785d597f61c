"""Commands to paste for opening the database."""

from genrebase.launcher import demo


def test_a_file_opens_in_four_tools() -> None:
    """Each tool has its line, with the file in it; odd names are quoted."""
    lines = demo.open_commands("sqlite:///my music.db", "my music.db")
    assert list(lines) == ["browser", "Datasette", "DuckDB", "pandas"]
    assert lines["browser"].startswith("STORE_URL='sqlite:///my music.db' ")
    assert lines["browser"].endswith("-m genrebase serve --open")
    assert lines["Datasette"] == 'datasette "my music.db"'
    assert "my music.db" in lines["DuckDB"]
    assert "sqlite:///my music.db" in lines["pandas"]


def test_a_server_opens_without_its_password() -> None:
    """On PostgreSQL the lines leave the password to the environment."""
    lines = demo.open_commands("postgresql+psycopg://me:***@host/music", None)
    assert lines["psql"] == 'psql "postgresql://me@host/music"'
    assert "***" not in "".join(lines.values())
