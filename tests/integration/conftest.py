"""Sandboxes for tests of their responses; databases with music, small and large."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from benchmarks import large_database
from genrebase.store.engine import make_engine
from tests.postgres import MigratedDatabases, PostgresServer
from tests.query_plans import GENRES, TRACKS
from tests.sandbox_client import SandboxStarter
from tests.synthetic_music import Music


@pytest.fixture(scope="module", autouse=True)
def _no_predictor_is_left() -> Iterator[None]:
    """Fail if a module leaves a predictor that goes on reading a database, which others get."""
    before = set(threading.enumerate())
    yield
    left = [thread.name for thread in threading.enumerate() if thread not in before]
    assert "champion" not in left


@pytest.fixture
def database(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A SQLite database with synthetic music, named by `STORE_URL`."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    engine = make_engine(sqlite_url)
    Music().fill(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def serving():
    """Start sandboxes that end with the test."""
    with SandboxStarter() as started:
        yield started


@pytest.fixture(scope="module")
def extended():
    """An open sandbox without limits, shared by tests that only look."""
    with SandboxStarter() as started:
        yield started(mode="extended")


@pytest.fixture(scope="module")
def development():
    """A sandbox as new apps know Spotify, shared by tests that only look."""
    with SandboxStarter() as started:
        yield started(mode="development")


@pytest.fixture(scope="session")
def large_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a large database file to copy."""
    path = tmp_path_factory.mktemp("large") / "template.db"
    large_database.fill(f"sqlite:///{path}", TRACKS, genres=GENRES, predictions=True)
    return path


@pytest.fixture(scope="session")
def large_postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """Yield the URL of a large PostgreSQL database to copy."""
    url = postgres_server.create()
    large_database.fill(url, TRACKS, genres=GENRES, predictions=True)
    yield url
    postgres_server.drop(url)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def module_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Yield the URL of an empty database of each kind, shared by the tests of a module."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("module") / "genrebase.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    databases: MigratedDatabases = request.getfixturevalue("migrated_postgres")
    url = databases.acquire()
    yield url
    databases.release(url)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def large_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Yield the URL of a large database of each kind, shared by the tests of a module."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("large") / "large.db"
        shutil.copyfile(request.getfixturevalue("large_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create(template=request.getfixturevalue("large_postgres"))
    yield url
    server.drop(url)


@pytest.fixture
def large(large_url: str) -> Iterator[Engine]:
    """Yield an engine on a large database of each kind."""
    engine = make_engine(large_url)
    yield engine
    engine.dispose()
