"""PostgreSQL databases that tests share one after another are as new."""

import pytest
from sqlalchemy import func, select, text

from genrebase.store import schema, tables
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests import factories as make
from tests.everything import contents, fill
from tests.postgres import Migrated


def test_what_one_test_wrote_the_next_does_not_find(migrated_postgres: Migrated) -> None:
    """No row is left, keys begin at 1, rows stand at the beginning of their files."""
    first = migrated_postgres.take()
    engine = make_engine(first)
    fill(engine)
    with transaction(engine) as connection:
        connection.execute(text("CREATE TEMPORARY TABLE staging (line text)"))
    migrated_postgres.give_back(first)
    engine.dispose()
    again = migrated_postgres.take()
    assert again == first
    engine = make_engine(again)
    schema.check_revision(engine)
    assert not any(contents(engine).values())
    with transaction(engine) as connection:
        pages = select(func.pg_relation_size(text("CAST('track' AS regclass)")))
        assert connection.scalar(pages) == 0
        assert make.add_genre(connection, "rock") == 1
        assert make.add_track(connection, "Song") == 1
    with read_transaction(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(tables.track)) == 1
    engine.dispose()
    migrated_postgres.give_back(again)


@pytest.mark.parametrize(
    "change",
    [
        "DROP VIEW training_tracks CASCADE",
        "ALTER TABLE genre ADD COLUMN mood text",
        "CREATE TABLE own (line text)",
        "CREATE SCHEMA lab",
        "COMMENT ON VIEW predictions IS 'mine'",
        "GRANT SELECT ON track TO PUBLIC",
        "UPDATE alembic_version SET version_num = 'next'",
    ],
)
def test_a_changed_schema_is_not_given_again(migrated_postgres: Migrated, change: str) -> None:
    """Whatever was made, dropped or granted, or says another version, goes with its database."""
    first = migrated_postgres.take()
    engine = make_engine(first)
    with transaction(engine) as connection:
        connection.execute(text(change))
    engine.dispose()
    migrated_postgres.give_back(first)
    again = migrated_postgres.take()
    assert again != first
    migrated_postgres.give_back(again)
