"""The views in DuckDB have the rows of the database's views."""

from collections.abc import Iterator

import duckdb
import pytest
from sqlalchemy import Engine, select

from genrebase.lake.arrow_types import arrow_schema
from genrebase.lake.duckdb_views import columns_read, open_duckdb
from genrebase.lake.tables_to_arrow import arrow_reader
from genrebase.store import views
from genrebase.store.settings import DEFAULT_FEATURE_ORDER as ORDER
from tests.duckdb_views import load_views
from tests.filled_database import fill_varied


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_duckdb(threads=1) as connection:
        yield connection


@pytest.fixture
def varied(engine: Engine) -> Engine:
    """A database with rows in every table, verdicts, several providers and two models."""
    fill_varied(engine)
    return engine


def test_every_view_has_the_same_rows(varied: Engine, connection: duckdb.DuckDBPyConnection):
    """All values are equal to the last digit, and the types are those of the Arrow batches."""
    with arrow_reader(varied) as reader:
        load_views(connection, reader, views.ALL)
        for name, view in views.ALL.items():
            rows = connection.sql(f"SELECT * FROM {name}").to_arrow_table()
            schema = arrow_schema(view.table.columns)
            assert rows.schema.names == schema.names
            assert rows.cast(schema).schema == schema, name
            expected = reader.query(select(view.table)).read_all()
            assert in_order(rows.to_pylist()) == in_order(expected.to_pylist()), name


def test_a_view_reads_the_columns_that_it_needs():
    """Files of models and matrices are not read for the views that have none."""
    read = columns_read(set(views.ALL) - {"sound_matrices", "track_descriptors"}, ORDER)
    assert "artifact" not in read["model"]
    assert "sound_matrix" not in read
    assert columns_read(["track_credits"], ORDER) == {
        "artist": ("id", "name", "fold"),
        "track_artist": ("track_id", "artist_id", "position"),
    }


def test_no_extension_is_downloaded(connection: duckdb.DuckDBPyConnection):
    """A function of an extension that is missing is an error at once."""
    with pytest.raises(duckdb.Error):
        connection.execute("SELECT ST_Point(1, 2)")


def in_order(rows):
    return sorted((tuple(row.items()) for row in rows), key=repr)
