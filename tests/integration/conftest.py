"""Sandboxes for tests of their responses; a database with music."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from genrebase.store.engine import make_engine
from tests.sandbox_client import SandboxStarter
from tests.synthetic_music import Music


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
