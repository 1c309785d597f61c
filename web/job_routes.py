"""Requests for jobs by a button: the same that the API stores, and a daemon takes up."""

from collections.abc import Callable
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
from genrebase.store import tables
from web.forms import read_form
from web.label_routes import person_of
from web.problems import NotFound, logged_status

_MAX_FORM_BYTES: Final = 4_096


def job_routes(
    writer: Engine, clock: Clock, show_message: Callable[[int, str], Response]
) -> list[Route]:
    """Return the route that stores requests for jobs; it comes before the pages'.

    `show_message` makes a page of a status code and a sentence.
    """

    async def request_job(request: Request) -> Response:
        """Store a request for the job of the form, and lead back to the page."""
        try:
            job = (await read_form(request, _MAX_FORM_BYTES)).get("job", "")
            if job not in tables.REQUESTED_JOBS:
                wanted = " or ".join(tables.REQUESTED_JOBS)
                raise NotFound(f"There is no job {job[:50]!r} to request, only {wanted}.")
            by = person_of(request.cookies)
            stored = await run_in_threadpool(job_requests.add, writer, clock, job, by)
        except (GenrebaseError, SQLAlchemyError) as error:
            return show_message(logged_status(request.url.path, error), first_line(error))
        return RedirectResponse(f"/jobs?request={stored.id}#requests", 303)

    return [Route("/jobs/request", request_job, methods=["POST"])]
