"""The schema revision and the encoding of the database."""

import pytest
from sqlalchemy import Engine, text

from genrebase.errors import UserError
from genrebase.store import connect, schema_upgrade
from genrebase.store.engine import make_engine, transaction
from genrebase.store.errors import SchemaMismatch
from tests.postgres import PostgresServer


def test_a_migrated_database_is_accepted(database_url: str):
    """`connect` returns an engine on a database with the expected revision."""
    engine = connect(database_url)
    assert schema_upgrade.current_revision(engine) == schema_upgrade.EXPECTED_REVISION
    engine.dispose()


def test_a_missing_schema_names_the_command(bare_url: str):
    """An empty database is refused with the command that creates the schema."""
    with pytest.raises(
        SchemaMismatch, match=r"run `genrebase migrate`|`genrebase migrate` creates it"
    ):
        connect(bare_url)


def test_another_schema_is_refused(engine: Engine):
    """The error names the actual and the expected revision."""
    with transaction(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(
        SchemaMismatch, match=rf"schema revision 9999.*needs {schema_upgrade.EXPECTED_REVISION}"
    ):
        schema_upgrade.check_revision(engine)


def test_upgrading_twice_is_harmless(bare_url: str):
    """A second upgrade changes nothing."""
    schema_upgrade.upgrade(bare_url)
    schema_upgrade.upgrade(bare_url)
    engine = make_engine(bare_url)
    schema_upgrade.check_revision(engine)
    engine.dispose()


def test_a_newer_database_is_not_touched(engine: Engine, database_url: str):
    """An unknown revision is refused before alembic looks for it."""
    with transaction(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaMismatch, match="install the version that created it"):
        schema_upgrade.upgrade(database_url)


def test_a_foreign_database_is_not_touched(bare_url: str):
    """A foreign table under one of our names is refused, and stays."""
    engine = make_engine(bare_url)
    with transaction(engine) as connection:
        connection.execute(text("CREATE TABLE track (of_rails text)"))
    with pytest.raises(UserError, match="not Genrebase's: track"):
        schema_upgrade.upgrade(bare_url)
    with transaction(engine) as connection:
        connection.execute(text("SELECT of_rails FROM track"))
    engine.dispose()


def test_an_encoding_other_than_utf8_is_refused(postgres_server: PostgresServer):
    """The error has the command that creates the database."""
    url = postgres_server.create()
    name = url.rsplit("?", 1)[0].rsplit("/", 1)[1]
    postgres_server.drop(url)
    postgres_server.execute(
        f"CREATE DATABASE \"{name}\" ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
    )
    with pytest.raises(UserError, match="ENCODING 'UTF8'"):
        schema_upgrade.upgrade(url)
    postgres_server.drop(url)
