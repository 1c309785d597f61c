"""The database that a command uses: its URL, and how it is displayed."""

from dataclasses import dataclass
from pathlib import Path

from genrebase.store.engine import parse_url
from genrebase.store.settings import StoreSettings


@dataclass(frozen=True, slots=True)
class DatabaseLocation:
    """The URL of a database."""

    url: str
    """With its password: for the processes that connect, never displayed."""
    display_url: str
    """Without its password."""
    file: str | None
    """The file of a SQLite database."""


def from_url(url: str) -> DatabaseLocation:
    """Return the location of a URL; raise an error for an invalid one."""
    address = parse_url(url)
    file = address.database if address.get_backend_name() == "sqlite" else None
    return DatabaseLocation(
        url=address.render_as_string(hide_password=False),
        display_url=address.render_as_string(),
        file=file,
    )


def from_file(path: str) -> DatabaseLocation:
    """Return the location of a SQLite file."""
    return from_url(f"sqlite:///{Path(path).as_posix()}")


def choose(default_file: str, *, database: str | None = None) -> DatabaseLocation:
    """Return the database to use: `database`, else `STORE_URL`'s, else the default file.

    `database` is a path or a URL.
    """
    if database is not None:
        return from_url(database) if "://" in database else from_file(database)
    settings = StoreSettings.load()
    return (
        from_url(settings.url) if "url" in settings.model_fields_set else from_file(default_file)
    )
