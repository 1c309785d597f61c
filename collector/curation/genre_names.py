"""What may be the name of a genre. Pure."""

from typing import Final

from collector.datasets import cells
from genrebase.errors import UserError
from genrebase.store import names

_LONGEST: Final = 100


class InvalidGenreName(UserError):
    """A genre cannot have this name."""


def validate(name: str) -> str:
    """Return `name` as it is stored and asked for; raise `InvalidGenreName` where it cannot be.

    Only the blanks around are dropped: it reaches the source byte for byte.
    """
    plain = name.strip()
    if cells.is_missing(plain):
        raise InvalidGenreName(f"{name!r} is no genre: it says that there is none.")
    if len(plain) > _LONGEST:
        raise InvalidGenreName(
            f"{plain[:20]!r}… is no genre: a name has at most {_LONGEST} characters."
        )
    if '"' in plain:
        raise InvalidGenreName(
            f"{plain!r} cannot be asked for: a search cannot quote a double quote. Leave it out."
        )
    if not plain.isprintable() or names.clean(plain) != plain:
        raise InvalidGenreName(f"{plain!r} cannot be asked for: it holds control characters.")
    return plain
