"""HTTP client of all sources and providers: JSON requests, translation of errors."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, TypeVar

import requests

from collector.errors import (
    AccessDenied,
    BadRequest,
    CollectorError,
    InvalidResponse,
    NotFound,
    RateLimited,
    SourceUnavailable,
)
from collector.http import connection_errors
from collector.http.backoff import OVERLOADED, parse_retry_after
from collector.http.session import MAX_BYTES, USER_AGENT, ResponseTooLarge, make_session
from genrebase.runtime.clock import Clock
from genrebase.runtime.redaction import redact, redact_values

ErrorForResponse = Callable[[requests.Response, datetime], CollectorError]
"""Makes the error of a response with an error status, received at a moment."""

T = TypeVar("T")

_MAX_MESSAGE: Final = 200
_FINGERPRINT_LENGTH: Final = 16
_NO_MESSAGE: Final = "it did not say why"


def fingerprint(*parts: str) -> str:
    """Return a hash that identifies a credential and its address without the secret."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_FINGERPRINT_LENGTH]


def to_collector_error(
    error: requests.RequestException,
    now: datetime,
    error_for: ErrorForResponse | None = None,
) -> CollectorError:
    """Translate an error of `requests`; `error_for` as in `ServiceClient`."""
    if isinstance(error, requests.JSONDecodeError):
        return InvalidResponse("The source's response is not JSON, or was cut short.")
    if error.response is not None and isinstance(error, requests.HTTPError):
        return (error_for or error_for_response)(error.response, now)
    if isinstance(error, requests.Timeout):
        return SourceUnavailable("The source did not respond in time.")
    address = (error.request and error.request.url) or ""
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return SourceUnavailable(connection_errors.describe_broken_body(address, error))
    if isinstance(error, requests.ConnectionError):
        return SourceUnavailable(connection_errors.describe(address, error))
    if isinstance(error, ResponseTooLarge):
        return InvalidResponse(f"The source's response is longer than {MAX_BYTES >> 20} MiB.")
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return InvalidResponse("The source's response cannot be decompressed.")
    return BadRequest(f"The request cannot be sent: {_shorten(str(error))}")


def error_for_response(response: requests.Response, now: datetime) -> CollectorError:
    """Return the error for a response with an error status."""
    status = response.status_code
    message, reason = error_details(response)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(parse_retry_after(response.headers.get("Retry-After"), now), reason)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return SourceUnavailable(f"The source responded with status {status}.")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return AccessDenied(f"The source refused the request (status {status}): {message}")
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return NotFound(f"The source has nothing at {_shorten(response.url)}: {message}")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return BadRequest(
            f"The source redirects to {_shorten(response.headers.get('Location', 'nowhere'))}: "
            "redirects are not followed. Check the address in the settings."
        )
    return BadRequest(f"The source does not understand the request (status {status}): {message}")


def error_with_503_as_limit(response: requests.Response, now: datetime) -> CollectorError:
    """Return the error for a response with an error status; 503 is a rate limit, too."""
    if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        seconds = parse_retry_after(response.headers.get("Retry-After"), now)
        return RateLimited(seconds, OVERLOADED)
    return error_for_response(response, now)


def error_details(response: requests.Response) -> tuple[str, str | None]:
    """Return message and reason of an error response of any shape."""
    try:
        body = response.json()
    except ValueError:
        return _shorten(response.text) or _NO_MESSAGE, None
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return _shorten(str(error)), None
    message, reason = error.get("message"), error.get("reason")
    return (
        _shorten(message) if isinstance(message, str) and message else _NO_MESSAGE,
        _shorten(reason) if isinstance(reason, str) and reason else None,
    )


class ServiceClient:
    """Sends requests to one service; use it in one thread at a time."""

    def __init__(
        self,
        address: str,
        clock: Clock,
        timeout: float,
        user_agent: str = USER_AGENT,
        error_for: ErrorForResponse = error_for_response,
    ) -> None:
        """Send requests to `address` and below; makes none yet.

        `error_for` makes the error of a response with an error status.
        """
        self._address, self._clock, self._timeout = address, clock, timeout
        self._error_for = error_for
        self._session = make_session(address, user_agent)

    def get_json(self, path: str = "", **params: str) -> Any:
        """Return the JSON at a path below the address; raise a `CollectorError` if that fails."""
        return self._get(path, params, lambda response: response.json())

    def _get(
        self, path: str, params: Mapping[str, str], read: Callable[[requests.Response], T]
    ) -> T:
        try:
            response = self._session.get(
                f"{self._address}{path}", params=params, timeout=self._timeout
            )
            response.raise_for_status()
            return read(response)
        except requests.RequestException as error:
            raise to_collector_error(error, self._clock.now(), self._error_for) from error
        except ValueError as error:  # Python converts no integer of thousands of digits
            raise InvalidResponse("The source's response has too long a number.") from error


def list_in(document: Any, name: str, owner: str) -> list[Any]:
    """Return a list of a JSON document; raise `InvalidResponse` if it has none.

    `owner` is whose response it is, for the message: `Spotify's`.
    """
    values = document.get(name) if isinstance(document, dict) else None
    if not isinstance(values, list):
        raise InvalidResponse(f"{owner} response has no list of {name!r}.")
    return values


def _shorten(text: str) -> str:
    """Return text of a source as one short line that is safe to store, log and print."""
    start = redact_values(text)[: 4 * _MAX_MESSAGE]  # first: a cut secret is not recognised
    printable = "".join(c if c.isprintable() else " " for c in start)
    plain = " ".join(redact(printable).split())
    return plain if len(plain) <= _MAX_MESSAGE else f"{plain[:_MAX_MESSAGE]}…"
