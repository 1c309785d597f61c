"""Deterministic ids hashed from text: equal text, equal id, on every machine. Pure."""

import hashlib
import re
import uuid
from functools import lru_cache
from typing import Final

ID_LENGTH: Final = 22
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID: Final = re.compile(rf"[0-9A-Za-z]{{{ID_LENGTH}}}")
_YEARS: Final = (1950, 2026)
_UUID_NAMESPACE: Final = uuid.UUID("6f0d9a52-6b0e-5d43-9c0e-3b1f2f5a7c11")
"""Of ReccoBeats' ids: any constant would do."""


def is_id(text: str) -> bool:
    """Return whether `text` has the form of a Spotify id."""
    return _ID.fullmatch(text) is not None


@lru_cache(maxsize=131_072)
def id_from_text(text: str) -> str:
    """Return an id of 22 base-62 characters for `text`."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
    digits = []
    for _ in range(ID_LENGTH):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(digits)


@lru_cache(maxsize=131_072)
def year_from_id(text: str) -> int:
    """Return a year from 1950 to 2026 for the id `text`."""
    first, last = _YEARS
    digest = hashlib.sha256(b"year|" + text.encode()).digest()
    return first + int.from_bytes(digest[:8], "big") % (last - first + 1)


def uuid_from_text(text: str) -> str:
    return str(uuid.uuid5(_UUID_NAMESPACE, text))


def draws_from_text(text: str, size: int = 32) -> bytes:
    """Return random bytes for `text`: equal text, equal bytes."""
    return hashlib.blake2b(text.encode(), digest_size=size).digest()


def share_from_bytes(draws: bytes, at: int) -> float:
    """Return a number from 0 up to 1 that is not 1, from the two bytes at `at`."""
    return int.from_bytes(draws[at : at + 2], "big") / 65_536
