"""The OpenAPI 3.1 document of the API, made from the operations and their schemas."""

import re
from collections.abc import Iterable, Sequence
from importlib import metadata
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from web.api.operations import JSON, PREFIX, Operation, Schema
from web.problems import title_of

_REFERENCE: Final = "#/components/schemas/{model}"
_ALWAYS: Final = (400, 401, 403, 421, 422, 503)
"""Status codes that every operation may answer with."""
_PARAMETER: Final = re.compile(r"{([a-z_]+)}")
_PATH_PARAMETERS: Final = {
    "genre": "The name of a genre.",
    "model": "The id of a model.",
    "person": "Who labels the track.",
    "track": "An id that commands take: `track_id`, a Spotify id, or `source:id`.",
    "view": "The name of a view.",
}
"""The variable parts of paths, with their descriptions."""


class ProblemDocument(Schema):
    """A problem (RFC 9457): what happened, and what the client can do."""

    type: str
    status: int
    title: str
    detail: str
    errors: list[dict[str, str]] | None = None


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the document."""
    schemas = _Schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(PREFIX + one.path, {})[one.method.lower()] = _operation(one, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Genrebase",
            "version": metadata.version("genrebase"),
            "description": "Tracks, genres, models and predictions of one database.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


class _Schemas:
    """The schemas of all requests and responses."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        used: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {
            (ProblemDocument, "serialization"): None
        }
        for one in operations:
            used |= {(one.query, "validation"): None}
            if one.body is not None:
                used[one.body, "validation"] = None
            if not isinstance(one.response, str):
                used[one.response, "serialization"] = None
        schemas, definitions = models_json_schema([*used], ref_template=_REFERENCE)
        self._schemas = schemas
        self.definitions: dict[str, Any] = definitions.get("$defs", {})

    def reference(self, model: type[BaseModel], mode: JsonSchemaMode) -> dict[str, Any]:
        """Return a reference to the schema of a document."""
        return self._schemas[model, mode]

    def properties(self, model: type[BaseModel]) -> dict[str, Any]:
        """Return the schema of each parameter."""
        name = self.reference(model, "validation")["$ref"].rpartition("/")[2]
        properties: dict[str, Any] = self.definitions[name].get("properties", {})
        return properties

    def is_required(self, model: type[BaseModel], name: str) -> bool:
        """Return whether a parameter must be given."""
        return model.model_fields[name].is_required()


def _operation(one: Operation, schemas: _Schemas) -> dict[str, Any]:
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PATH_PARAMETERS[name],
            "schema": {"type": "string", "minLength": 1},
        }
        for name in _PARAMETER.findall(one.path)
    ]
    parameters += [
        {
            "name": name,
            "in": "query",
            "required": schemas.is_required(one.query, name),
            "description": schema.get("description", ""),
            "schema": _without_null(schema),
        }
        for name, schema in schemas.properties(one.query).items()
    ]
    parameters += [
        {
            "name": name,
            "in": "header",
            "required": True,
            "description": text,
            "schema": {"type": "string", "minLength": 1},
        }
        for name, text in one.request_headers.items()
    ]
    described: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "parameters": parameters,
        "responses": _responses(one, schemas),
    }
    if one.takes_body:
        schema = {} if one.body is None else schemas.reference(one.body, "validation")
        content = {one.body_media_type: {"schema": schema}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _responses(one: Operation, schemas: _Schemas) -> dict[str, Any]:
    if isinstance(one.response, str):
        content: dict[str, Any] = {one.response: {"schema": {"type": "string"}}}
    else:
        content = {JSON: {"schema": schemas.reference(one.response, "serialization")}}
    headers = {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in one.response_headers.items()
    }
    responses: dict[str, Any] = {
        str(one.status): {"description": one.summary, "headers": headers, "content": content}
    }
    problem = schemas.reference(ProblemDocument, "serialization")
    for status in sorted({*_ALWAYS, *one.problems}):
        responses[str(status)] = {
            "description": title_of(status),
            "content": {"application/problem+json": {"schema": problem}},
        }
    if 429 in one.problems:
        retry_after = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
        responses["429"]["headers"] = {"Retry-After": retry_after}
    return responses


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter, which is left out instead of being null."""
    choices = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    return choices[0] if len(choices) == 1 else schema
