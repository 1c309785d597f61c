"""The views in DuckDB, over the tables of a database in memory."""

from collections.abc import Iterable

import duckdb
from sqlalchemy import select

from genrebase.lake.duckdb_views import columns_read, create_table, view_sql
from genrebase.lake.tables_to_arrow import ArrowReader
from genrebase.store import tables
from genrebase.store.settings import DEFAULT_FEATURE_ORDER as ORDER


def load_views(
    connection: duckdb.DuckDBPyConnection, reader: ArrowReader, names: Iterable[str]
) -> None:
    """Create views and fill the tables that they read, with the columns that they read."""
    names = list(names)
    for table, columns in columns_read(names, ORDER).items():
        query = select(*(tables.metadata.tables[table].c[column] for column in columns))
        create_table(connection, table, reader.query(query))
    for name in names:
        connection.execute(f'CREATE VIEW "{name}" AS {view_sql(name, ORDER)}')
