"""Run people's SQL: one SELECT that only reads, for a second, with at most 1,000 rows.

On SQLite a process of its own runs it (`web.sqlite_child`): one operation may take minutes within
SQLite, which looks at no clock meanwhile, and a process can be killed. On PostgreSQL the role
`reader` runs it, which can read the views and nothing else (deploy/reader.sql).
"""

import json
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, Final

from sqlalchemy import Engine

from genrebase.counts import counted
from genrebase.errors import GenrebaseError, UserError
from genrebase.runtime.monitoring import first_line
from genrebase.store.engine import make_engine, postgresql_options

SECONDS: Final = 1.0
"""Maximum duration of a query."""
MAX_ROWS: Final = 1_000
MAX_BYTES: Final = 4_000_000
"""Maximum size of a result, and of any cell on the way to it."""
MAX_LENGTH: Final = 20_000
"""Characters of a query."""
_AT_ONCE: Final = 2
"""Queries that run at the same time."""
_START_SECONDS: Final = 5.0
"""Seconds more that the process of a query may take, to start and to write its result."""
_CANCELED: Final = "57014"
"""PostgreSQL's code of a query that took too long."""

_LIMITED: Final = f"""
SELECT * FROM (
SELECT genrebase_first.*, count(*) OVER () AS genrebase_rows FROM (
SELECT genrebase_query.*,
    sum(octet_length(CAST(genrebase_query AS text))) OVER (ROWS UNBOUNDED PRECEDING)
        AS genrebase_bytes
FROM (
{{sql}}
) AS genrebase_query LIMIT {MAX_ROWS + 1}
) AS genrebase_first
) AS genrebase_limited WHERE genrebase_bytes <= {MAX_BYTES}
"""
"""The first rows that hold at most `MAX_BYTES`, and how many there are at most `MAX_ROWS` + 1."""
_FIRST: Final = "SELECT 1 FROM (\n{sql}\n) AS genrebase_query LIMIT 1"


class SqlRefused(UserError):
    """The query cannot be run, or the database rejected it."""


class SqlBusy(GenrebaseError):
    """Too many queries are running."""


class SqlDisabled(UserError):
    """This server runs no SQL."""


@dataclass(frozen=True, slots=True)
class SqlResult:
    """The first rows of a query."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    """Numbers, texts, booleans and NULL; binary cells are described by their size."""
    has_more: bool
    """Whether rows were left out: more than `MAX_ROWS`, or than `MAX_BYTES` hold."""
    empty_views: Sequence[str] = ()
    """Of a result without rows: the views that it names and that have none either."""


class SqlQueries:
    """Runs queries on a SQLite file, or as PostgreSQL's role `reader`; safe for threads."""

    def __init__(self, engine: Engine, reader_url: str | None = None) -> None:
        """Take the pages' engine, and the URL of the role `reader` on PostgreSQL."""
        self._slots = BoundedSemaphore(_AT_ONCE)
        self._file = engine.url.database if engine.dialect.name == "sqlite" else None
        self._reader: Mapping[str, Any] | None = None
        if self._file is None and reader_url:
            self._reader = postgresql_options(make_engine(reader_url))

    def run(self, sql: str) -> SqlResult:
        """Return the first rows; raise `SqlRefused`, `SqlBusy` or `SqlDisabled`."""
        if len(sql) > MAX_LENGTH:
            raise SqlRefused(f"The query has more than {MAX_LENGTH:,} characters.")
        if not self._slots.acquire(blocking=False):
            raise SqlBusy(f"{counted(_AT_ONCE, 'query', 'queries')} run already: try again soon.")
        try:
            if self._file is not None:
                return _run_sqlite(Path(self._file), sql)
            if self._reader is None:
                raise SqlDisabled(
                    "On PostgreSQL the role `reader` runs the queries: create it by "
                    "deploy/reader.sql, and set SERVE_SQL_URL to its URL."
                )
            return _run_postgresql(self._reader, sql)
        finally:
            self._slots.release()


def _run_sqlite(file: Path, sql: str) -> SqlResult:
    script = Path(__file__).with_name("sqlite_child.py")
    limits = map(str, (SECONDS, MAX_ROWS, MAX_BYTES))
    command = [sys.executable, "-I", str(script), str(file), *limits]
    try:
        done = subprocess.run(  # noqa: S603 - our own script; the query is on its standard input
            command, input=sql, capture_output=True, encoding="utf-8", errors="replace",
            timeout=SECONDS + _START_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise _too_slow() from None
    try:
        document = json.loads(done.stdout)
    except ValueError:  # it was killed by a limit of its process
        raise _too_slow() from None
    if "error" in document:
        if document["error"] == "interrupted":
            raise _too_slow()
        raise _rejected(document["error"])
    return SqlResult(document["columns"], document["rows"], document["has_more"])


def _rejected(reason: str) -> SqlRefused:
    return SqlRefused(f"The database rejected the query: {reason.rstrip('.')}.")


def _too_slow() -> SqlRefused:
    return SqlRefused(
        f"The query was stopped: it took more than {SECONDS:.0f} s, or too much memory. "
        "Read fewer rows, or read a view that is stored as digests (see the view `digests`)."
    )


def _run_postgresql(options: Mapping[str, Any], sql: str) -> SqlResult:
    """Run it as a subquery of ours, in a prepared statement: so it can only be one SELECT."""
    import psycopg  # only PostgreSQL needs its driver

    inner = sql.strip().removesuffix(";")
    try:
        with closing(psycopg.connect(**options)) as session:  # a query may change its session
            session.read_only = True
            with session.cursor() as cursor:
                cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = session_user")
                if cursor.fetchone() != (False,):
                    raise SqlDisabled("SERVE_SQL_URL names a superuser: use the role `reader`.")
                cursor.execute(f"SET LOCAL statement_timeout = {int(SECONDS * 1000)}")
                cursor.execute(_LIMITED.format(sql=inner), prepare=True)
                columns = [column.name for column in cursor.description or ()]
                cells = cursor.fetchall()
                if not cells and cursor.execute(_FIRST.format(sql=inner), prepare=True).fetchall():
                    raise SqlRefused(f"The first row has more than {counted(MAX_BYTES, 'byte')}.")
    except psycopg.Error as error:
        if error.sqlstate == _CANCELED:
            raise _too_slow() from None
        raise _rejected(first_line(error)) from None
    total = cells[0][-1] if cells else 0
    rows = [[_plain(cell) for cell in row[:-2]] for row in cells[:MAX_ROWS]]
    return SqlResult(columns[:-2], rows, has_more=total > len(rows))


def _plain(cell: Any) -> Any:
    """Return a cell as JSON and CSV write it."""
    if isinstance(cell, bytes):
        return f"({counted(len(cell), 'byte')})"
    if isinstance(cell, Decimal):
        cell = float(cell)
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if isinstance(cell, dict | list):
        return json.dumps(cell, ensure_ascii=False, default=str)
    return cell if cell is None or isinstance(cell, bool | int | str) else str(cell)
