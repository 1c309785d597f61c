"""Sentences on connections that failed: the address, the reason and what to do; no internals."""

import socket
import ssl
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NameResolutionError

from genrebase.runtime.redaction import redact

LOOPBACK_HOSTS: Final = ("localhost", "127.0.0.1", "::1")
_CHECK: Final = "Check the network, or the proxy in HTTPS_PROXY."


def describe(address: str, error: BaseException) -> str:
    """Return a sentence on the error of a connection to the host of a URL."""
    where, causes = origin(address), list(_causes(error))
    if any(isinstance(cause, requests.exceptions.ProxyError) for cause in causes):
        return f"{where} cannot be reached: the proxy refuses, or is not there. Check HTTPS_PROXY."
    refused = any(isinstance(cause, ConnectionRefusedError) for cause in causes)
    if refused and urlsplit(address).hostname in LOOPBACK_HOSTS:
        return (
            f"Nothing answers at {where}: is the sandbox running? Start it with "
            f"`collector sandbox --port {urlsplit(address).port or 80}`."
        )
    return f"{where} cannot be reached: {_reason(causes)}. {_CHECK}"


def describe_timeout(address: str, seconds: float) -> str:
    """Return a sentence on a host that did not respond within `seconds`."""
    return f"{origin(address)} cannot be reached: no response within {seconds:g} s. {_CHECK}"


def describe_broken_body(address: str, error: requests.exceptions.ChunkedEncodingError) -> str:
    """Return a sentence on a response whose body broke off, or is not what was requested."""
    where = origin(address)
    if error.args and isinstance(error.args[0], str):  # ours, without another error behind it
        return f"The response of {where} cannot be used: {error}."
    return f"{where} closed the connection in the middle of its response."


def origin(address: str) -> str:
    """Return scheme, host and port of a URL, without a password."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return redact(f"{parts.scheme}://{host}") if host else "The source"


def _reason(causes: list[BaseException]) -> str:
    for cause in causes:
        if isinstance(cause, socket.gaierror | NameResolutionError):
            return "its name cannot be resolved"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not valid ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return "no encrypted connection could be made"
        if isinstance(cause, TimeoutError):
            return "no response in time"
        if isinstance(cause, ConnectionError):
            return "it closed the connection"
    reasons = [cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror]
    return reasons[-1] if reasons else "the connection broke"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and those behind it: `requests` and urllib3 pack one into the other."""
    pending, seen = [error], set[int]()
    while pending:
        cause = pending.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = [getattr(cause, "reason", None), cause.__cause__, cause.__context__, *cause.args]
        pending += [item for item in inner if isinstance(item, BaseException)]
