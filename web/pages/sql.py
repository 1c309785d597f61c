"""The result of a person's SELECT: a table, its first two columns as bars, JSON and CSV."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from genrebase.errors import GenrebaseError
from genrebase.store import views
from web import svg
from web.documents import questions
from web.page_sections import Page, Section, by_name
from web.pages import PageRequest
from web.sql_queries import MAX_ROWS, SECONDS, SqlBusy, SqlDisabled, SqlResult

MAX_CELLS: Final = 800
"""Cells of a result that the page shows; JSON and CSV have all rows."""
MAX_BARS: Final = 50
"""Rows up to which the second column is also drawn as bars."""
MAX_VIEWS: Final = 8
"""Views of a query without rows that are searched for rows."""
_VIEW: Final = re.compile(r"\b(?:from|join)\s+(\w+)")
_STATUSES: Final = {SqlDisabled: 403, SqlBusy: 429}


def queried(
    values: Mapping[str, str], run: Callable[[str], SqlResult]
) -> SqlResult | GenrebaseError | None:
    """Return the result of the query `?q=`, or why there is none; None without a query."""
    sql = values.get("q", "").strip()
    if not sql:
        return None
    try:
        result = run(sql)
    except GenrebaseError as error:
        return error
    return result if result.rows else replace(result, empty_views=_empty_views(sql, run))


def _empty_views(sql: str, run: Callable[[str], SqlResult]) -> tuple[str, ...]:
    """Return the views that a query names and that have no rows; none if that takes too long."""
    named = sorted(views.ALL.keys() & set(_VIEW.findall(sql.lower())))[:MAX_VIEWS]
    if not named:
        return ()
    selects = [
        f"SELECT '{name}' AS name WHERE NOT EXISTS (SELECT 1 FROM {name})" for name in named
    ]
    try:
        return tuple(str(row[0]) for row in run(" UNION ALL ".join(selects)).rows)
    except GenrebaseError:
        return ()


def page(request: PageRequest) -> Page:
    """Return the form and the result of the query."""
    result = request.queried
    problem, status = "", 200
    if isinstance(result, GenrebaseError):
        problem, status = str(result), _STATUSES.get(type(result), 422)
        result = None
    columns = _distinct(result.columns) if result else ()
    rows = tuple(map(tuple, result.rows)) if result else ()
    has_more = result is not None and result.has_more
    sql = request.query.get("q", "").strip()
    return Page(
        "SQL",
        "sql.html",
        by_name(
            Section("result", columns, rows, sql),
            Section("limits", ("rows", "has_more"), ((len(rows), has_more),) if result else ()),
        ),
        {
            "sql": sql,
            "problem": problem,
            "has_result": result is not None,
            "has_more": has_more,
            "empty_views": [views.ALL[name] for name in result.empty_views] if result else [],
            "shown": max(5, MAX_CELLS // max(len(columns), 1)),
            "chart": _bars(rows),
            "examples": questions(),
            "max_rows": MAX_ROWS,
            "seconds": SECONDS,
        },
        status,
    )


def _distinct(columns: Any) -> tuple[str, ...]:
    """Return the columns' names; of equal names all but the first get a number."""
    seen: dict[str, int] = {}
    names = []
    for column in columns:
        seen[column] = seen.get(column, 0) + 1
        names.append(column if seen[column] == 1 else f"{column}_{seen[column]}")
    return tuple(names)


def _bars(rows: tuple[tuple[Any, ...], ...]) -> list[Any]:
    """Return a bar per row for the second column, if all of it are numbers from 0 up."""
    values = [row[1] for row in rows if len(row) > 1]
    is_drawn = 1 < len(values) <= MAX_BARS and all(
        isinstance(value, int | float) and value >= 0 for value in values
    )
    largest = max(values, default=0) if is_drawn else 0
    return [svg.probability(value / largest, "p-ans") for value in values] if largest else []
