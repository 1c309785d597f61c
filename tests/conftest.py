"""Freshly migrated, empty databases of both kinds.

PostgreSQL is a real one from a wheel, started once per run; `TEST_DATABASE_URL` names another, on
which the tests create and drop databases of their own.
"""

import gc
import os
import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from pydantic_settings import BaseSettings
from sqlalchemy import Connection, Engine, event
from sqlalchemy.util import LRUCache

from classifier import threads
from genrebase.store import schema_upgrade
from genrebase.store.engine import make_engine
from tests.postgres import MigratedDatabases, PostgresServer, temporary_server

threads.configure_openmp()  # before a test module imports scikit-learn
# Each worker has its own numba cache: two that write one at once corrupt it.
os.environ["NUMBA_CACHE_DIR"] = str(  # noqa: TID251 - numba reads it when librosa is imported
    Path(".pytest_cache", "numba", os.environ.get("PYTEST_XDIST_WORKER", "alone")).absolute()  # noqa: TID251 - set by pytest-xdist
)

settings.register_profile(
    "no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # no test depends on time: the machine may be busy
settings.load_profile("no clock")


GC_THRESHOLD: Final = 10_000
"""Allocations between two collections of garbage. At Python's 700, one second of twelve is spent
on collections that find little."""
_PREFIXES: Final = (
    "COLLECTOR_",
    "CLASSIFIER_",
    "STORE_",
    "GENREBASE_",
    "SERVE_",
    "SPOTIPY_",
    "CATALOGUE",
)
for _name in [name for name in os.environ if name.startswith(_PREFIXES)]:  # noqa: TID251
    del os.environ[_name]  # noqa: TID251 - the caller's settings are not the tests'


os.environ["GENREBASE_DIGESTS_EVERY"] = "0"  # noqa: TID251 - tests of digests set it themselves


@pytest.fixture(scope="session", autouse=True)
def _empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run the tests in an empty folder: a `.env` of the checkout is not theirs."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("empty"))
    yield
    os.chdir(before)


@pytest.fixture(scope="session", autouse=True)
def _temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have temporary files below pytest's folder, which later runs delete.

    Commands that a test kills cannot delete theirs. The name is short, for sockets are below it.
    """
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("tmp", numbered=False)
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", str(folder))
        yield


class TestSettings(BaseSettings):
    """Settings of the tests, from the environment."""

    __test__ = False

    test_database_url: str | None = None


@event.listens_for(Engine, "connect")
def _disable_fsync(dbapi_connection: object, _record: object) -> None:
    """Disable fsync in SQLite, as in the PostgreSQL server below, for faster tests."""
    if isinstance(dbapi_connection, sqlite3.Connection):
        dbapi_connection.execute("PRAGMA synchronous=OFF")


class CompiledStatements(LRUCache[Any, Any]):
    """Compiled statements of all engines of a kind: each test has an engine of its own."""

    def __init__(self) -> None:
        super().__init__(2_000)

    def get(self, key: Any, default: Any = None) -> Any:
        """Look a statement up without the dialect of the engine, the first part of the key."""
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key[1:], value)


_compiled_statements: dict[str, CompiledStatements] = defaultdict(CompiledStatements)


@event.listens_for(Engine, "engine_connect")
def _share_compiled_statements(connection: Connection) -> None:
    """Compile a statement once for each kind of database, not once for each engine."""
    engine = connection.engine
    engine._compiled_cache = _compiled_statements[engine.dialect.name]


@pytest.fixture(scope="session", autouse=True)
def _no_fsync() -> Iterator[None]:
    """Disable fsync in other files, too: no test cuts the power."""
    connect = sqlite3.connect

    def connect_without_fsync(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        with suppress(sqlite3.DatabaseError):  # locked or damaged: its next statement fails
            connection.execute("PRAGMA synchronous=OFF")
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect_without_fsync)
        patch.setattr(os, "fsync", lambda _descriptor: None)
        yield


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what was imported: it is there to the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 10, 10)


@pytest.fixture(scope="session")
def postgres_server(worker_prefix: str) -> Iterator[PostgresServer]:
    """Yield the server of `TEST_DATABASE_URL`, or a temporary one."""
    url = TestSettings().test_database_url
    if url:
        yield PostgresServer(url, worker_prefix)
        return
    with temporary_server(worker_prefix) as server:
        yield server


@pytest.fixture(scope="session")
def worker_prefix(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a database name prefix that is unique to this test run."""
    digits = tmp_path_factory.getbasetemp().stat().st_ino
    return f"genrebase_test_{digits}"


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PostgresServer) -> Iterator[MigratedDatabases]:
    """Yield a pool of migrated databases."""
    databases = MigratedDatabases(postgres_server)
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated database file to copy."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    schema_upgrade.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def postgres_url(migrated_postgres: MigratedDatabases) -> Iterator[str]:
    """Yield the URL of a migrated, empty PostgreSQL database."""
    url = migrated_postgres.acquire()
    yield url
    migrated_postgres.release(url)


@pytest.fixture
def bare_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Yield the URL of a PostgreSQL database without a schema."""
    url = postgres_server.create()
    yield url
    postgres_server.drop(url)


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """Return the URL of a migrated, empty SQLite database."""
    path = tmp_path / "genrebase.db"
    shutil.copyfile(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture
def other_engine(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Engine]:
    """Yield an engine on a second SQLite database, to compare with."""
    path = tmp_path / "other.db"
    shutil.copyfile(migrated_sqlite, path)
    engine = make_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def bare_sqlite_url(tmp_path: Path) -> str:
    """Return the URL of a SQLite database without a schema."""
    return f"sqlite:///{tmp_path / 'bare.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of a migrated, empty database of each kind, for processes."""
    kind = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(kind)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of a database of each kind without a schema."""
    kind = "bare_sqlite_url" if request.param == "sqlite" else "bare_postgres_url"
    url: str = request.getfixturevalue(kind)
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Yield an engine on a migrated, empty database of each kind."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    """Yield an engine on a migrated, empty SQLite database."""
    engine = make_engine(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    """Yield an engine on a migrated, empty PostgreSQL database."""
    engine = make_engine(postgres_url)
    yield engine
    engine.dispose()
