"""A question in SQL and its answer, for people."""

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


class QueryError(GenrebaseError):
    """The database did not understand a question."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """Rows, and what their columns are called."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_dicts(self) -> Sequence[dict[str, Any]]:
        """Return each row as a mapping from column to value."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def run_query(engine: Engine, question: str) -> QueryResult:
    """Run one SELECT, return all its rows; raise `QueryError` when it makes no sense."""
    with read_transaction(engine) as connection:
        try:
            found = connection.execute(text(question))
        except DatabaseError as error:
            raise QueryError(f"The database says {error.orig} to: {question}") from error
        rows = tuple(tuple(_plain(cell) for cell in row) for row in found.all())
        return QueryResult(tuple(found.keys()), rows)


def _plain(cell: Any) -> Any:
    """PostgreSQL averages exactly; a figure for people is a float on both engines."""
    return float(cell) if isinstance(cell, Decimal) else cell


def server_time(engine: Engine) -> datetime | None:
    """Return what the database's own clock says; None for SQLite, which has none of its own."""
    if engine.dialect.name == "sqlite":
        return None
    with read_transaction(engine) as connection:
        now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now


def latest_job_start(engine: Engine) -> datetime | None:
    """Return when the last run of any job began; None without one, or without the table."""
    with read_transaction(engine) as connection:
        if not inspect(connection).has_table(tables.job_run.name):
            return None
        latest: datetime | None = connection.execute(
            select(func.max(tables.job_run.c.started_at))
        ).scalar_one()
    return latest


def server_version(engine: Engine) -> str:
    """Return which database it is."""
    with read_transaction(engine) as connection:
        numbers = connection.dialect.server_version_info or ()
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(engine.dialect.name, "")
    return f"{name} {'.'.join(str(number) for number in numbers)}"
