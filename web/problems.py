"""Errors as problem documents (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse


def problem(status: int, title: str, detail: str, **more: Any) -> JSONResponse:
    """Return a problem document: what happened, and what the client can do."""
    document = {"type": "about:blank", "status": status, "title": title, "detail": detail, **more}
    return JSONResponse(document, status, media_type="application/problem+json")


def title_of(status: int) -> str:
    """Return the standard phrase of a status code."""
    return HTTPStatus(status).phrase
