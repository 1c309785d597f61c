"""What ran, what runs, and what failed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from classifier.settings import ClassifierSettings
from genrebase.errors import GenrebaseError
from genrebase.runtime import daemons
from genrebase.store import tables
from web.page_sections import Page, Section, as_document, by_name, query
from web.pages import MAX_ROWS, PageRequest
from web.pages.source_budgets import all_sources

_RUNS = "SELECT id AS run_id, job, outcome, started_at, finished_at, counts, error FROM job_run"
_REQUESTS = """
SELECT q.id AS request_id, q.job, q.requested_at, q.requested_by, q.taken_at,
       (SELECT min(r.id) FROM job_run r
        WHERE r.job = q.job AND r.started_at >= q.taken_at) AS run_id
FROM job_request q ORDER BY q.id DESC LIMIT 5
"""
_CHAMPION = """
SELECT id AS model_id, training_config FROM model WHERE task = 'main' AND status = 'champion'
"""


def page(request: PageRequest) -> Page:
    """Return up to 100 runs, the newest first; `?job=`, `?outcome=` filter, `?before=` pages."""
    conditions: list[str] = []
    values: dict[str, str | int] = {}
    request.choice("outcome", tables.JOB_OUTCOMES)
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
    running = _daemons(request)
    requests = query(request.connection, "requests", _REQUESTS)
    chosen = request.number("request")
    requested = next((row for row in requests.records if row["request_id"] == chosen), None)
    return Page(
        "Jobs",
        "jobs.html",
        by_name(runs, requests, sources, running),
        {"job": request.query.get("job", ""), "outcome": request.query.get("outcome", ""),
         "next": runs.rows[-1][0] if len(found.rows) > MAX_ROWS else None,
         "training": _training(request.connection),
         "processes": {name: _process(running, name) for name in daemons.NAMES},
         "models": _models(request.connection, found.rows[:MAX_ROWS]),
         "requested": requested},
    )  # fmt: skip


def _training(connection: Connection) -> dict[str, Any]:
    """Return what a requested training trains, by this server's settings and the champion."""
    try:
        settings = ClassifierSettings.load()
    except GenrebaseError as error:
        return {"problem": str(error)}
    champion = query(connection, "champion", _CHAMPION).first()
    stored = None if champion is None else as_document(champion["training_config"])
    before = None if stored is None else str(stored.get("licence", "any"))
    return {
        "problem": "",
        "estimator": settings.estimator,
        "licence": settings.scheduled_licence(before),
        "champion": None if champion is None else champion["model_id"],
        "champion_licence": before,
    }


def _models(
    connection: Connection, runs: Sequence[tuple[Any, ...]]
) -> dict[int, tuple[int, str | None]]:
    """Return the model of each run that names one, and why it has its status, by run."""
    documents = ((run[0], as_document(run[-2]).get("model")) for run in runs)
    of_run = {run: model for run, model in documents if isinstance(model, int)}
    named = set(of_run.values())
    chosen = select(tables.model.c.id, tables.model.c.reason).where(tables.model.c.id.in_(named))
    reasons = {row.id: row.reason for row in connection.execute(chosen)}
    return {run: (one, reasons[one]) for run, one in of_run.items() if one in reasons}


def _daemons(request: PageRequest) -> Section:
    """Return the daemons, those without a sign of life too, with the age of their heartbeats."""
    rows = tuple(
        (one.name, one.process, one.started_at, one.alive_at, one.is_alive(request.now))
        for one in daemons.read(request.connection)
    )
    sql = "SELECT name, process, started_at, alive_at FROM daemon ORDER BY alive_at DESC"
    return Section("daemons", ("name", "process", "started_at", "alive_at", "is_alive"), rows, sql)


def _process(running: Section, name: str) -> dict[str, Any] | None:
    """Return the daemon of this name that runs, or the last one whose end is not recorded."""
    rows = [row for row in running.records if row["name"] == name]
    return next((row for row in rows if row["is_alive"]), rows[0] if rows else None)


def _readable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a run with its counts as one line of text: numbers and short texts only."""
    *first, counts, error = row
    document = as_document(counts)
    parts = [
        f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}"
        for name, value in document.items()
        if isinstance(value, int | str) and not isinstance(value, bool) and name != "process"
    ]
    return (*first, ", ".join(parts), error)
