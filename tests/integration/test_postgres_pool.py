"""The pool of PostgreSQL databases returns released databases empty and unchanged."""

import pytest
from sqlalchemy import func, select, text

from genrebase.store import schema_upgrade, tables
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests import factories as make
from tests.filled_database import contents, fill
from tests.postgres import MigratedDatabases


def test_a_reused_database_is_empty(migrated_postgres: MigratedDatabases) -> None:
    """Only rows of a migration are left, ids start at 1, rows at the beginning of their files."""
    first = migrated_postgres.acquire()
    engine = make_engine(first)
    fill(engine)
    with transaction(engine) as connection:
        connection.execute(text("CREATE TEMPORARY TABLE staging (line text)"))
    migrated_postgres.release(first)
    engine.dispose()
    again = migrated_postgres.acquire()
    assert again == first
    engine = make_engine(again)
    schema_upgrade.check_revision(engine)
    assert {name for name, rows in contents(engine).items() if rows} == {"feature_order"}
    with transaction(engine) as connection:
        pages = select(func.pg_relation_size(text("CAST('track' AS regclass)")))
        assert connection.scalar(pages) == 0
        assert make.add_genre(connection, "rock") == 1
        assert make.add_track(connection, "Song") == 1
    with read_transaction(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(tables.track)) == 1
    engine.dispose()
    migrated_postgres.release(again)


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
def test_a_database_with_a_changed_schema_is_dropped(
    migrated_postgres: MigratedDatabases, change: str
) -> None:
    """Created, dropped or granted objects, or another revision, keep it from being reused."""
    first = migrated_postgres.acquire()
    engine = make_engine(first)
    with transaction(engine) as connection:
        connection.execute(text(change))
    engine.dispose()
    migrated_postgres.release(first)
    again = migrated_postgres.acquire()
    assert again != first
    migrated_postgres.release(again)
