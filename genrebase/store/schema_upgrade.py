"""The schema revision: check what a database has, and upgrade it to the expected one.

`migration_environment` runs the migrations and recreates the views.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, column, inspect, select, table, text
from sqlalchemy.exc import DatabaseError

from genrebase.errors import UserError
from genrebase.store import bulk, features_provider, tables
from genrebase.store.engine import disposing, make_engine, read_transaction
from genrebase.store.errors import DatabaseUnreachable, SchemaMismatch

if TYPE_CHECKING:
    from alembic.config import Config

    from genrebase.store.views.definition import Providers

EXPECTED_REVISION: Final = "0030"
"""The head of the migrations; a test compares the two."""

_VERSION: Final = table("alembic_version", column("version_num"))
"""Read without alembic, whose import only a migration needs."""
_EXTENSION_TABLES: Final = """
    SELECT relname FROM pg_class
    JOIN pg_depend ON classid = CAST('pg_class' AS regclass) AND objid = pg_class.oid
    WHERE deptype = 'e'
"""
_MAX_LISTED: Final = 5
"""Tables that a message lists."""
_PACKAGE: Final = Path(__file__).resolve().parents[1]


def migrations_folder() -> Path:
    """Return the folder of the migrations: in the installed package, or else in the checkout."""
    packaged = _PACKAGE / "migrations"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "migrations"


def alembic_config(url: str | None = None) -> "Config":
    """Return alembic's configuration for the packaged migrations, on `url` or the settings'."""
    from alembic.config import Config  # slow; only migrations need it

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["store_url"] = url
    return config


def migrate(*, repair: bool = False) -> tuple[str, str | None, str | None]:
    """Upgrade the database at `STORE_URL`; return its URL without a password, and its revisions.

    These are the ones before and after. `repair` chooses the provider of every track's features
    again, which an upgrade does anyway: after another program wrote to `audio_features`. Raises
    as `upgrade` does.
    """
    with disposing(make_engine()) as engine:
        before = current_revision(engine)
        upgrade()
        if repair:
            with bulk.exclusive_transaction(engine) as connection:
                features_provider.choose_all(connection)
        return engine.url.render_as_string(), before, current_revision(engine)


def upgrade(url: str | None = None, revision: str = "head") -> None:
    """Migrate the database at `url` (default: `STORE_URL`) to `revision`.

    Raises `SchemaMismatch` where a newer version created it, `UserError` where it holds
    another program's tables, `ViewConflict` where users' views cannot be preserved.
    """
    from alembic import command  # slow; only migrations need it

    config = alembic_config(url)
    with disposing(make_engine(url)) as engine:
        _check_compatible(engine)
        _check_migratable(engine, config)
    command.upgrade(config, revision)


def _check_migratable(engine: Engine, config: "Config") -> None:
    from alembic.script import ScriptDirectory  # slow; only migrations need it

    revision = current_revision(engine)
    revisions = {
        script.revision for script in ScriptDirectory.from_config(config).walk_revisions()
    }
    if revision is not None and revision not in revisions:
        raise SchemaMismatch(
            f"{engine.url.render_as_string()} has schema revision {revision}, which this "
            "version of Genrebase does not know: install the version that created it."
        )


def _check_compatible(engine: Engine) -> None:
    """Raise `UserError` for another program's database or another encoding."""
    if is_missing_file(engine):
        return
    name, revision = engine.url.render_as_string(), current_revision(engine)
    with read_transaction(engine) as connection:
        existing = _table_names(connection)
        encoding = (
            connection.scalar(text("SHOW server_encoding"))
            if connection.dialect.name == "postgresql"
            else "UTF8"
        )
    ours = existing & tables.metadata.tables.keys()
    others = existing - ours - {_VERSION.name}
    is_new = revision is None and _VERSION.name not in existing
    if revision is None and ours:
        raise UserError(
            f"{name} has tables that are not Genrebase's: {', '.join(sorted(ours))}. "
            "Name another database in STORE_URL."
        )
    if others and (is_new or (revision is not None and not ours)):
        raise UserError(
            f"{name} holds another program's tables: {_listed(others)}. Nothing was changed. "
            "Genrebase needs a database of its own: name another one in STORE_URL."
        )
    if revision is None and encoding != "UTF8":
        raise UserError(
            f"{name} is encoded as {encoding}, which cannot store every title: "
            "create the database with ENCODING 'UTF8'."
        )


def _table_names(connection: Connection) -> set[str]:
    """Return the tables of the schema that we would use, without those of extensions."""
    names = set(inspect(connection).get_table_names())
    if connection.dialect.name == "postgresql":
        names -= set(connection.scalars(text(_EXTENSION_TABLES)))
    return names


def _listed(names: Iterable[str]) -> str:
    first, rest = sorted(names)[:_MAX_LISTED], len(set(names)) - _MAX_LISTED
    return ", ".join(first) + (f" and {rest:,} more" if rest > 0 else "")


def current_revision(engine: Engine) -> str | None:
    """Return the database's revision; None where it has no schema."""
    if is_missing_file(engine):
        return None  # opening it would leave an empty file behind
    with read_transaction(engine) as connection:
        try:
            if not inspect(connection).has_table(_VERSION.name):
                return None
            revisions = sorted(connection.scalars(select(_VERSION.c.version_num)))
            return ", ".join(revisions) or None  # several only where another program made them
        except DatabaseError as error:
            name = engine.url.render_as_string()
            raise DatabaseUnreachable(f"{name} is not a database: {error.orig}") from error


def is_missing_file(engine: Engine) -> bool:
    """Return whether it is a SQLite file that does not exist, in a folder that does."""
    file = engine.url.database
    if engine.dialect.name != "sqlite" or not file or file == ":memory:":
        return False
    return Path(file).parent.is_dir() and not Path(file).exists()


def check_revision(engine: Engine) -> None:
    """Raise `SchemaMismatch` unless the database has the expected revision."""
    revision = current_revision(engine)
    if revision == EXPECTED_REVISION:
        return
    name = engine.url.render_as_string()
    if is_missing_file(engine):
        raise SchemaMismatch(
            f"There is no database {engine.url.database}: `genrebase migrate` creates it. If it "
            "should exist, check the name in STORE_URL."
        )
    if revision is None:
        raise SchemaMismatch(
            f"{name} has no Genrebase schema yet: run `genrebase migrate` "
            "(or `alembic upgrade head` in a checkout)."
        )
    raise SchemaMismatch(
        f"{name} has schema revision {revision}, this version of Genrebase needs "
        f"{EXPECTED_REVISION}: run `genrebase migrate` or, if the database is newer, install the "
        "version that created it."
    )


def views_are_current(engine: Engine, providers: "Providers") -> bool:
    """Return whether every view is as this version defines it, for this order of providers."""
    from genrebase.store.view_migration import managed_views  # imports the views

    with read_transaction(engine) as connection:
        return managed_views(connection).are_current(providers)
