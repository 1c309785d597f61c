"""Plain HTTP, as every source and provider needs it: own session, foreign errors translated."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

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
from genrebase.runtime.redaction import redact

_TOO_MANY: Final = 429
_DENIED: Final = (401, 403)
_GONE: Final = (404, 410)
_SERVER: Final = 500
_TIMEOUT: Final = 408
_SAID_AT_MOST: Final = 200
_FINGERPRINT: Final = 16
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def make_session(address: str) -> requests.Session:
    """Return a session without retries of its own; proxies are not asked about loopback."""
    session = requests.Session()
    session.trust_env = urlsplit(address).hostname not in _LOOPBACK
    session.headers["User-Agent"] = "genrebase"
    return session


def fingerprint(*parts: str) -> str:
    """Return what a credential and its address are known by: a hash, never the secret."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_FINGERPRINT]


def get_json(
    session: requests.Session,
    address: str,
    *,
    timeout: float,
    now: datetime,
    params: Mapping[str, str] | None = None,
) -> Any:
    """Return the JSON at `address`; raise ours for whatever goes wrong."""
    try:
        response = session.get(address, params=params, timeout=timeout)
        response.raise_for_status()
        return response.json()
    except requests.RequestException as error:
        raise to_collector_error(error, now) from error


def to_collector_error(error: requests.RequestException, now: datetime) -> CollectorError:
    """Return what an error of `requests` means to us."""
    if isinstance(error, requests.JSONDecodeError):
        return InvalidResponse(
            "The source answered with something that is not JSON, or cut it short."
        )
    if error.response is not None and isinstance(error, requests.HTTPError):
        return error_for_response(error.response, now)
    if isinstance(error, requests.Timeout):
        return SourceUnavailable("The source did not answer in time.")
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.ConnectionError):
        return SourceUnavailable(f"The source cannot be reached: {_short(str(error))}")
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return InvalidResponse("The source's answer cannot be unpacked.")
    return BadRequest(f"The request cannot be sent: {_short(str(error))}")


def error_for_response(response: requests.Response, now: datetime) -> CollectorError:
    """Return what a refusal means to us."""
    status = response.status_code
    message, reason = error_details(response)
    if status == _TOO_MANY:
        return RateLimited(parse_retry_after(response.headers.get("Retry-After"), now), reason)
    if status >= _SERVER or status == _TIMEOUT:
        return SourceUnavailable(f"The source answered with status {status}.")
    if status in _DENIED:
        return AccessDenied(f"The source refused the request (status {status}): {message}")
    if status in _GONE:
        return NotFound(f"The source has nothing at {response.url[:_SAID_AT_MOST]}: {message}")
    return BadRequest(f"The source does not understand the request (status {status}): {message}")


def error_details(response: requests.Response) -> tuple[str, str | None]:
    """Return the message and the reason of a refusal, whatever shape it has."""
    try:
        body = response.json()
    except ValueError:
        return _short(response.text) or "it did not say why", None
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return _short(str(error)), None
    message, reason = error.get("message"), error.get("reason")
    return (
        _short(message) if isinstance(message, str) and message else "it did not say why",
        reason if isinstance(reason, str) and reason else None,
    )


def parse_retry_after(header: str | None, now: datetime) -> float | None:
    """Return the seconds a Retry-After asks for: a number or a date; None for anything else."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        return _until(header, now)
    return seconds if 0 <= seconds < float("inf") else None


def _until(header: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _short(text: str) -> str:
    plain = " ".join(redact(text[: 4 * _SAID_AT_MOST]).split())
    return plain if len(plain) <= _SAID_AT_MOST else f"{plain[:_SAID_AT_MOST]}…"
