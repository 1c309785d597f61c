"""A database as it is at one moment, while others go on writing to it."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, text

from genrebase.store.engine import Connection, Engine, make_engine, read_transaction


@contextmanager
def open_snapshot(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that sees one state of the database as long as the block takes.

    PostgreSQL keeps it by itself. On SQLite a reader keeps writers from committing, so the file
    is saved into the temporary folder first, which takes a moment, and read there.
    """
    if engine.dialect.name == "postgresql":
        with read_transaction(engine) as connection:
            yield connection
        return
    with tempfile.TemporaryDirectory(prefix="genrebase-copy-") as folder:
        file = Path(folder) / "snapshot.db"
        with read_transaction(engine) as connection:
            save(connection, file)
        saved = make_engine(URL.create("sqlite", database=str(file)))
        try:
            with read_transaction(saved) as connection:
                yield connection
        finally:
            saved.dispose()


def save(connection: Connection, file: Path) -> None:
    """Save the SQLite database behind `connection` into a new file, as the connection sees it."""
    driver: Any = connection.connection.driver_connection
    connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar()  # sees from here on
    with closing(sqlite3.connect(file)) as saved:
        driver.backup(saved)


def display_url(engine: Engine) -> str:
    """Return the address of a database without who asks and with what password."""
    url = engine.url
    if engine.dialect.name == "sqlite":
        return f"sqlite:///{Path(url.database or ':memory:').resolve().as_posix()}"
    where = {name: value for name, value in url.query.items() if name in ("host", "port")}
    bare = URL.create(
        "postgresql", host=url.host, port=url.port, database=url.database, query=where
    )
    return bare.render_as_string()


def is_same_database(one: Engine, other: Engine) -> bool:
    """Say whether two engines lead to one database, whatever their addresses."""
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
