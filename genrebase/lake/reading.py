"""Read a lake by DuckDB, under the names of the tables and views."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from genrebase.errors import UserError
from genrebase.lake.duckdb_views import open_duckdb
from genrebase.lake.folder import CURRENT, read_manifest


@contextmanager
def open_lake(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection with all tables and views of a lake's current version.

    It reads that version until the block ends, also if the lake is replaced meanwhile (once).
    Raises `UserError` where there is no lake.
    """
    version = (path / CURRENT).resolve()
    manifest = read_manifest(path)
    if manifest is None:
        raise UserError(f"{path} is no lake: make one by `genrebase lake {path}`.")
    with open_duckdb() as connection:
        for relation in manifest["relations"]:
            name = relation["name"]
            files = str(version / name / "*.parquet").replace("'", "''")
            rows = f"SELECT * FROM read_parquet('{files}')"  # noqa: S608 - our own paths
            connection.execute(f'CREATE VIEW "{name}" AS {rows}')
        yield connection
