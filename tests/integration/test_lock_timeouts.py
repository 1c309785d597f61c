"""Locks of PostgreSQL: a reader holds no writer, and whoever blocks a migration is named."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from genrebase.store import bulk, migration_environment, schema_upgrade
from genrebase.store.engine import make_engine, transaction
from genrebase.store.errors import ConcurrentWrites, DatabaseBusy
from tests import factories as make


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


@pytest.fixture
def others(postgres_engine: Engine) -> Iterator[Engine]:
    """An engine for other sessions on the same database."""
    engine = make_engine(url_of(postgres_engine))
    yield engine
    engine.dispose()


def needs_views(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next upgrade recreate the views."""
    monkeypatch.setenv("COLLECTOR_FEATURE_ORDER", "audio,csv")
    assert not schema_upgrade.views_are_current(engine, ("audio", "csv"))


def test_an_open_reader_stops_a_migration_with_its_name(
    postgres_engine: Engine, others: Engine, monkeypatch: pytest.MonkeyPatch
):
    """The migration gives up after a short wait, changes nothing, and says who has to end."""
    needs_views(postgres_engine, monkeypatch)
    monkeypatch.setattr(migration_environment, "LOCK_SECONDS", 0.1)
    with others.connect() as reader:
        reader.execute(text("SET application_name = 'a notebook'"))
        reader.execute(text("SELECT count(*) FROM tracks"))
        pid = reader.scalar(text("SELECT pg_backend_pid()"))
        with pytest.raises(DatabaseBusy, match=rf"process {pid} of \w+ \(a notebook, open for"):
            schema_upgrade.upgrade(url_of(postgres_engine))
        assert not schema_upgrade.views_are_current(postgres_engine, ("audio", "csv"))
    schema_upgrade.upgrade(url_of(postgres_engine))
    assert schema_upgrade.views_are_current(postgres_engine, ("audio", "csv"))


def test_advisory_locks_of_others_hold_nobody(
    postgres_engine: Engine, others: Engine, monkeypatch: pytest.MonkeyPatch
):
    """Any role may take these locks, so neither imports nor migrations wait for one."""
    needs_views(postgres_engine, monkeypatch)
    with others.connect() as reader:
        for key in (0x67656E7265, 0x6D696772):
            reader.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
        with transaction(postgres_engine) as connection:
            bulk.lock_identity_writers(connection)
            make.add_track(connection, "Song")
        schema_upgrade.upgrade(url_of(postgres_engine))
    assert schema_upgrade.views_are_current(postgres_engine, ("audio", "csv"))


def test_a_writer_that_is_held_up_names_who_holds_it(
    postgres_engine: Engine, others: Engine, monkeypatch: pytest.MonkeyPatch
):
    """One creates identities at a time; one that never ends is named."""
    monkeypatch.setattr(bulk, "IDENTITY_LOCK_SECONDS", 0.1)
    with transaction(others) as stuck:
        bulk.lock_identity_writers(stuck)
        pid = stuck.scalar(text("SELECT pg_backend_pid()"))
        with (
            pytest.raises(DatabaseBusy, match=f"process {pid} of"),
            transaction(postgres_engine) as connection,
        ):
            bulk.lock_identity_writers(connection)
    with transaction(postgres_engine) as connection:
        bulk.lock_identity_writers(connection)
        assert connection.scalar(text("SELECT current_setting('lock_timeout')")) == "0"


@pytest.mark.processes
def test_four_migrations_at_once(bare_postgres_url: str, monkeypatch: pytest.MonkeyPatch):
    """Started together on an empty database, all of them succeed."""
    command = [sys.executable, "-m", "genrebase", "migrate"]
    monkeypatch.setenv("STORE_URL", bare_postgres_url)
    started = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait(300) for process in started] == [0, 0, 0, 0]
    engine = make_engine(bare_postgres_url)
    schema_upgrade.check_revision(engine)
    engine.dispose()


def test_a_deadlock_ends_with_a_sentence(postgres_engine: Engine, others: Engine):
    """Of two that wait for each other PostgreSQL ends one; nothing of it is left."""
    with transaction(postgres_engine) as connection:
        genres = [make.add_genre(connection, name) for name in ("rock", "jazz")]
    lock = text("SELECT id FROM genre WHERE id = :id FOR UPDATE")

    with transaction(others) as first, ThreadPoolExecutor() as threads:
        first.execute(lock, {"id": genres[0]})
        first.execute(text("SET LOCAL deadlock_timeout = '1h'"))  # so that the other one ends
        with (
            pytest.raises(ConcurrentWrites, match=r"at the same time.*Run the same again"),
            transaction(postgres_engine) as second,
        ):
            second.execute(lock, {"id": genres[1]})
            waiting = threads.submit(first.execute, lock, {"id": genres[1]})
            second.execute(lock, {"id": genres[0]})
        waiting.result()
