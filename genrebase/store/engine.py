"""Create database engines (SQLite, PostgreSQL) and open transactions; only this module commits."""

import math
import os
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    DisconnectionError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.pool import ConnectionPoolEntry

from genrebase.errors import UserError
from genrebase.extras import install_hint
from genrebase.new_file import create_private
from genrebase.store.errors import ConcurrentWrites, DatabaseFailure, DatabaseUnreachable
from genrebase.store.settings import StoreSettings

__all__ = ["Connection", "Engine", "make_engine", "parse_url", "read_transaction", "transaction"]

MIN_WAL_VERSION: Final = (3, 51, 3)
"""Older SQLite can corrupt a write-ahead log that several processes reset at once."""

WRITES_OPTION: Final = "genrebase_writes"
"""The execution option of a connection that will write."""
UNCHECKED_OPTION: Final = "genrebase_unchecked"
"""The execution option of a connection whose transaction checks no foreign keys."""

_POSTGRES_OPTIONS: Final = "-c random_page_cost=1.1"
"""Batches look up some thousand rows by key. At the default of 4, meant for spinning disks, the
planner reads whole tables for them: at 500,000 tracks an import is several times slower."""

_CONNECT_SECONDS: Final = 10

_CACHE_KIB: Final = 65_536
_LARGE_CACHE_KIB: Final = 4 * _CACHE_KIB
"""About the indexes of names and ids of a million tracks."""

_POSTGRES_ARGUMENTS: Final = {
    "connect_timeout": _CONNECT_SECONDS,
    "application_name": "genrebase",
    "client_encoding": "utf8",
    "options": _POSTGRES_OPTIONS,
}

_CONCURRENT_WRITES: Final = frozenset({"40001", "40P01"})
"""PostgreSQL's codes of a serialization failure and a deadlock."""


def _null_safe(function: Callable[[float], float]) -> Callable[[float | None], float | None]:
    return lambda value: None if value is None else function(value)


MATH_FUNCTIONS: Final = {
    "sqrt": _null_safe(math.sqrt),
    "floor": _null_safe(lambda value: float(math.floor(value))),
}
"""SQL functions of the views that SQLite may have been built without."""


def parse_url(text: str) -> URL:
    """Return the URL with the driver that Genrebase uses; raise `UserError` for a bad one."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # a port that is not a number is a ValueError
        raise UserError(
            f"This is not a database URL: {_without_user(text)!r}. "
            "Write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."
        ) from None
    backend = url.get_backend_name()
    if backend != "sqlite" and "@" in f"{url.host or ''}{url.database or ''}":
        raise UserError(
            "The database URL holds more than one @: in a user's name or password write %40 for "
            "@, %2F for / and %3A for a colon."
        )
    if backend == "postgresql" or url.drivername == "postgres":
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        if url.database in {None, "", ":memory:"}:
            raise UserError(
                f"The database URL names an in-memory database ({text}), which is lost when the "
                "command ends: write sqlite:///FILE."
            )
        return url
    raise UserError(
        f"Genrebase keeps its data in SQLite or PostgreSQL, not in {backend!r}. "
        "Write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."
    )


def _without_user(text: str) -> str:
    """Return a URL without what precedes the last @: it may hold a password."""
    before, at, after = text.rpartition("@")
    scheme, colon, _ = before.partition(":")
    return f"{scheme}{colon}//***{at}{after}" if at else text


def make_engine(url: str | URL | None = None, *, settings: StoreSettings | None = None) -> Engine:
    """Return an engine for `url` (default: the settings'), configured for its kind of database."""
    settings = settings or StoreSettings.load()
    address = url if isinstance(url, URL) else parse_url(url or settings.url)
    if address.get_backend_name() == "sqlite":
        engine = create_engine(address, connect_args={"timeout": settings.busy_timeout})
        _configure_sqlite(engine)
        return engine
    try:
        return create_engine(address, pool_pre_ping=True, connect_args=_POSTGRES_ARGUMENTS)
    except (ModuleNotFoundError, NoSuchModuleError):
        raise UserError(f"PostgreSQL needs its driver. {install_hint('postgres')}") from None


@contextmanager
def disposing(engine: Engine) -> Iterator[Engine]:
    """Close the engine's connections at the end of the block."""
    try:
        yield engine
    finally:
        engine.dispose()


def postgresql_options(engine: Engine) -> dict[str, Any]:
    """Return libpq's options with which an engine of `make_engine` connects to PostgreSQL."""
    _, arguments = engine.dialect.create_connect_args(engine.url)
    options = {name: value for name, value in arguments.items() if isinstance(value, str | int)}
    return {**options, **_POSTGRES_ARGUMENTS}


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Run a block in one writing transaction; commit at its end, roll back on any error.

    On SQLite it begins IMMEDIATE, so that writers wait for each other instead of failing later.
    """
    with open_connection(engine) as connection:
        connection.execution_options(**{WRITES_OPTION: True})
        with connection.begin():
            yield connection


@contextmanager
def unchecked_transaction(engine: Engine) -> Iterator[Connection]:
    """Run a block in one writing transaction in which SQLite checks no foreign keys.

    The block inserts rows with keys that it has read or inserted itself; it deletes no row that
    others refer to. PostgreSQL checks them.
    """
    if engine.dialect.name != "sqlite":
        with transaction(engine) as connection:
            yield connection
        return
    with open_connection(engine) as connection:
        connection.execution_options(**{WRITES_OPTION: True, UNCHECKED_OPTION: True})
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")  # without effect inside a transaction
        try:
            with connection.begin():
                yield connection
        finally:
            driver.execute("PRAGMA foreign_keys=ON")


@contextmanager
def large_cache(engine: Engine) -> Iterator[None]:
    """Let SQLite hold four times as many pages of the database in memory inside the block.

    Imports insert into indexes in no order: each page that is not in memory is read for one row.
    """
    if engine.dialect.name != "sqlite":
        yield
        return

    def enlarge(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA cache_size=-{_LARGE_CACHE_KIB}")

    event.listen(engine, "begin", enlarge)
    try:
        yield
    finally:
        event.remove(engine, "begin", enlarge)
        engine.dispose()


@contextmanager
def without_writers(engine: Engine) -> Iterator[None]:
    """Wait for those that write to SQLite, and keep others from it inside the block."""
    with transaction(engine) as connection:
        yield
        connection.rollback()  # a commit would wait for readers


@contextmanager
def read_transaction(engine: Engine) -> Iterator[Connection]:
    """Run a block on one consistent snapshot of the database; commit nothing."""
    with open_connection(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin() as begun:
            yield connection
            begun.rollback()


def is_read_only(engine: Engine) -> bool:
    """Return whether the database takes no writes: a standby, a read-only default or file."""
    with read_transaction(engine) as connection:
        if connection.dialect.name == "postgresql":
            query = (
                "SELECT pg_is_in_recovery()"
                " OR current_setting('default_transaction_read_only') = 'on'"
            )
            return bool(connection.exec_driver_sql(query).scalar())
    return not os.access(engine.url.database or "", os.W_OK)


@contextmanager
def open_connection(engine: Engine) -> Iterator[Connection]:
    """Connect, or raise `DatabaseUnreachable`; raise `DatabaseFailure` for later failures.

    Raises `UserError` for a SQLite file in a folder that is missing or cannot be written.
    """
    where = engine.url.render_as_string()
    try:
        connection = engine.connect()
    except DatabaseError as error:
        folder = Path(engine.url.database or "").absolute().parent
        if engine.dialect.name == "sqlite" and folder.is_dir() and not os.access(folder, os.W_OK):
            raise UserError(
                f"The database at {where} cannot be opened: the folder {folder} cannot be "
                "written. Change its permissions, or name a file in another folder (STORE_URL)."
            ) from error
        raise DatabaseUnreachable(
            f"The database at {where} does not respond: {reason_of(error)}"
        ) from error
    driver: Any = engine.dialect.loaded_dbapi  # COPY is the driver's own, and so are its errors
    try:
        with connection:
            yield connection
    except (DBAPIError, driver.OperationalError) as error:
        if not _is_database_failure(error):
            raise
        if getattr(getattr(error, "orig", error), "sqlstate", None) in _CONCURRENT_WRITES:
            raise ConcurrentWrites(
                f"Others wrote the same rows of the database at {where} at the same time, so this "
                "transaction was rolled back: nothing of it was changed. Run the same again."
            ) from error
        raise DatabaseFailure(
            f"The database at {where} failed in the middle: {reason_of(error)}. The open "
            "transaction was rolled back; fix the cause and run the same again."
        ) from error


def _is_database_failure(error: Exception) -> bool:
    """Return whether the database failed, and not our statement."""
    if not isinstance(error, DBAPIError):
        return True
    return isinstance(error, OperationalError) or error.connection_invalidated


def reason_of(error: Exception) -> str:
    """Return the first line of a database's message, without our statement and its values."""
    message = str(error.orig if isinstance(error, DBAPIError) else error).strip()
    return (message.splitlines() or [type(error).__name__])[0].rstrip(".")


def register_functions(connection: sqlite3.Connection, names: Collection[str]) -> None:
    """Register these of the functions."""
    for name in names:
        connection.create_function(name, 1, MATH_FUNCTIONS[name], deterministic=True)


def _configure_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(dbapi: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        dbapi.isolation_level = None  # BEGIN is issued by `on_begin`
        cursor = dbapi.cursor()
        cursor.execute("PRAGMA foreign_keys=ON")
        built_in = cursor.execute("SELECT name FROM pragma_function_list").fetchall()
        register_functions(dbapi, MATH_FUNCTIONS.keys() - {name for (name,) in built_in})
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        if sqlite3.sqlite_version_info >= MIN_WAL_VERSION:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.close()

    _guard_against_moved_file(engine)
    _roll_back_on_ctrl_c(engine)

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        writes = connection.get_execution_options().get(WRITES_OPTION, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _roll_back_on_ctrl_c(engine: Engine) -> None:
    """Keep a connection whose statement Ctrl-C interrupted, so that it rolls back at once.

    If it were discarded, the traceback would keep its cursor alive and the database locked, and
    recording the interrupted job would deadlock.
    """

    @event.listens_for(engine, "handle_error")
    def on_error(context: ExceptionContext) -> None:
        if not isinstance(context.original_exception, Exception):
            context.is_disconnect = False


def _guard_against_moved_file(engine: Engine) -> None:
    """Never recreate a database file that was there, and drop connections to one that was moved.

    SQLite creates a missing file, and continues to write to one that was moved away.
    """
    name = engine.url.database or ""
    if name in {"", ":memory:"} or name.startswith("file:"):
        return
    file, existed = Path(name), Event()

    @event.listens_for(engine, "do_connect")
    def on_connect(_dialect: Any, _record: Any, arguments: list[Any], options: Any) -> None:
        if existed.is_set():  # open it only
            if _inode(file) is None:
                raise sqlite3.OperationalError("the file is gone; put it back where it was")
            arguments[0] = f"{file.resolve().as_uri()}?mode=rw"
            options["uri"] = True
        else:
            _require_folder(file)
            with suppress(OSError):  # it is there, or SQLite tells why it cannot be created
                create_private(file)

    @event.listens_for(engine, "connect")
    def on_connected(_dbapi: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        record.info["file"] = _inode(file)
        existed.set()

    @event.listens_for(engine, "checkout")
    def on_checkout(_dbapi: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        if _inode(file) != record.info["file"]:
            raise DisconnectionError("the file was moved")


def _require_folder(file: Path) -> None:
    folder = file.absolute().parent
    if not folder.is_dir():
        raise UserError(
            f"There is no folder {folder} for the database {file.name}: create it, or name "
            "another file (STORE_URL)."
        )


def _inode(file: Path) -> int | None:
    """Return the inode of a file, which stays when it is moved; None where it is missing."""
    try:
        return file.stat().st_ino
    except OSError:
        return None
