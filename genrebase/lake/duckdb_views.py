"""The views in DuckDB: the same names, columns and rows, over tables read as Arrow batches."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

import duckdb
import pyarrow as pa
from sqlalchemy import JSON, Column, Select, Table, cast, select
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import GenericTypeCompiler, SQLCompiler

from genrebase.lake.tables_to_arrow import key_column
from genrebase.runtime.cores import usable_cores
from genrebase.store import tables, views
from genrebase.store.views.catalogue import monday_of
from genrebase.store.views.definition import Providers
from genrebase.store.views.health import time_of
from genrebase.store.views.review import InChampionClasses
from genrebase.store.views.shared import compile_as

_CHAMPION_COLUMNS: Final = ("task", "status", "feature_schema")
"""What `InChampionClasses` reads of the table `model`."""
_DEFINITIONS: Final = 2 * len(views.ALL)
"""Of views, by the order of providers, that are kept: compiling all of them takes 0.3 s."""

TableColumns = Mapping[str, tuple[str, ...]]
"""Names of columns by the name of their table."""


class _Compiler(SQLCompiler):
    """Statements for DuckDB. Documents (JSON) are text there."""

    def visit_json_getitem_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:  # noqa: ARG002 - SQLAlchemy's
        """Return a field of a document; as text unless it is a document itself."""
        arrow = "->" if isinstance(binary.type, JSON) else "->>"
        document = self.process(binary.left, **options)
        return f"({document} {arrow} {self.process(binary.right, **options)})"


class _Types(GenericTypeCompiler):
    """The types of the Arrow batches: 64-bit integers, times in UTC, documents as text."""

    def visit_INTEGER(self, type_: Any, **options: Any) -> str:  # noqa: ARG002, N802 - SQLAlchemy's
        """Return the one type of integers."""
        return "BIGINT"

    visit_SMALLINT = visit_INTEGER  # noqa: N815 - SQLAlchemy's

    def visit_DATETIME(self, type_: Any, **options: Any) -> str:  # noqa: ARG002, N802 - SQLAlchemy's
        """Return the one type of times."""
        return "TIMESTAMPTZ"

    def visit_JSON(self, type_: Any, **options: Any) -> str:  # noqa: ARG002, N802 - SQLAlchemy's
        """Return the type of documents."""
        return "TEXT"


class _Dialect(DefaultDialect):
    """Compiles only: connections are DuckDB's own."""

    name = "duckdb"
    supports_native_boolean = True
    div_is_floordiv = False  # 1 / 2 is 0.5
    statement_compiler = _Compiler
    type_compiler_cls = _Types


compile_as(monday_of, duckdb="strftime(date_trunc('week', {} AT TIME ZONE 'UTC'), '%Y-%m-%d')")
compile_as(time_of, duckdb="to_timestamp({})")
compile_as(
    InChampionClasses,
    duckdb="""{} IN (SELECT unnest(from_json(feature_schema -> 'classes', '["VARCHAR"]'))"""
    " FROM model WHERE task = 'main' AND status = 'champion')",
)


@contextmanager
def open_duckdb(threads: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection to an empty database in memory, in UTC.

    What does not fit into memory goes to a temporary folder. No extension is ever downloaded.
    """
    with tempfile.TemporaryDirectory(prefix="genrebase-duckdb-") as folder:
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads or usable_cores(),
            "temp_directory": folder,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        with duckdb.connect(config=config) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            yield connection


def create_table(
    connection: duckdb.DuckDBPyConnection, name: str, rows: pa.RecordBatchReader | pa.Table
) -> None:
    """Create a table in DuckDB from Arrow batches."""
    connection.register("arriving", rows)
    connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM arriving')  # noqa: S608 - our names
    connection.unregister("arriving")


@lru_cache(_DEFINITIONS)
def view_sql(name: str, providers: Providers) -> str:
    """Return the SELECT of a view for DuckDB, its columns with the types of the Arrow batches."""
    rows = views.ALL[name].build(providers).subquery("rows")
    declared = views.ALL[name].table.c
    typed = select(*(cast(rows.c[one.name], one.type).label(one.name) for one in declared))
    return str(typed.compile(dialect=_Dialect(), compile_kwargs={"literal_binds": True}))


def columns_read(names: Iterable[str], providers: Providers) -> TableColumns:
    """Return the columns of tables that views read, in the tables' order of them."""
    used: dict[str, set[str]] = {}
    for name in names:
        for table, column in _columns_of_view(name, providers):
            used.setdefault(table, set()).add(column)
    ordered = {table: tables.metadata.tables[table].c.keys() for table in sorted(used)}
    return {
        table: tuple(column for column in columns if column in used[table])
        for table, columns in ordered.items()
    }


@lru_cache(_DEFINITIONS)
def _columns_of_view(name: str, providers: Providers) -> frozenset[tuple[str, str]]:
    elements = visitors.iterate(views.ALL[name].build(providers))
    return frozenset(column for element in elements for column in _columns_of(element))


def _columns_of(element: Any) -> Iterator[tuple[str, str]]:
    """Yield the tables and columns that a part of a SELECT names."""
    if isinstance(element, Table):  # perhaps only its rows are counted
        yield element.name, key_column(element).name
    elif isinstance(element, InChampionClasses):
        yield from (("model", column) for column in _CHAMPION_COLUMNS)
    named = element.selected_columns if isinstance(element, Select) else [element]  # SELECT t.*
    for base in {base for one in named for base in getattr(one, "base_columns", ())}:
        if isinstance(base, Column) and base.table in tables.metadata.tables.values():
            yield base.table.name, base.name
