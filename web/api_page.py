"""The documentation of the API: a table of its operations, from its OpenAPI document."""

from typing import Any, Final

from web.api import openapi
from web.api.routes import ALL
from web.pages import PageRequest
from web.sections import Page, Section, by_name

_COLUMNS: Final = ("method", "path", "summary", "parameters", "body")


def page(_request: PageRequest) -> Page:
    """Return the operations of the API."""
    document = openapi.document(ALL)
    rows = tuple(
        _row(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict)
    )
    section = Section("operations", _COLUMNS, rows)
    return Page("API", "api.html", by_name(section))


def _row(method: str, path: str, operation: dict[str, Any]) -> tuple[str, str, str, str, str]:
    parameters = [
        f"{one['name']} (required)" if one.get("required") else one["name"]
        for one in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {})
    return method.upper(), path, operation["summary"], ", ".join(parameters), ", ".join(body)
