"""A PostgreSQL server for tests, and migrated databases on it that are emptied and given again."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from genrebase.store import schema, tables

WAIT: Final = 10_000
"""Milliseconds that a connection which was left open may take to end."""
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
"""Rows, and the last transaction that wrote one: whatever changes a schema changes these."""
_LEAVE: Final = """
SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_WITHOUT_CHECKS: Final = """
SELECT set_config('session_replication_role', 'replica', false)
FROM pg_roles WHERE rolname = current_user AND rolsuper
"""
"""Foreign keys are not looked at where all rows of all tables go; who may not, waits."""
_WRITTEN: Final = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relnamespace = CAST('public' AS regnamespace) AND pg_relation_size(oid) > 0
"""
_COUNT_ANEW: Final = """
SELECT setval(CAST(format('%I.%I', schemaname, sequencename) AS regclass), 1, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""


@dataclass
class PostgresServer:
    """A PostgreSQL server on which databases can be made."""

    url: str
    prefix: str
    _numbers: Iterator[int] = field(default_factory=count)

    def create(self, template: str | None = None) -> str:
        """Create a database, as a copy of another where one is named; return its URL."""
        name = f"{self.prefix}_{next(self._numbers)}"
        copied = f' TEMPLATE "{make_url(template).database}"' if template else ""
        self.execute(f'CREATE DATABASE "{name}"{copied}')
        address = make_url(self.url).set(database=name, drivername="postgresql")
        return address.render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        """Run a statement outside a transaction."""
        with closing(connect(self.url)) as connection:
            connection.execute(statement)  # type: ignore[call-overload]  # made of our own names


def connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    """Connect without transactions."""
    plain = make_url(url).set(drivername="postgresql")
    return psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True)


class Migrated:
    """Migrated, empty databases: making one takes ten times as long as emptying one."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._template = server.create()
        schema.upgrade(self._template)
        with closing(connect(self._template)) as connection:
            self._schema = connection.execute(_SCHEMA).fetchall()
        self._free: list[str] = []

    def take(self) -> str:
        """Return the URL of a database that nobody else has."""
        return self._free.pop() if self._free else self._server.create(self._template)

    def give_back(self, url: str) -> None:
        """Empty it for the next one; drop it when its schema is not as it was."""
        with closing(connect(url)) as connection:
            connection.execute(_LEAVE, [WAIT])
            as_it_was = connection.execute(_SCHEMA).fetchall() == self._schema
            if as_it_was:
                _empty(connection)
        if as_it_was:
            self._free.append(url)
        else:
            self._server.drop(url)

    def close(self) -> None:
        """Drop all that are there."""
        for url in (*self._free, self._template):
            self._server.drop(url)


def _empty(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    connection.execute(_WITHOUT_CHECKS)
    written = {name for (name,) in connection.execute(_WRITTEN)}
    ordered = [table.name for table in reversed(tables.metadata.sorted_tables)]
    names = [sql.Identifier(name) for name in ordered if name in written]
    for name in names:
        connection.execute(sql.SQL("DELETE FROM {}").format(name))
    if names:  # rows of the next one begin at the beginning
        vacuum = sql.SQL("VACUUM (INDEX_CLEANUP ON, TRUNCATE ON) {}")
        connection.execute(vacuum.format(sql.SQL(", ").join(names)))
    connection.execute(_COUNT_ANEW)
