"""Types of settings: rates and addresses, checked when they are read."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from collector.rate import parse_rate


def _check_rate(text: str) -> str:
    parse_rate(text)
    return text


def _check_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{text!r} is not an address: write http://127.0.0.1:8765")
    return text.rstrip("/")


RateText = Annotated[str, AfterValidator(_check_rate)]
"""A rate such as 60/30s, see `collector.rate`."""

WebAddress = Annotated[str, AfterValidator(_check_address)]
"""An address of a web service, without a slash at its end."""
