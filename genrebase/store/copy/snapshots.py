"""Read a database as it is at one moment, while other processes write to it."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, text

from genrebase.store.engine import (
    Connection,
    Engine,
    disposing,
    make_engine,
    read_transaction,
)
from genrebase.store.errors import StoreError

_PRIMARY_CODE: Final = 0xFF
"""Of SQLite's extended error codes."""
_WRITE_ERRORS: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR)
"""The database that is read is open already: these concern the new file."""


@contextmanager
def open_snapshot(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that sees one state of the database for the whole block.

    PostgreSQL provides that itself. A SQLite reader would block commits, so the file is saved to
    a temporary folder first, which takes a moment, and read there.
    """
    if engine.dialect.name == "postgresql":
        with read_transaction(engine) as connection:
            yield connection
        return
    with tempfile.TemporaryDirectory(prefix="genrebase-copy-") as folder:
        file = Path(folder) / "snapshot.db"
        with read_transaction(engine) as connection:
            save(connection, file)
        with open_file(file) as saved, read_transaction(saved) as connection:
            yield connection


def open_file(file: Path) -> AbstractContextManager[Engine]:
    """Return an engine on a SQLite file, disposed of at the end of the block."""
    return disposing(make_engine(URL.create("sqlite", database=str(file))))


def save(connection: Connection, file: Path) -> None:
    """Save the SQLite database behind `connection`, as the connection sees it, as a new file.

    Raises `StoreError` if the file cannot be written.
    """
    driver: Any = connection.connection.driver_connection
    connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar()  # the snapshot begins
    try:
        with closing(sqlite3.connect(file)) as saved:
            driver.backup(saved)
    except sqlite3.Error as error:
        if error.sqlite_errorcode & _PRIMARY_CODE not in _WRITE_ERRORS:
            raise
        raise StoreError(
            f"{file} cannot be written ({error}): free some space in {file.parent}, or name "
            "another folder (TMPDIR for temporary files)."
        ) from error


def display_url(engine: Engine) -> str:
    """Return the URL of a database without user and password."""
    url = engine.url
    if engine.dialect.name == "sqlite":
        return f"sqlite:///{Path(url.database or ':memory:').resolve().as_posix()}"
    query = {name: value for name, value in url.query.items() if name in ("host", "port")}
    return URL.create(
        "postgresql", host=url.host, port=url.port, database=url.database, query=query
    ).render_as_string()


def is_same_database(one: Engine, other: Engine) -> bool:
    """Return whether two engines lead to one database, even by different URLs."""
    return one.dialect.name == other.dialect.name and _identity(one) == _identity(other)


def _identity(engine: Engine) -> tuple[Any, ...]:
    if engine.dialect.name == "sqlite":
        return (Path(engine.url.database or ":memory:").resolve(),)
    with read_transaction(engine) as connection:
        return tuple(connection.execute(text(_IDENTITY)).one())


_IDENTITY = """
SELECT pg_postmaster_start_time(), current_setting('port'), current_schema(),
    (SELECT oid FROM pg_database WHERE datname = current_database())
"""
