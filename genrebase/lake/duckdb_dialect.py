"""Compile SELECTs of SQLAlchemy for DuckDB: its types and what the views need of its functions."""

from typing import Any

from sqlalchemy import JSON
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql.compiler import GenericTypeCompiler, SQLCompiler

from genrebase.store.views.catalogue import monday_of
from genrebase.store.views.health import time_of
from genrebase.store.views.review import InChampionClasses
from genrebase.store.views.shared import compile_as


class DuckDBCompiler(SQLCompiler):
    """Statements for DuckDB. Documents (JSON) are text there."""

    def visit_json_getitem_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:  # noqa: ARG002 - SQLAlchemy's
        """Return a field of a document; as text unless it is a document itself."""
        arrow = "->" if isinstance(binary.type, JSON) else "->>"
        document = self.process(binary.left, **options)
        return f"({document} {arrow} {self.process(binary.right, **options)})"


class DuckDBTypes(GenericTypeCompiler):
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


class DuckDBDialect(DefaultDialect):
    """Compiles only: connections are DuckDB's own."""

    name = "duckdb"
    supports_native_boolean = True
    div_is_floordiv = False  # 1 / 2 is 0.5
    statement_compiler = DuckDBCompiler
    type_compiler_cls = DuckDBTypes


compile_as(monday_of, duckdb="strftime(date_trunc('week', {} AT TIME ZONE 'UTC'), '%Y-%m-%d')")
compile_as(time_of, duckdb="to_timestamp({})")
compile_as(
    InChampionClasses,
    duckdb="""{} IN (SELECT unnest(from_json(feature_schema -> 'classes', '["VARCHAR"]'))"""
    " FROM model WHERE task = 'main' AND status = 'champion')",
)
