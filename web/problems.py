"""Errors as problem documents (RFC 9457), and the status code of each kind of error.

`web.application` decides whether an error is answered by such a document or by a page.
"""

import logging
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import JSONResponse

from classifier.errors import BrokenArtifact, NoChampion
from genrebase.errors import NothingToDo, UserError
from genrebase.runtime.monitoring import first_line
from genrebase.store.errors import SchemaMismatch

MOVED: Final = 301
NOT_FOUND: Final = 404
UNPROCESSABLE: Final = 422
UNAVAILABLE: Final = 503
_log = logging.getLogger("genrebase.serve")


class NotFound(UserError):
    """There is no such page, track, genre or model."""


class Moved(UserError):
    """The track was merged into another one."""

    def __init__(self, text: str, track_id: int) -> None:
        super().__init__(f"The track {text} turned out to be the track {track_id}.")
        self.track_id = track_id


class FormRefused(UserError):
    """A form is too large, or has too many fields."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def problem(status: int, detail: str, title: str = "", **more: Any) -> JSONResponse:
    """Return a problem document: what happened (`title_of` by default), and what can be done."""
    title = title or title_of(status)
    document = {"type": "about:blank", "status": status, "title": title, "detail": detail, **more}
    return JSONResponse(document, status, media_type="application/problem+json")


def title_of(status: int) -> str:
    """Return the standard phrase of a status code."""
    return HTTPStatus(status).phrase


def status_of(error: Exception) -> int:
    """Return 404 or 422 for what the request is to blame for, and 503 for anything else."""
    if isinstance(error, FormRefused):
        return error.status
    if isinstance(error, NotFound):
        return NOT_FOUND
    is_of_server = isinstance(error, SchemaMismatch | NoChampion | BrokenArtifact)
    if isinstance(error, UserError | NothingToDo) and not is_of_server:
        return UNPROCESSABLE
    return UNAVAILABLE


def logged_status(address: str, error: Exception) -> int:
    """Return the `status_of` an error; log what no request is to blame for."""
    status = status_of(error)
    if status == UNAVAILABLE:
        _log.warning("%s: %s", address, first_line(error))
    return status
