"""The documentation of the API: a table of its operations, from its OpenAPI document."""

from typing import Any, Final

from web import documents
from web.api import openapi
from web.api.routes import ALL
from web.page_sections import Page, Section, by_name
from web.pages import PageRequest

_COLUMNS: Final = ("method", "path", "summary", "parameters", "body", "fields")


def page(_request: PageRequest) -> Page:
    """Return the operations of the API."""
    document = openapi.document(ALL)
    rows = tuple(
        _row(method, path, operation, document["components"]["schemas"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict)
    )
    section = Section("operations", _COLUMNS, rows)
    examples = Section("examples", ("path", "command"), tuple(documents.posted_examples().items()))
    return Page("API", "api.html", by_name(section, examples))


def _row(
    method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]
) -> tuple[str, str, str, str, str, str]:
    parameters = [
        f"{one['name']} (required)" if one.get("required") else one["name"]
        for one in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {})
    fields = [_fields(one["schema"], schemas) for one in body.values()]
    return (
        method.upper(), path, operation["summary"], ", ".join(parameters), ", ".join(body),
        "; ".join(filter(None, fields)),
    )  # fmt: skip


def _fields(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Return the fields of a document, with those of the documents in its lists."""
    described = _resolved(schema, schemas)
    names = []
    for name, field in described.get("properties", {}).items():
        text = f"{name} (required)" if name in described.get("required", ()) else name
        choices = field.get("items", {}).get("oneOf", field.get("anyOf", ()))
        inner = [_fields(one, schemas) for one in choices if "$ref" in one]
        names.append(f"{text}: {{{'} or {'.join(inner)}}}" if inner else text)
    return ", ".join(names)


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = schemas[reference] if reference else schema
    return found
