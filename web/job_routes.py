"""Requests for jobs by a button: the same that the API stores, and a daemon takes up."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from genrebase.errors import GenrebaseError
from genrebase.runtime import job_requests
from genrebase.runtime.clock import Clock
from genrebase.runtime.monitoring import first_line
from genrebase.store import names, tables
from web.forms import read_form
from web.label_routes import person_of
from web.problems import UNAVAILABLE, NotFound, status_of

_MAX_FORM_BYTES: Final = 4_096
_log = logging.getLogger("genrebase.serve")


@dataclass(frozen=True)
class JobRoutes:
    """The route that stores requests for jobs."""

    writer: Engine
    clock: Clock
    show_message: Callable[[int, str], Response]
    """Makes a page of a status code and a sentence."""

    def routes(self) -> list[Route]:
        """Return the routes; they come before the pages'."""
        return [Route("/jobs/request", self.request_job, methods=["POST"])]

    async def request_job(self, request: Request) -> Response:
        """Store a request for the job of the form, and lead back to the page."""
        try:
            job = (await read_form(request, _MAX_FORM_BYTES)).get("job", "")
            if job not in tables.REQUESTED_JOBS:
                wanted = " or ".join(tables.REQUESTED_JOBS)
                raise NotFound(f"There is no job {job[:50]!r} to request, only {wanted}.")
            by = names.clean(person_of(request.cookies)) or None
            stored = await run_in_threadpool(job_requests.add, self.writer, self.clock, job, by)
        except (GenrebaseError, SQLAlchemyError) as error:
            status = status_of(error)
            if status == UNAVAILABLE:
                _log.warning("%s: %s", request.url.path, first_line(error))
            return self.show_message(status, first_line(error))
        return RedirectResponse(f"/jobs?request={stored.id}#requests", 303)
