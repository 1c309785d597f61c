"""Compute the views of a lake by DuckDB, from the parts of its tables."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from genrebase.lake.arrow_types import arrow_schema
from genrebase.lake.duckdb_views import columns_read, view_sql
from genrebase.lake.part_writers import ROWS_PER_PART, PartWriters, chunks, whole
from genrebase.lake.parts import LakePart, hash_of_rows, hash_of_texts
from genrebase.lake.relations import ROW_WISE, LakeRelations, is_by_track
from genrebase.lake.table_parts import OnPart
from genrebase.lake.version_writer import VersionWriter
from genrebase.store import views
from genrebase.store.engine import reason_of
from genrebase.store.errors import StoreError
from genrebase.store.views.definition import Providers


class ViewComputer:
    """Computes views from the tables of a version, one range of tracks or all at a time."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        version: VersionWriter,
        table_parts: Iterable[LakePart],
        providers: Providers,
    ) -> None:
        """Read the tables' parts in the folder of `version`, and write the views there."""
        self._connection, self._version, self._providers = connection, version, providers
        self._parts: dict[str, dict[int, LakePart]] = defaultdict(dict)
        for part in table_parts:
            self._parts[part.relation][part.number] = part
        self._hash = cache(self._hash_of_columns)
        self._shown: dict[str, tuple[str, ...]] = {}

    def compute(self, relations: LakeRelations, on_part: OnPart) -> list[LakePart]:
        """Compute all views; every view has at least one part, if only for its columns."""
        by_range = [name for name in relations.views if name in ROW_WISE]
        reused: list[LakePart] = []
        with PartWriters(self._version) as writers:
            for number in sorted(self._parts["track"]):
                for name in by_range:
                    reused += self._compute_part(name, number, writers)
                    on_part(name)
            for name in relations.views:
                if name not in ROW_WISE:
                    reused += self._compute_part(name, None, writers)
                    on_part(name)
            parts = [*reused, *writers.finish()]
            for name in set(relations.views) - {part.relation for part in parts}:
                writers.write(name, 0, _schema(name).empty_table())
            return [*reused, *writers.finish()]

    def _compute_part(self, name: str, number: int | None, writers: PartWriters) -> list[LakePart]:
        """Return the parts that an earlier version has; compute and write others."""
        query = f"SELECT * FROM ({view_sql(name, self._providers)}) ORDER BY {_order(name)}"  # noqa: S608 - our names
        read = columns_read([name], self._providers)
        states = [self._state(table, columns, number) for table, columns in read.items()]
        inputs = hash_of_texts([query, *states])
        reused = self._version.reuse(name, number, inputs)
        if reused:
            return reused
        for table in read:
            self._show(table, number)
        with _naming(name):
            stream = self._connection.sql(query).to_arrow_reader(ROWS_PER_PART)
            for place, rows in enumerate(chunks(stream) if number is None else whole(stream)):
                typed = rows.cast(_schema(name))
                writers.write(name, place if number is None else number, typed, inputs)
        return []

    def _state(self, table: str, columns: tuple[str, ...], number: int | None) -> str:
        """Return what changes when the rows of a table change that a view reads."""
        if is_by_track(table):
            return f"{table}: {' '.join(part.file for part in self._part_of(table, number))}"
        return f"{table}: {self._hash(table, columns)}"

    def _hash_of_columns(self, table: str, columns: tuple[str, ...]) -> str:
        return hash_of_rows(pq.read_table([*self._files(table, None)], columns=list(columns)))

    def _show(self, table: str, number: int | None) -> None:
        """Let the name of a table stand for its rows of a range, or for all."""
        files = tuple(self._files(table, number if is_by_track(table) else None))
        if self._shown.get(table) == files:
            return
        any_files = files or self._files(table, None)  # every table has a part, for its columns
        listed = ", ".join(f"'{file.replace(chr(39), chr(39) * 2)}'" for file in any_files)
        rows = f"SELECT * FROM read_parquet([{listed}]) WHERE {bool(files)}"  # noqa: S608 - our names
        self._connection.execute(f'CREATE OR REPLACE VIEW "{table}" AS {rows}')
        self._shown[table] = files

    def _part_of(self, table: str, number: int | None) -> list[LakePart]:
        parts = self._parts[table]
        if number is None:
            return [parts[one] for one in sorted(parts)]
        return [parts[number]] if number in parts else []

    def _files(self, table: str, number: int | None) -> list[str]:
        folder = self._version.folder / table
        return [str(folder / part.file) for part in self._part_of(table, number)]


def _order(name: str) -> str:
    return f"track_id, {ROW_WISE[name]}" if name in ROW_WISE else "ALL"


def _schema(name: str) -> pa.Schema:
    return arrow_schema(views.ALL[name].table.columns)


@contextmanager
def _naming(view: str) -> Iterator[None]:
    """Turn an error of DuckDB into a sentence that names the view."""
    try:
        yield
    except duckdb.Error as error:
        reason = reason_of(error)
        raise StoreError(f"DuckDB could not compute the view {view}: {reason}.") from error
