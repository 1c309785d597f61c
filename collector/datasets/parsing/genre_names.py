"""Genre names: how they are stored and compared, and which a person may give. Pure.

`hip-hop` and `hip hop` are two names, which are reported as similar. `genre_cells` splits a cell
into several names.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from collector.datasets.parsing import cells
from genrebase.errors import UserError
from genrebase.store import names

MAX_IMPORTED_LENGTH: Final = 400
"""Maximum characters of a name that an import stores."""
_PLACEHOLDERS: Final = frozenset(
    {"unknown", "unknown genre", "unclassified", "uncategorized", "uncategorised", "unspecified"}
    | {"not specified", "no genre", "untagged", "not available", "empty_field", "0"}
    | {"n.a.", "n. a.", "n/d", "n.d.", "k.a.", "k. a.", "keine angabe", "unbekannt", "ohne genre"}
    | {"inconnu", "inconnue", "sans genre", "non renseigné", "aucun", "desconocido", "sin género"}
    | {"ninguno", "desconhecido", "sem gênero", "nenhum", "sconosciuto", "nessuno", "onbekend"}
    | {"nieznany", "неизвестно", "不明", "未知", "unknown genres", "no genres", "genre unknown"}
)
"""Words that stand where a genre is missing."""
_MAX_SEARCHED_LENGTH: Final = 100
"""Maximum characters of a name that is searched for."""
_DASHES: Final = re.compile("[-\u2010-\u2015]")


def validate(name: str) -> str:
    """Return `name` as it is stored and searched for; raise `UserError` otherwise.

    The blanks around it are dropped, and its accents are composed (NFC) as those of imported
    genres; otherwise it reaches the source byte for byte.
    """
    plain = unicodedata.normalize("NFC", name).strip()
    if cells.is_missing(plain):
        raise UserError(f"{name!r} is no genre: it means a missing value.")
    if len(plain) > _MAX_SEARCHED_LENGTH:
        raise UserError(
            f"{plain[:20]!r}… is no genre: a name has at most {_MAX_SEARCHED_LENGTH} characters."
        )
    if '"' in plain:
        raise UserError(
            f"{plain!r} cannot be searched for: a search cannot quote a double quote. "
            "Leave it out."
        )
    if not plain.isprintable() or names.clean(plain) != plain:
        raise UserError(f"{plain!r} cannot be searched for: it holds control characters.")
    return plain


def clean_name(name: str) -> str:
    """Return a genre's name as it is stored; empty if it is a missing value or too long."""
    plain = unicodedata.normalize("NFC", names.clean(name)).strip()
    if not plain.isprintable():  # a search query has one line
        plain = " ".join("".join(c if c.isprintable() else " " for c in plain).split())
    return "" if is_placeholder(plain) or len(plain) > MAX_IMPORTED_LENGTH else plain


def fold_name(name: str) -> str:
    """Return a genre's name as vocabularies and tags spell it: as stored, in small letters.

    Hyphens stay: `hip-hop` and `hip hop` are two names. Empty if it is no genre.
    """
    return " ".join(unicodedata.normalize("NFC", clean_name(name).casefold()).split())


def is_placeholder(name: str) -> bool:
    """Return whether a text stands for a missing genre: no genre's name has no letter or digit."""
    is_word = name.casefold() in _PLACEHOLDERS or cells.is_missing(name)
    return is_word or not any(map(str.isalnum, name))


def comparison_key(name: str) -> str:
    """Return a key that is equal for names that differ by case, blanks, hyphens or form only."""
    return "".join(_DASHES.sub("", names.normalise(name)).split())


def group_similar(genres: Iterable[str]) -> list[list[str]]:
    """Group the names that differ only by case, blanks, hyphens or form."""
    groups: dict[str, list[str]] = {}
    for name in sorted(genres):
        groups.setdefault(comparison_key(name), []).append(name)
    return [names_ for names_ in groups.values() if len(names_) > 1]
