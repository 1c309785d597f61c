"""Names of the people who label tracks and request jobs. Pure."""

from typing import Final

from genrebase.errors import UserError
from genrebase.store import names

MAX_LENGTH: Final = 100
"""Maximum characters of a person's name."""


class InvalidPersonName(UserError):
    """The name is too long."""


def validate(name: str) -> str:
    """Return a person's name as it is stored, empty if nothing is left of it."""
    plain = names.clean(name)
    if len(plain) > MAX_LENGTH:
        raise InvalidPersonName(
            f"The name of a person has at most {MAX_LENGTH} characters, and {plain[:20]!r}… has "
            f"{len(plain):,}: shorten it."
        )
    return plain
