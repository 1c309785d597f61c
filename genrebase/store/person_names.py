"""Names of the people who label tracks and request jobs. Pure."""

import unicodedata
from typing import Final

from genrebase.errors import UserError
from genrebase.store import names

MAX_LENGTH: Final = 100
"""Maximum characters of a person's name."""
_CONTROLS: Final = frozenset({"Cc", "Zl", "Zp"})
"""Unicode's categories of control characters and of line and paragraph separators."""


class InvalidPersonName(UserError):
    """The name is too long, or has control characters."""


def validate(name: str) -> str:
    """Return a person's name as it is stored, empty if nothing is left of it."""
    plain = names.clean(name)
    if len(plain) > MAX_LENGTH:
        raise InvalidPersonName(
            f"The name of a person has at most {MAX_LENGTH} characters, and {plain[:20]!r}… has "
            f"{len(plain):,}: shorten it."
        )
    if any(unicodedata.category(character) in _CONTROLS for character in plain):
        raise InvalidPersonName(
            f"{plain!r} has control characters or line breaks: leave them out of the name."
        )
    return plain
