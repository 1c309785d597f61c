"""Download one file into a receiver: one request, one deadline, a maximum size, resumed by Range.

A redirect is returned to the caller, who makes the next request within the budget; only one to the
domain of the service, and not from https to http, is accepted.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import urljoin, urlsplit

import requests

from collector.errors import AccessDenied, InvalidResponse
from collector.http import connection_errors
from collector.http.client import ErrorForResponse, error_for_response, to_collector_error
from collector.http.session import SourceSession, chunks_of, read_limited

MAX_REDIRECTS: Final = 4
"""Redirects of one download; Internet Archive's has one."""

_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-\d{1,18}/(?:\d{1,18}|\*)")


class FileReceiver(Protocol):
    """Where the bytes of a file go; an error that it raises ends the download."""

    @property
    def size(self) -> int:
        """Bytes that it has already."""

    def restart(self) -> None:
        """Drop what it has: the file comes from its beginning."""

    def write(self, chunk: bytes) -> None: ...


def follow_redirects(
    request: Callable[[str], str | None], address: str, most: int = MAX_REDIRECTS
) -> bool:
    """Request `address`, then where it redirects; return whether at most `most` redirects led on.

    `request` makes one request, within the budget; it returns the address of a redirect, None once
    it has the file.
    """
    for _ in range(most + 1):
        redirected = request(address)
        if redirected is None:
            return True
        address = redirected
    return False


def domain_of(address: str) -> str:
    """Return the host of an address, in lower case; "" where there is none."""
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_within(address: str, domain: str, *, any_port: bool = False) -> bool:
    """Return whether an address is http(s) at `domain` or a host below it, without a password.

    Without `any_port` an address that names a port is not, except on loopback.
    """
    try:
        parts = urlsplit(address)
        has_port = parts.port is not None
    except ValueError:
        return False
    host = domain_of(address)
    below = host == domain or host.endswith(f".{domain}")
    is_usual = any_port or not has_port or domain in connection_errors.LOOPBACK_HOSTS
    return parts.scheme in {"http", "https"} and below and is_usual and parts.username is None


class FileClient:
    """Requests files of one service; use it in one thread at a time."""

    def __init__(
        self,
        domain: str,
        user_agent: str,
        error_for: ErrorForResponse = error_for_response,
        *,
        any_port: bool = False,
    ) -> None:
        """Accept addresses and redirects within `domain` (`archive.org`).

        `error_for` makes the error of a response with an error status. `any_port` as in
        `is_within`: for a host of the settings.
        """
        self._domain, self._error_for, self._any_port = domain, error_for, any_port
        self._receiver: FileReceiver | None = None
        self._session = SourceSession(self._read_body)
        self._session.trust_env = domain not in connection_errors.LOOPBACK_HOSTS
        self._session.headers["User-Agent"] = user_agent

    def fetch(
        self, address: str, receiver: FileReceiver, *, timeout: float, now: datetime
    ) -> str | None:
        """Request a file; write it into `receiver`, from its size on, or return a new address.

        `timeout` are the seconds for the whole response. Raises a `CollectorError`, and whatever
        the receiver raises; what it received before stays.
        """
        if not is_within(address, self._domain, any_port=self._any_port):
            raise AccessDenied(f"The file is not at {self._domain}: {address[:200]!r}.")
        headers: Mapping[str, str] = {"Accept-Encoding": "identity"}
        if receiver.size:
            headers = {**headers, "Range": f"bytes={receiver.size}-"}
        self._receiver = receiver
        try:
            response = self._session.get(address, headers=dict(headers), timeout=timeout)
            if response.is_redirect:
                return self._redirect(address, response.headers["Location"])
            response.raise_for_status()
        except requests.RequestException as error:
            status = None if error.response is None else error.response.status_code
            if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                receiver.restart()
                raise InvalidResponse("The file is shorter than what was received.") from error
            raise to_collector_error(error, now, self._error_for) from error
        finally:
            self._receiver = None
        return None

    def _redirect(self, address: str, location: str) -> str:
        try:
            target = urljoin(address, location)
        except ValueError:
            target = ""
        is_downgrade = address.startswith("https:") and not target.startswith("https:")
        if is_downgrade or not is_within(target, self._domain, any_port=self._any_port):
            raise AccessDenied(
                f"The file is redirected to {target[:200]!r}: not followed, because it is not "
                f"at {self._domain}, or not encrypted."
            )
        return target

    def _read_body(self, response: requests.Response) -> bytes:
        receiver = self._receiver
        status = response.status_code
        if receiver is None or status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            return read_limited(response)
        begins = _first_byte(response) if status == HTTPStatus.PARTIAL_CONTENT else 0
        if begins == 0:
            receiver.restart()
        elif begins != receiver.size:
            receiver.restart()
            error = "another part of the file than the one requested"
            raise requests.exceptions.ChunkedEncodingError(error, response=response)
        for chunk in chunks_of(response):
            receiver.write(chunk)
        return b""


def _first_byte(response: requests.Response) -> int | None:
    match = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
    return int(match[1]) if match else None
