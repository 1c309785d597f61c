"""Redact secrets from text before it is logged, stored or printed: by pattern and by value."""

import re
from collections import OrderedDict
from typing import Final

REDACTED: Final = "***"
MIN_SECRET_LENGTH: Final = 12
"""Minimum length of a redacted value: a shorter one may be an ordinary word."""
_MAX_SECRETS: Final = 64
"""Maximum of stored values; access tokens change every hour."""

_secrets: Final[OrderedDict[str, None]] = OrderedDict()

_KEYWORDS: Final = (
    r"access_token|refresh_token|client_secret|client_id|api_key|apikey|password|passwd|secret"
)
_PATTERNS: Final = (
    # Authorization: Bearer …, Authorization: Basic …
    (re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{16,}"), rf"\1\2{REDACTED}"),
    # scheme://user:password@host; the password may itself hold an @
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/]+@"), rf"\1:{REDACTED}@"),
    # client_secret=…, "access_token": "…", SPOTIPY_CLIENT_SECRET='…'
    (
        re.compile(
            rf"(?i)((?:{_KEYWORDS})[\"']?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s\"'&,;}}\])]+)"
        ),
        rf"\1{REDACTED}",
    ),
)
_SECRET_KEY: Final = re.compile(rf"(?i)(?:{_KEYWORDS}|authorization|^token$)")


def hide(secret: str) -> None:
    """Redact this value from now on, wherever it occurs, such as in a server's message."""
    if len(secret) >= MIN_SECRET_LENGTH:
        _secrets[secret] = None
        _secrets.move_to_end(secret)
        while len(_secrets) > _MAX_SECRETS:
            _secrets.popitem(last=False)


def redact_values(text: str) -> str:
    """Return `text` without the values that `hide` was given; quick for long texts, too."""
    for secret in tuple(_secrets):
        text = text.replace(secret, REDACTED)
    return text


def redact(text: str) -> str:
    """Return `text` without hidden values, bearer tokens, client secrets and passwords in URLs."""
    text = redact_values(text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact_value(key: str, value: object) -> object:
    """Return `value` as it may be logged under `key`: replaced, redacted, or unchanged."""
    if _SECRET_KEY.search(key) and value:
        return REDACTED
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: redact_value(str(name), item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact_value("", item) for item in value]
    if isinstance(value, bool | int | float) or value is None:
        return value
    return redact(str(value))
