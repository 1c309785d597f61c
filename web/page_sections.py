"""What a page shows: sections of rows. Its JSON and CSV versions are made of the same rows."""

import csv
import io
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Boolean, Connection, select, text

from genrebase.counts import counted
from genrebase.digests import store as digests
from genrebase.spreadsheet_cells import SpreadsheetWriter
from genrebase.store import tables, views
from genrebase.store.tables import UtcDateTime

_PARAMETER: Final = re.compile(r"(?<![:\w]):([a-z_]+)\b")


def _names_of(kind: type[Any]) -> frozenset[str]:
    return frozenset(
        column.name
        for table in (
            *(view.table for view in views.ALL.values()),
            *tables.metadata.tables.values(),
        )
        for column in table.columns
        if isinstance(column.type, kind)
    )


_BOOLEANS: Final = _names_of(Boolean)
_TIMES: Final = _names_of(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Section:
    """A table of a page, with the query that it comes from."""

    name: str
    """Its name in the addresses of its JSON and CSV versions."""
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    sql: str = ""
    """The query with its values; empty if there is none."""
    as_of: datetime | None = None
    """The time of the digest that the rows come from; None: they were read now."""
    is_pending: bool = False
    """Whether it has no rows because the digest was discarded and is not computed again yet."""

    @property
    def records(self) -> list[dict[str, Any]]:
        """The rows as dictionaries by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def first(self) -> dict[str, Any] | None:
        """Return the first row, None without one."""
        return self.records[0] if self.rows else None

    def as_json(self) -> dict[str, Any]:
        """Return the section as it stands in a JSON version of the page."""
        rows = [[_json_cell(cell) for cell in row] for row in self.rows]
        as_of = None if self.as_of is None else _json_cell(self.as_of)
        document = {"columns": list(self.columns), "rows": rows, "as_of": as_of, "sql": self.sql}
        return document | ({"is_pending": True} if self.is_pending else {})

    def as_csv(self) -> str:
        """Return the section as CSV; texts that a spreadsheet would execute are escaped."""
        file = io.StringIO(newline="")
        writer = SpreadsheetWriter(csv.writer(file))
        writer.writerow(self.columns)
        writer.writerows([_json_cell(cell) for cell in row] for row in self.rows)
        return file.getvalue()


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its sections, and what else its template needs."""

    title: str
    template: str
    sections: Mapping[str, Section]
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Values derived from the sections, for the template."""
    status: int = 200


def by_name(*sections: Section) -> dict[str, Section]:
    """Return the sections by their names."""
    return {section.name: section for section in sections}


def as_document(stored: Any) -> dict[str, Any]:
    """Return a JSON column as a document, an empty one for NULL: SQLite gives it as text."""
    document: dict[str, Any] = json.loads(stored) if isinstance(stored, str) else stored
    return document or {}


def query(connection: Connection, name: str, sql: str, **parameters: Any) -> Section:
    """Run a SELECT with named parameters (`:name`) and return its rows as a section."""
    result = connection.execute(text(sql), parameters)
    columns = tuple(result.keys())
    rows = tuple(
        tuple(_plain(column, cell) for column, cell in zip(columns, row, strict=True))
        for row in result
    )
    return Section(name, columns, rows, with_values(sql, parameters))


def stored(connection: Connection, name: str, sql: str, view: str, key: str = "") -> Section:
    """Return the digest of a view under a key, or the rows of `sql` if there is no digest.

    `sql` reads the same rows from the view, with the parameter `:key` if there is a key. The
    section of a genre whose digest was discarded has no rows until it is computed again.
    """
    digest = digests.read(connection, view, key)
    parameters = {"key": key} if key else {}
    if digest is None and (not key or digests.as_of(connection) is None):
        return query(connection, name, sql, **parameters)
    full_query = with_values(sql, parameters)
    if digest is None:  # there are digests, but none of this genre
        columns = tuple(views.ALL[view].columns)
        is_pending = digests.is_discarded(connection, view)
        moment = None if is_pending else digests.as_of(connection)
        return Section(name, columns, (), full_query, moment, is_pending)
    rows = tuple(map(tuple, digest.rows))
    return Section(name, tuple(digest.columns), rows, full_query, digest.as_of)


def stored_by_key(connection: Connection, view: str) -> dict[str, list[dict[str, Any]]] | None:
    """Return the digests of a view by the genres' names; None if none are stored."""
    if digests.as_of(connection) is None or digests.is_discarded(connection, view):
        return None
    rows = connection.execute(
        select(tables.digest.c.key, tables.digest.c.document).where(
            tables.digest.c.view == view, tables.digest.c.key != ""
        )
    )
    keyed = {}
    for key, text_of_rows in rows:
        document = json.loads(text_of_rows)
        keyed[key] = [dict(zip(document["columns"], row, strict=True)) for row in document["rows"]]
    return keyed


def with_values(sql: str, parameters: Mapping[str, Any]) -> str:
    """Return a query with its parameters written into it, on one line per clause."""
    return _PARAMETER.sub(lambda match: _literal(parameters[match[1]]), sql).strip()


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int | float):
        return str(value)
    quoted = str(value).replace("'", "''")
    return f"'{quoted}'"


def _plain(column: str, cell: Any) -> Any:
    """Return a cell of either database as the same Python value."""
    if cell is None:
        return None
    if isinstance(cell, Decimal):
        return float(cell)
    if column in _BOOLEANS:
        return bool(cell)
    if column in _TIMES and isinstance(cell, str):
        return datetime.fromisoformat(cell).replace(tzinfo=UTC)
    if isinstance(cell, bytes | memoryview):
        return f"({counted(len(cell), 'byte')})"
    return cell.astimezone(UTC) if isinstance(cell, datetime) else cell


def _json_cell(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds")
    if isinstance(cell, float) and not math.isfinite(cell):  # JSON has no such number
        return None
    return cell
