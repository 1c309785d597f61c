"""Validate genre names. Pure."""

import unicodedata
from typing import Final

from collector.datasets.parsing import cells
from genrebase.errors import UserError
from genrebase.store import names

_MAX_LENGTH: Final = 100


class InvalidGenreName(UserError):
    """The name cannot be a genre."""


def validate(name: str) -> str:
    """Return `name` as it is stored and searched for; raise `InvalidGenreName` otherwise.

    The blanks around it are dropped, and its accents are composed (NFC) as those of imported
    genres; otherwise it reaches the source byte for byte.
    """
    plain = unicodedata.normalize("NFC", name).strip()
    if cells.is_missing(plain):
        raise InvalidGenreName(f"{name!r} is no genre: it means a missing value.")
    if len(plain) > _MAX_LENGTH:
        raise InvalidGenreName(
            f"{plain[:20]!r}… is no genre: a name has at most {_MAX_LENGTH} characters."
        )
    if '"' in plain:
        raise InvalidGenreName(
            f"{plain!r} cannot be searched for: a search cannot quote a double quote. "
            "Leave it out."
        )
    if not plain.isprintable() or names.clean(plain) != plain:
        raise InvalidGenreName(f"{plain!r} cannot be searched for: it holds control characters.")
    return plain
