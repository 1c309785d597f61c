"""Which database a command works on, and how people are told where it is."""

from dataclasses import dataclass
from pathlib import Path

from genrebase.store.engine import parse_url
from genrebase.store.settings import StoreSettings


@dataclass(frozen=True, slots=True)
class DatabaseLocation:
    """A database's address."""

    url: str
    """With its password: for the processes that connect, never to be shown."""
    display_url: str
    """Without its password."""
    file: str | None
    """The file of a SQLite database."""


def from_url(url: str) -> DatabaseLocation:
    """Return the place of an address; raise `BadUrl` for one that cannot be used."""
    address = parse_url(url)
    file = address.database if address.get_backend_name() == "sqlite" else None
    return DatabaseLocation(
        url=address.render_as_string(hide_password=False),
        display_url=address.render_as_string(),
        file=file,
    )


def from_file(path: str) -> DatabaseLocation:
    """Return the place of a SQLite file."""
    return from_url(f"sqlite:///{Path(path).as_posix()}")


def choose(default_file: str, *, database: str | None = None) -> DatabaseLocation:
    """Return the database to use: the one `named`, else `STORE_URL`'s, else the default file.

    `named` is a path or an address.
    """
    if database is not None:
        return from_url(database) if "://" in database else from_file(database)
    settings = StoreSettings.load()
    return (
        from_url(settings.url) if "url" in settings.model_fields_set else from_file(default_file)
    )
