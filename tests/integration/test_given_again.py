"""PostgreSQL databases that tests share one after another are as new."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, text

from genrebase.store import schema, tables
from genrebase.store.engine import make_engine, reading, transaction
from tests import factories as make
from tests.everything import contents, fill
from tests.postgres import Migrated, PostgresServer


@pytest.fixture(scope="module")
def databases(postgres_server: PostgresServer) -> Iterator[Migrated]:
    made = Migrated(postgres_server)
    yield made
    made.close()


def test_what_one_test_wrote_the_next_does_not_find(databases: Migrated) -> None:
    """No row is left, keys begin at 1, rows stand at the beginning of their files."""
    first = databases.take()
    engine = make_engine(first)
    fill(engine)
    with transaction(engine) as connection:
        connection.execute(text("CREATE TEMPORARY TABLE staging (line text)"))
    databases.give_back(first)
    engine.dispose()
    again = databases.take()
    assert again == first
    engine = make_engine(again)
    schema.check(engine)
    assert not any(contents(engine).values())
    with transaction(engine) as connection:
        pages = select(func.pg_relation_size(text("CAST('track' AS regclass)")))
        assert connection.scalar(pages) == 0
        assert make.add_genre(connection, "rock") == 1
        assert make.add_track(connection, "Song") == 1
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(tables.track)) == 1
    engine.dispose()
    databases.give_back(again)


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
def test_a_changed_schema_is_not_given_again(databases: Migrated, change: str) -> None:
    """Whatever was made, dropped or granted, or says another version, goes with its database."""
    first = databases.take()
    engine = make_engine(first)
    with transaction(engine) as connection:
        connection.execute(text(change))
    engine.dispose()
    databases.give_back(first)
    again = databases.take()
    assert again != first
    databases.give_back(again)
