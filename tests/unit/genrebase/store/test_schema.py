import pytest
from sqlalchemy import Engine, text

from genrebase.store import connect, schema
from genrebase.store.engine import make_engine, transaction
from genrebase.store.errors import SchemaMismatch


def test_a_migrated_database_is_accepted(database_url: str):
    """`connect` returns an engine on a database of the expected schema."""
    engine = connect(database_url)
    assert schema.current(engine) == schema.EXPECTED_REVISION
    engine.dispose()


def test_no_schema_says_how_to_get_one(bare_url: str):
    """An empty database is refused with the command that fills it."""
    with pytest.raises(SchemaMismatch, match=r"no Genrebase schema yet: run `genrebase migrate`"):
        connect(bare_url)


def test_another_schema_is_refused(engine: Engine):
    """A database of another version is named with both revisions."""
    with transaction(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaMismatch, match=r"schema 9999.*needs 0001"):
        schema.check(engine)


def test_upgrading_twice_is_harmless(bare_url: str):
    """A second upgrade finds nothing to do."""
    schema.upgrade(bare_url)
    schema.upgrade(bare_url)
    engine = make_engine(bare_url)
    schema.check(engine)
    engine.dispose()
