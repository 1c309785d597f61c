"""Which database a command works on, and how people are told where it is."""

from dataclasses import dataclass
from pathlib import Path

from genrebase.store import settings as store_settings
from genrebase.store.engine import parse_url


@dataclass(frozen=True, slots=True)
class Place:
    """A database's address."""

    url: str
    """With its password: for the processes that connect, never to be shown."""
    shown: str
    """Without its password."""
    file: str | None
    """The file of a SQLite database."""


def of(url: str) -> Place:
    """Return the place of an address; raise `BadUrl` for one that cannot be used."""
    address = parse_url(url)
    file = address.database if address.get_backend_name() == "sqlite" else None
    return Place(
        url=address.render_as_string(hide_password=False),
        shown=address.render_as_string(),
        file=file,
    )


def of_file(path: str) -> Place:
    """Return the place of a SQLite file."""
    return of(f"sqlite:///{Path(path).as_posix()}")


def chosen(default_file: str, *, named: str | None = None) -> Place:
    """Return the database to use: the one `named`, else `STORE_URL`'s, else the default file.

    `named` is a path or an address.
    """
    if named is not None:
        return of(named) if "://" in named else of_file(named)
    settings = store_settings.load()
    return of(settings.url) if "url" in settings.model_fields_set else of_file(default_file)
