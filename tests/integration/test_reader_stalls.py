"""The role `reader` tries to hold up imports, migrations and other readers."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text

from genrebase.store import bulk, lock_timeout, migration_environment, schema_upgrade, views
from genrebase.store.engine import make_engine, transaction
from genrebase.store.errors import DatabaseBusy
from tests import factories as make

FILE = Path(__file__).resolve().parents[2] / "deploy" / "reader.sql"
SCRIPT = re.sub(r"^\\.*$", "", FILE.read_text(), flags=re.MULTILINE)
NO_LIMITS = (
    "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;"
    "SET default_transaction_read_only = off; SET application_name = 'a notebook'"
)
"""What a session can lift for itself."""

Reader = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def role(postgres_engine: Engine, worker_prefix: str) -> Iterator[str]:
    """Create the role; drop it at the end: roles belong to the server."""
    name = f"{worker_prefix}_reader"
    with transaction(postgres_engine) as connection:
        make.add_track(connection, "Song")
        script = re.sub(r"\breader\b", name, SCRIPT)
        connection.exec_driver_sql(script, execution_options={"no_parameters": True})
        connection.execute(text(f"ALTER ROLE {name} PASSWORD 'x'"))
    yield name
    with transaction(postgres_engine) as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = :n"
            ),
            {"n": name},
        )
        connection.execute(text(f"DROP OWNED BY {name}"))
        connection.execute(text(f"DROP ROLE {name}"))


@pytest.fixture
def sessions(postgres_engine: Engine, role: str) -> Iterator[list[Reader]]:
    """Yield all connections that the role may have, without the limits that it can lift."""
    url = postgres_engine.url.set(username=role, password="x", drivername="postgresql")
    address = url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        connections = [stack.enter_context(psycopg.connect(address)) for _ in range(20)]
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(address)
        for one in connections:
            one.execute(NO_LIMITS)
            one.commit()
        yield connections
        for one in connections:
            one.rollback()


def attempt(sessions: list[Reader], statement: str) -> None:
    """Begin a transaction with the statement in every session, and leave it open.

    Every view is held by several sessions.
    """
    for number, session in enumerate(sessions):
        for name in [*views.ALL][number % 5 :: 5]:
            session.execute(statement.format(view=name, number=number).encode())


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM {view}",
        "LOCK TABLE {view} IN ACCESS SHARE MODE",
        "DECLARE cursor_{view} CURSOR FOR SELECT * FROM {view}; FETCH 1 FROM cursor_{view}",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "LISTEN x{number}; NOTIFY x{number}, 'x'",
    ],
    ids=["reads", "locks", "cursors", "snapshots", "notifications"],
)
def test_no_reader_holds_up_another_for_long(
    postgres_engine: Engine,
    role: str,
    sessions: list[Reader],
    statement: str,
    monkeypatch: pytest.MonkeyPatch,
):
    """Imports do not wait at all, a migration ends with a sentence that names the role."""
    attempt(sessions, statement)
    impatient = postgres_engine.url.update_query_dict({"options": "-c lock_timeout=5000"})
    engine = make_engine(impatient)
    with bulk.exclusive_transaction(engine) as connection:
        make.add_track(connection, "Another")
        make.add_job_run(connection, "import", "done")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM tracks")) == 2
    engine.dispose()
    monkeypatch.setenv("COLLECTOR_FEATURE_ORDER", "audio,csv")  # the views have to be recreated
    monkeypatch.setattr(migration_environment, "LOCK_SECONDS", 0.2)
    url = postgres_engine.url.render_as_string(hide_password=False)
    if statement.startswith(("SET", "LISTEN")):
        schema_upgrade.upgrade(url)
        return
    with pytest.raises(DatabaseBusy, match=rf"of {role} \(a notebook, open for"):
        schema_upgrade.upgrade(url)
    for session in sessions:
        session.rollback()
    schema_upgrade.upgrade(url)


def test_all_locks_of_a_migration_share_one_wait(
    postgres_engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    """Holding up one view after the other takes no longer than one: 10 s, not 60 times that."""
    seconds = iter([100.0, 100.0, 104.0, 115.0])
    monkeypatch.setattr(lock_timeout, "monotonic", lambda: next(seconds))
    current_timeout = text("SELECT current_setting('lock_timeout')")
    with (
        transaction(postgres_engine) as connection,
        lock_timeout.lock_timeout(connection, 10),
    ):
        waits = []
        with lock_timeout.shared_lock_timeout(connection) as before_lock:
            for _ in range(3):
                before_lock()
                waits.append(connection.scalar(current_timeout))
        assert waits == ["10s", "6s", "1ms"]
        assert connection.scalar(current_timeout) == "10s"
