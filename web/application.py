"""The web application: routes, pages, and each page as JSON and as CSV."""

import json
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from collector.datasets.parsing.genre_names import MAX_IMPORTED_LENGTH
from genrebase.errors import GenrebaseError
from genrebase.runtime.clock import Clock
from genrebase.runtime.monitoring import first_line
from genrebase.store import names, person_names
from genrebase.store.engine import read_transaction
from web import api_page, blind_labels, template_filters
from web.api.operations import ApiContext, make_routes
from web.api.routes import ALL
from web.forms import address_parameters, read_form
from web.job_routes import job_routes
from web.label_routes import (
    CHOSEN,
    SESSION_COOKIE,
    LabelProblem,
    LabelRoutes,
    label_choices,
    person_of,
)
from web.labelling_sessions import LabellingSessions
from web.page_sections import Page, query
from web.pages import (
    PageRequest,
    disputes,
    documentation,
    genres,
    jobs,
    map_page,
    model_comparison,
    models,
    overview,
    predict,
    search,
    sql,
    track,
    why,
)
from web.predictor import Predictor
from web.problems import (
    MOVED,
    FormRefused,
    Moved,
    logged_status,
    problem,
    title_of,
)
from web.security import COOKIE, Access, Guard
from web.sql_queries import SqlDisabled, SqlQueries, SqlResult

_FOLDER: Final = Path(__file__).parent
_MAX_FORM_BYTES: Final = 4_096
OK: Final = 200
_log = logging.getLogger("genrebase.serve")

MakePage = Callable[[PageRequest], Page]

PAGES: Final[Mapping[str, tuple[MakePage, Collection[str]]]] = {
    "/genres": (genres.list_page, ("q", "sort")),
    "/genres/{genre:path}": (genres.genre_page, ()),
    "/map": (map_page.page, ("x", "y", "genre")),
    "/tracks/{track:path}": (track.page, ("disputes", "blind", "why", *CHOSEN)),
    "/search": (search.page, ("q", "after")),
    "/disputes": (disputes.page, CHOSEN),
    "/models": (models.list_page, ()),
    "/models/compare": (model_comparison.page, ("a", "b")),
    "/models/{model}": (models.model_page, ()),
    "/predict": (predict.page, predict.INPUTS),
    "/jobs": (jobs.page, ("job", "outcome", "before", "request")),
    "/sql": (sql.page, ("q",)),
    "/docs/views": (documentation.views_page, ()),
    "/docs/views/{view}": (documentation.view_page, ()),
    "/docs/metrics": (documentation.metrics_page, ()),
    "/docs/glossary": (documentation.glossary_page, ()),
    "/docs/api": (api_page.page, ()),
    "/overview": (overview.page, ()),
}
"""Each page by its path, with its parameters; `/` is the overview."""

_PROBLEM: Final = "genrebase.label_problem"
"""Key of a request's scope: why its label was not stored."""
_ORIGIN: Final = "SELECT kind, detail FROM catalogue_origin"


@dataclass(frozen=True)
class Site:
    """What all pages share."""

    engine: Engine
    clock: Clock
    access: Access
    database: str
    """The database's name, as the pages show it."""
    writer: Engine | None = None
    """For labels; None: the pages can only be read."""
    labels: LabellingSessions = field(default_factory=LabellingSessions)
    sql: SqlQueries | None = None
    """Runs people's SQL; None: nobody's."""
    command_prefix: str = ""
    """What the pages write before a command, so that a shell runs it on this database."""

    predictor: Predictor = field(init=False)
    """Its model is loaded by the first prediction."""

    def __post_init__(self) -> None:
        """Create the predictor."""
        object.__setattr__(self, "predictor", Predictor(self.engine))

    def run_sql(self, query_text: str) -> SqlResult:
        """Run one SELECT; raise `SqlRefused`, `SqlBusy` or `SqlDisabled`."""
        if self.sql is None:
            raise SqlDisabled("This server runs no SQL: SERVE_SQL=true lets it.")
        return self.sql.run(query_text)


def application(site: Site) -> ASGIApp:
    """Return the ASGI application with its guard."""
    templates = environment(site.command_prefix)
    show_message = partial(_message, templates)

    def as_html(request: Request, page: Page, frame: dict[str, Any]) -> Response:
        values = {**page.sections, **frame, **page.facts, **_labels(site, request, page)}
        html = templates.get_template(page.template).render({"page": page, **values})
        return HTMLResponse(html, page.status)

    routes = [Route("/", _endpoint(site, PAGES["/overview"], as_html, show_message))]
    if site.writer is not None:
        show_page = _endpoint(site, PAGES["/tracks/{track:path}"], as_html, show_message)

        def show_track(request: Request, label_problem: LabelProblem) -> Response:
            number = label_problem.track_id
            scope = {
                **request.scope,
                "path": f"/tracks/{number}",
                "path_params": {"track": str(number)},
                "query_string": template_filters.parameters(label_problem.parameters).encode(),
                _PROBLEM: label_problem,
            }
            response = show_page(Request(scope))
            if response.status_code != OK:  # there is no such track, or no database
                return show_message(label_problem.status, label_problem.sentence)
            response.status_code = label_problem.status
            return response

        labels = LabelRoutes(
            site.engine, site.writer, site.clock, site.labels, show_message, show_track
        )
        routes += labels.routes()
        routes += job_routes(site.writer, site.clock, show_message)
    context = ApiContext(site.engine, site.writer, site.clock, site.predictor)
    routes += make_routes(ALL, context)
    for path, (make_page, parameters) in PAGES.items():
        page = make_page, (*parameters, "section")
        for end in (".json", ".csv"):
            endpoint = _endpoint(site, page, partial(_as_data, end), problem, end)
            routes.append(Route(path + end, endpoint))
        routes.append(Route(path, _endpoint(site, PAGES[path], as_html, show_message)))
    routes.append(Route("/login", _login(site, templates), methods=["GET", "POST"]))
    routes.append(Route("/docs", _to_documentation))
    routes.append(Route("/favicon.ico", _no_icon))
    static = StaticFiles(directory=_FOLDER / "static")
    app = Starlette(
        routes=[*routes, Mount("/static", static)],
        exception_handlers={404: _not_found(templates), 405: _not_allowed, Exception: _failed},
    )
    return Guard(app, site.access)


def environment(command_prefix: str = "") -> Environment:
    """Return the templates; they escape everything, and an unknown name is an error.

    `command_prefix` is written before every command.
    """
    templates = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(template_filters.FILTERS)
    templates.filters["sentence"] = template_filters.sentences(command_prefix)
    templates.globals["command_prefix"] = command_prefix
    return templates


def _page_of(
    site: Site, request: Request, make_page: MakePage, parameters: Collection[str]
) -> tuple[Page, dict[str, Any]]:
    """Return a page, and what the frame of all pages shows."""
    started, now = perf_counter(), site.clock.now()
    path = {name: names.clean(str(value)) for name, value in request.path_params.items()}
    values = address_parameters(request.query_params.multi_items(), parameters)
    predicted = None
    if make_page is predict.page:  # it may wait, and must not hold a connection meanwhile
        predicted = predict.predicted(values, site.predictor.predict)
    explained = None
    if make_page is track.page and values.get("why"):
        explained = why.explained(path["track"], site.predictor.explain)
    queried = sql.queried(values, site.run_sql) if make_page is sql.page else None
    with read_transaction(site.engine) as connection:
        page = make_page(PageRequest(connection, now, path, values, predicted, queried, explained))
        origin = query(connection, "origin", _ORIGIN).first()
    frame = {
        "as_of": min((one.as_of for one in page.sections.values() if one.as_of), default=now),
        "now": now,
        "milliseconds": round(1000 * (perf_counter() - started)),
        "database": site.database,
        "engine": {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[site.engine.dialect.name],
        "origin": origin,
        # PostgreSQL's role of readers may not read the tables that some of the queries name
        "links_sql": site.sql is not None and site.engine.dialect.name == "sqlite",
        "can_write": site.writer is not None,
        "path": request.url.path.rstrip("/") or "/overview",
        "search": f"?{request.url.query}" if request.url.query else "",
    }
    return page, frame


def _endpoint(
    site: Site,
    page_of_path: tuple[MakePage, Collection[str]],
    answer: Callable[[Request, Page, dict[str, Any]], Response],
    refuse: Callable[[int, str], Response],
    suffix: str = "",
) -> Callable[[Request], Response]:
    """Return the endpoint of a page with its parameters, or of its version with this suffix.

    `answer` makes the response of the page and its frame, `refuse` of a status and a sentence.
    """

    def endpoint(request: Request) -> Response:
        try:
            page, frame = _page_of(site, request, *page_of_path)
        except Moved as error:  # it leads to the track that a merged one became
            parameters = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"/tracks/{error.track_id}{suffix}{parameters}", MOVED)
        except (GenrebaseError, SQLAlchemyError) as error:
            return refuse(logged_status(request.url.path, error), first_line(error))
        return answer(request, page, frame)

    return endpoint


def _labels(site: Site, request: Request, page: Page) -> dict[str, Any]:
    """Return what the form for labels on the page of a track shows."""
    if page.template not in {"track.html", "track_hidden.html"}:
        return {}
    track_row, genre_names = page.facts["track"], page.facts["genre_names"]
    choices = label_choices(track_row, page.sections["predictions"].records)
    if page.facts["hidden"]:
        choices = blind_labels.choices(genre_names, choices, track_row["track_id"])
    session = request.cookies.get(SESSION_COOKIE, "")
    chosen = request.query_params
    refused: LabelProblem | None = request.scope.get(_PROBLEM)
    person = person_of(request.cookies)
    return {
        "can_label": site.writer is not None,
        "longest": {"person": person_names.MAX_LENGTH, "genre": MAX_IMPORTED_LENGTH},
        "person": person,
        "by": (refused.by if refused else "") or person,
        "other": refused.other if refused else "",
        "label_problem": refused.sentence if refused else "",
        "choices": choices,
        "in_disputes": bool(chosen.get("disputes")),
        "filters": {name: chosen.get(name, "") for name in CHOSEN},
        "decisions": site.labels.latest(session) if session else [],
    }


def _as_data(suffix: str, request: Request, page: Page, frame: Mapping[str, Any]) -> Response:
    """Return a page as JSON or CSV: all its sections (CSV: the first), or `?section=`."""
    if page.status != OK:
        return problem(page.status, page.facts["problem"])
    chosen = request.query_params.get("section")
    if chosen is not None and chosen not in page.sections:
        return problem(404, f"There is no section {chosen!r}: {', '.join(page.sections)}.")
    sections = {chosen: page.sections[chosen]} if chosen else page.sections
    if suffix == ".csv":
        return Response(next(iter(sections.values())).as_csv(), media_type="text/csv")
    document = {
        "page": page.title,
        "as_of": frame["as_of"].isoformat(timespec="seconds"),
        "sections": {name: section.as_json() for name, section in sections.items()},
    }
    return Response(json.dumps(document, ensure_ascii=False), media_type="application/json")


def _login(site: Site, templates: Environment) -> Callable[[Request], Any]:
    async def login(request: Request) -> Response:
        if request.method == "GET":
            return HTMLResponse(templates.get_template("login.html").render(wrong=False))
        try:
            fields = await read_form(request, _MAX_FORM_BYTES)
        except FormRefused as error:
            return problem(error.status, str(error))
        if not site.access.is_token(fields.get("token", "")):
            return HTMLResponse(templates.get_template("login.html").render(wrong=True), 401)
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(COOKIE, site.access.new_session(), httponly=True, samesite="strict")
        return response

    return login


def _to_documentation(_request: Request) -> Response:
    return RedirectResponse("/docs/views", MOVED)


def _no_icon(_request: Request) -> Response:
    """Answer what browsers ask for beside a page without a `<link rel="icon">`: there is none."""
    return Response(status_code=204, headers={"Cache-Control": "max-age=86400"})


def _message(templates: Environment, status: int, sentence: str) -> HTMLResponse:
    template = templates.get_template("message.html")
    return HTMLResponse(template.render(title=title_of(status), sentence=sentence), status)


def _not_found(templates: Environment) -> Callable[[Request, Exception], Response]:
    def handler(request: Request, _error: Exception) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return _message(templates, 404, "There is no such page.")
        return problem(404, "There is no such page.")

    return handler


def _not_allowed(_request: Request, error: Exception) -> Response:
    response = problem(405, "Use one of the methods of the header Allow.")
    response.headers.update(getattr(error, "headers", None) or {})
    return response


def _failed(request: Request, error: Exception) -> Response:
    _log.error("%s failed: %s", request.url.path, type(error).__name__, exc_info=error)
    return PlainTextResponse("The page could not be made; the server's log says why.\n", 500)
