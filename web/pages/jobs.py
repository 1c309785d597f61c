"""What ran, what runs, and what failed."""

import json
from typing import Any

from web.pages import MAX_ROWS, PageRequest
from web.pages.source_budgets import all_sources
from web.sections import Page, Section, by_name, query

_RUNS = "SELECT id AS run_id, job, outcome, started_at, finished_at, counts, error FROM job_run"
_REQUESTS = """
SELECT id AS request_id, job, requested_at, requested_by, taken_at
FROM job_request ORDER BY id DESC LIMIT 5
"""


def page(request: PageRequest) -> Page:
    """Return up to 100 runs, the newest first; `?job=`, `?outcome=` filter, `?before=` pages."""
    conditions: list[str] = []
    values: dict[str, str | int] = {}
    for name in ("job", "outcome"):
        if request.query.get(name):
            conditions.append(f"{name} = :{name}")
            values[name] = request.query[name]
    before = request.number("before")
    if before:
        conditions.append("id < :before")
        values["before"] = before
    where = f"\nWHERE {' AND '.join(conditions)}" if conditions else ""
    sql = f"{_RUNS}{where}\nORDER BY id DESC LIMIT {MAX_ROWS + 1}"
    found = query(request.connection, "runs", sql, **values)
    runs = Section("runs", found.columns, tuple(map(_readable, found.rows[:MAX_ROWS])), found.sql)
    sources = all_sources(request.connection)
    requests = query(request.connection, "requests", _REQUESTS)
    return Page(
        "Jobs",
        "jobs.html",
        by_name(runs, requests, sources),
        {"job": request.query.get("job", ""), "outcome": request.query.get("outcome", ""),
         "next": runs.rows[-1][0] if len(found.rows) > MAX_ROWS else None},
    )  # fmt: skip


def _readable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a run with its counts as one line of text: numbers and short texts only."""
    *first, counts, error = row
    document = json.loads(counts) if isinstance(counts, str) else counts or {}
    parts = [
        f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}"
        for name, value in document.items()
        if isinstance(value, int | str) and not isinstance(value, bool) and name != "process"
    ]
    return (*first, ", ".join(parts), error)
