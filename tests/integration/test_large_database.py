"""The synthetic database for measurements of growth."""

import pytest

from benchmarks import large_database
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction
from tests import filled_database
from tests.consistency import assert_consistent

TRACKS = 900


def _indexes() -> list[str]:
    return [
        str(index.name) for table in tables.metadata.tables.values() for index in table.indexes
    ]


@pytest.fixture(scope="module")
def sqlite_contents(tmp_path_factory: pytest.TempPathFactory):
    url = f"sqlite:///{tmp_path_factory.mktemp('large') / 'one.db'}"
    large_database.fill(url, TRACKS, genres=30, predictions=True)
    engine = make_engine(url)
    yield filled_database.contents(engine)
    engine.dispose()


def test_a_made_database_is_consistent_and_the_same_on_both_engines(
    bare_url: str, sqlite_contents: dict[str, list[tuple[object, ...]]]
):
    """Claims, ties, counters, identities and sides follow from the rows, as the product's do."""
    large_database.fill(bare_url, TRACKS, genres=30, predictions=True)
    engine = make_engine(bare_url)
    with read_transaction(engine) as connection:
        assert_consistent(connection)
        if engine.dialect.name == "sqlite":  # foreign keys were off, and indexes dropped
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
            query = "SELECT count(*) FROM sqlite_master WHERE sql LIKE 'CREATE %INDEX%'"
            assert connection.exec_driver_sql(query).scalar_one() >= len(_indexes())
    contents = filled_database.contents(engine)
    engine.dispose()
    assert len(contents["track"]) == TRACKS
    assert len(contents["prediction"]) == 5 * TRACKS
    for name, rows in contents.items():
        assert rows == sqlite_contents[name], name
