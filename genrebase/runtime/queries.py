"""Run users' SQL queries, and read the database's version and last run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, func, inspect, select, text
from sqlalchemy.exc import DatabaseError

from genrebase.errors import GenrebaseError
from genrebase.store import tables
from genrebase.store.engine import read_transaction


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The rows of a query and the names of their columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_dicts(self) -> Sequence[dict[str, Any]]:
        """Return each row as a dictionary by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def run_query(engine: Engine, query: str) -> QueryResult:
    """Run one SELECT and return all its rows; raise `GenrebaseError` if it is rejected."""
    with read_transaction(engine) as connection:
        try:
            result = connection.execute(text(query))
        except DatabaseError as error:
            raise GenrebaseError(
                f"The database rejected the query: {error.orig}: {query}"
            ) from error
        rows = tuple(tuple(_plain(cell) for cell in row) for row in result.all())
        return QueryResult(tuple(result.keys()), rows)


def _plain(cell: Any) -> Any:
    """Convert PostgreSQL's exact averages to floats, as in SQLite."""
    return float(cell) if isinstance(cell, Decimal) else cell


def latest_job_start(engine: Engine) -> datetime | None:
    """Return when the last run of any job started; None without a run or the table."""
    with read_transaction(engine) as connection:
        if not inspect(connection).has_table(tables.job_run.name):
            return None
        latest: datetime | None = connection.execute(
            select(func.max(tables.job_run.c.started_at))
        ).scalar_one()
    return latest


def server_version(engine: Engine) -> str:
    """Return the database's name and version."""
    with read_transaction(engine) as connection:
        numbers = connection.dialect.server_version_info or ()
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(engine.dialect.name, "")
    return f"{name} {'.'.join(str(number) for number in numbers)}"
