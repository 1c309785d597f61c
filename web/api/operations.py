"""What an operation of the API is, and how its requests are checked and answered.

The same records make the routes and the OpenAPI document, so that the two cannot differ.
"""

import asyncio
import inspect
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, from_json
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from genrebase.counts import counted
from genrebase.errors import GenrebaseError, as_clause
from genrebase.runtime.clock import Clock
from genrebase.runtime.monitoring import first_line
from genrebase.store import names
from web.predictor import Overloaded, Predictor
from web.problems import MOVED, Moved, logged_status, problem

PREFIX: Final = "/api/v1"
JSON: Final = "application/json"
MAX_JSON_BYTES: Final = 4_000_000
MAX_DROPPED_BYTES: Final = 200_000_000
"""Bytes beyond the limit that are read and dropped."""
BODY_SECONDS: Final = 50.0
"""Seconds that a client has to send a body."""
_WHOLE_NUMBER: Final = re.compile(r"-?[0-9]{1,30}")

Method = Literal["GET", "POST", "PUT", "DELETE"]
_Model = TypeVar("_Model", bound=BaseModel)


class Schema(BaseModel):
    """A document that clients send or receive; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class NoParameters(Schema):
    """An operation without parameters in its address."""


class Problem(Exception):
    """A response of an error: its status code, a sentence, and more members."""

    def __init__(self, status: int, sentence: str, **more: Any) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.more = status, sentence, more


@dataclass(frozen=True, slots=True)
class ApiContext:
    """What the operations work with."""

    reader: Engine
    writer: Engine | None
    clock: Clock
    predictor: Predictor


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A request whose parameters and body were checked."""

    context: ApiContext
    request: Request
    path: Mapping[str, str]
    """The variable parts of the path."""
    query: Any
    """The parameters, as the operation's `query`."""
    body: Any = None
    """The document, as the operation's `body`."""

    def writer(self) -> Engine:
        """Return the engine that writes; raise `Problem` where the server only reads."""
        if self.context.writer is None:
            raise Problem(403, "This server only reads.")
        return self.context.writer


@dataclass(frozen=True, slots=True)
class ApiResult:
    """A document to answer with, and headers."""

    document: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


Handler = Callable[[ApiCall], Any] | Callable[[ApiCall], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: a method and a path, what it takes, and what it returns."""

    method: Method
    path: str
    """Below `PREFIX`, with `{name}` for variable parts."""
    name: str
    handle: Handler
    response: type[BaseModel] | str
    """The schema of its document, or the media type of another response."""
    query: type[BaseModel] = NoParameters
    body: type[BaseModel] | None = None
    body_media_type: str = JSON
    """The media type of the request, if it has a body."""
    request_headers: Mapping[str, str] = field(default_factory=dict)
    response_headers: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[int] = ()
    """Status codes of its errors besides those that every operation may have."""
    status: int = 200

    @property
    def summary(self) -> str:
        """What it does: the first line of its function's docstring, one sentence."""
        return (self.handle.__doc__ or "").partition("\n")[0]

    @property
    def takes_body(self) -> bool:
        """Return whether requests have a body."""
        return self.body is not None or self.body_media_type != JSON


def make_routes(operations: Sequence[Operation], context: ApiContext) -> list[Route]:
    """Return a route per path; each answers the methods of its operations."""
    by_path: dict[str, dict[str, Operation]] = {}
    for one in operations:
        by_path.setdefault(one.path, {})[one.method] = one
    return [
        Route(
            PREFIX + path.replace("{genre}", "{genre:path}"),
            _endpoint(methods, context),
            methods=sorted(methods),
        )
        for path, methods in by_path.items()
    ]


async def read_json(request: Request, schema: type[_Model]) -> _Model:
    """Return the checked document of a request; raise `Problem`."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != JSON:
        raise Problem(415, f"Send the body as {JSON} (header Content-Type).")
    body = bytearray()
    async for chunk in received(request, MAX_JSON_BYTES):
        body += chunk
    try:
        return schema.model_validate_json(bytes(body), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "json_invalid":
            raise Problem(400, f"The body is not JSON: {as_clause(first['msg'])}.") from None
        sent = from_json(bytes(body))
        raise _invalid("The body does not fit the schema.", error, sent) from None


async def received(request: Request, max_bytes: int) -> AsyncIterator[bytes]:
    """Yield the parts of a body; raise `Problem` if it is too large, or too slow.

    What follows the first `max_bytes` is read and dropped, within a limit: a client that is still
    sending when the connection is closed would not get the response.
    """
    end = asyncio.get_running_loop().time() + BODY_SECONDS
    parts, size = request.stream(), 0
    while size <= max_bytes + MAX_DROPPED_BYTES:
        try:
            async with asyncio.timeout_at(end):
                part = await anext(parts, None)
        except TimeoutError:
            raise Problem(408, f"The body did not arrive in {BODY_SECONDS:g} s.") from None
        if part is None:
            break
        size += len(part)
        if size <= max_bytes:
            yield part
    if size > max_bytes:
        raise Problem(413, f"The body is larger than {counted(max_bytes, 'byte')}.")


def as_json(value: Any) -> bytes:
    """Return a document as JSON; times with their offset, and numbers that are none as null."""
    if isinstance(value, BaseModel):
        return value.model_dump_json().encode()
    return json.dumps(value, ensure_ascii=False, default=_plain).encode("utf-8", "replace")


def _endpoint(
    methods: Mapping[str, Operation], context: ApiContext
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        operation = methods["GET" if request.method == "HEAD" else request.method]
        try:
            result = await _result(operation, context, request)
        except Problem as error:
            return problem(error.status, error.sentence, **error.more)
        except Moved as error:
            response = problem(MOVED, str(error))
            response.headers["Location"] = f"{PREFIX}/tracks/{error.track_id}"
            return response
        except Overloaded as error:
            response = problem(429, str(error))
            response.headers["Retry-After"] = str(error.retry_after)
            return response
        except (GenrebaseError, SQLAlchemyError) as error:
            return problem(logged_status(request.url.path, error), first_line(error))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody receives it
        if isinstance(result, Response):
            return result
        if not isinstance(result, ApiResult):
            result = ApiResult(result)
        return Response(as_json(result.document), result.status, dict(result.headers), JSON)

    return endpoint


async def _result(operation: Operation, context: ApiContext, request: Request) -> Any:
    path = {name: names.clean(str(value)) for name, value in request.path_params.items()}
    query = _query(request, operation.query)
    body = None if operation.body is None else await read_json(request, operation.body)
    call = ApiCall(context, request, path, query, body)
    if inspect.iscoroutinefunction(operation.handle):
        return await operation.handle(call)
    return await run_in_threadpool(operation.handle, call)


def _query(request: Request, schema: type[_Model]) -> _Model:
    pairs = request.query_params.multi_items()
    values = dict(pairs)
    if len(values) < len(pairs):
        raise Problem(422, "A parameter of the address is given more than once.")
    for name, field_ in schema.model_fields.items():
        is_number = int in (field_.annotation, *get_args(field_.annotation))
        if is_number and not _WHOLE_NUMBER.fullmatch(values.get(name, "0")):  # pydantic takes +0.0
            sentence = "Input should be a whole number"
            raise Problem(
                422,
                f"The parameters of the address do not fit. /{name}: {sentence}.",
                errors=[{"pointer": f"/{name}", "detail": sentence}],
            )
    try:
        schema.model_validate(values)  # the schema is about what was sent
        return schema.model_validate({name: names.clean(text) for name, text in values.items()})
    except ValidationError as error:
        raise _invalid("The parameters of the address do not fit.", error, values) from None


def _invalid(sentence: str, error: ValidationError, sent: Any) -> Problem:
    details = error.errors(include_url=False, include_input=False, include_context=False)
    errors = [{"pointer": _pointer(one, sent), "detail": one["msg"]} for one in details[:20]]
    place = errors[0]["pointer"] or "the document"
    return Problem(422, f"{sentence} {place}: {as_clause(errors[0]['detail'])}.", errors=errors)


def _pointer(error: ErrorDetails, sent: Any) -> str:
    """Return the place of an error in the document as a JSON pointer (RFC 6901).

    Pydantic also names which schema of several was tried: these parts are no members.
    """
    parts, value = [], sent
    for part in error["loc"]:
        is_member = isinstance(value, dict) and part in value
        if is_member or (isinstance(value, list) and isinstance(part, int)):
            parts.append(part)
            value = value[part]
    if error["type"] == "missing":
        parts.append(error["loc"][-1])
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{value!r} has no place in a document")
