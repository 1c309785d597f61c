"""Run alembic's migrations in one transaction; drop the views before and recreate them after.

One process at a time migrates; others wait for it.

At the head, the order of feature providers is stored, too, and each track's provider chosen by it.
The index of the search and its triggers are created, which rebuilding a table would drop.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.util import CommandError
from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    inspect,
)
from sqlalchemy.exc import IntegrityError, ProgrammingError

from genrebase.store import bulk, features_provider, search_index, tables
from genrebase.store.engine import WRITES_OPTION, disposing, make_engine, open_connection
from genrebase.store.errors import StoreError
from genrebase.store.lock_timeout import lock_timeout
from genrebase.store.settings import StoreSettings
from genrebase.store.view_migration import managed_views
from genrebase.store.views.definition import Providers

_Work = Callable[[Any, MigrationContext], Iterable[MigrationStep]]

_MIGRATING: Final = frozenset({"upgrade", "downgrade"})
"""The commands that change the schema, by the name of alembic's function for each."""

_WRITING: Final = _MIGRATING | {"do_stamp", "do_ensure_version"}

_VERSION: Final = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""As alembic creates it."""

LOCK_SECONDS: Final = 10.0
"""Seconds that a migration waits for readers: meanwhile everybody else waits behind it."""


def run(context: EnvironmentContext) -> None:
    """Run alembic's current command, completely or not at all.

    The database is the configuration's attribute `store_url`, else the settings'. Commands that
    only read (`current`, `check`, `history`) leave the views alone.
    """
    if context.is_offline_mode():
        raise CommandError("Migrations inspect the views that users created: --sql is impossible.")
    work = _work(context)
    settings = StoreSettings.load()
    engine = make_engine(context.config.attributes.get("store_url"), settings=settings)
    with disposing(engine), open_connection(engine) as connection:
        migrates = work.__name__ in _MIGRATING
        if work.__name__ in _WRITING:
            connection.execution_options(**{WRITES_OPTION: True})
        if migrates:
            _ensure_version_table(connection)
            _disable_foreign_keys(connection)
            work = _with_views(context, connection, work, settings.feature_order)
        context.configure(
            connection=connection,
            target_metadata=tables.metadata,
            fn=work,
            transactional_ddl=True,
            render_as_batch=True,
            include_object=_is_ours,
        )
        with context.begin_transaction():
            if migrates:
                _lock(connection)  # before alembic reads the revision
            context.run_migrations()


def _work(context: EnvironmentContext) -> _Work:
    context.configure(dialect_name="sqlite")
    work: _Work = context.get_context().opts["fn"]
    return work


def _with_views(
    context: EnvironmentContext, connection: Connection, work: _Work, providers: Providers
) -> _Work:
    heads = set(context.script.get_heads())

    def steps(revisions: Any, migration: MigrationContext) -> Iterator[MigrationStep]:
        planned = list(work(revisions, migration))
        with lock_timeout(connection, LOCK_SECONDS):
            views = managed_views(connection)
            if not planned:
                if set(migration.get_current_heads()) != heads:
                    return
                if views.are_current(providers):
                    features_provider.set_order(connection, providers)
                    return
            views.drop()
            yield from planned
            at_head = set(migration.get_current_heads()) == heads
            if at_head:
                search_index.ensure(connection)
                features_provider.set_order(connection, providers)
            if at_head and planned:
                features_provider.choose_all(connection)
            views.recreate(providers if at_head else None)
            if planned:  # new views change no rows
                _check_foreign_keys(connection)

    return steps


def _is_ours(_object: Any, name: str | None, kind: str, reflected: bool, _other: Any) -> bool:
    """Return False for tables that other software keeps in the same database.

    Also for the search's index of expressions, which only PostgreSQL has.
    """
    if kind == "index" and name == search_index.POSTGRESQL_INDEX:
        return False
    return not (kind == "table" and reflected and name not in tables.metadata.tables)


def _ensure_version_table(connection: Connection) -> None:
    """Create alembic's table in a transaction of its own: a lock on it orders migrations."""
    if connection.dialect.name != "postgresql":
        return
    try:
        with connection.begin():
            _VERSION.create(connection, checkfirst=True)
    except (IntegrityError, ProgrammingError):  # another migration has just created it
        with connection.begin():
            if not inspect(connection).has_table(_VERSION.name):
                raise


def _lock(connection: Connection) -> None:
    """Wait for other migrations and for transactions that create identities.

    A reader has no right to hold this lock. SQLite waited at BEGIN.
    """
    if connection.dialect.name == "postgresql":
        with lock_timeout(connection, bulk.IDENTITY_LOCK_SECONDS):
            connection.exec_driver_sql(f"LOCK TABLE {_VERSION.name} IN EXCLUSIVE MODE")


def _disable_foreign_keys(connection: Connection) -> None:
    """Let SQLite rebuild a table without deleting the rows that refer to it."""
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")


def _check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            names = ", ".join(sorted({row[0] for row in broken}))
            raise StoreError(f"Nothing was changed: rows of {names} would refer to missing rows.")
