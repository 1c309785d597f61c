"""Parse genres: one rule for tables, Parquet lists, audio tags and labels. Pure.

The first genre of a cell is the claim, the others are sightings.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from collector.datasets.parsing import cells, list_cells
from genrebase.store import names

_SEPARATORS: Final = re.compile(r"\\␀|[;|\0]+")
"""No genre's name holds one of these; beets writes `\\␀` between values."""
_HASHTAGS: Final = re.compile(r"\s*#[^\W\d]")
_HASHTAG: Final = re.compile(r"[\s,;|]*#(?=[^\W\d])")
_MAX_CHARACTERS: Final = 400
_PLACEHOLDERS: Final = frozenset(
    {"unknown", "unknown genre", "unclassified", "uncategorized", "uncategorised", "unspecified"}
    | {"not specified", "no genre", "untagged", "not available", "empty_field", "0"}
    | {"n.a.", "n. a.", "n/d", "n.d.", "k.a.", "k. a.", "keine angabe", "unbekannt", "ohne genre"}
    | {"inconnu", "inconnue", "sans genre", "non renseigné", "aucun", "desconocido", "sin género"}
    | {"ninguno", "desconhecido", "sem gênero", "nenhum", "sconosciuto", "nessuno", "onbekend"}
    | {"nieznany", "неизвестно", "不明", "未知", "unknown genres", "no genres", "genre unknown"}
)
"""Words that stand where a genre is missing."""
_COMMA: Final = ","
_DASHES: Final = re.compile("[-\u2010-\u2015]")


@lru_cache(maxsize=16_384)
def split_cell(cell: str, separator: str | None = None) -> tuple[str, ...]:
    """Return the genres of one cell, each once, in the cell's order.

    Lists are read as `list_cells` reads them; plain text is split at `;` and `|`, before the tags
    of `#pop #rock`, and at `separator` if one is given: a comma may be part of a genre's name.
    Names are in Unicode's form NFC and on one line. Words for a missing value are not genres.
    Returns nothing for a damaged list, too; `is_blank` distinguishes it from a cell without a
    genre.
    """
    try:
        parsed = list_cells.parse_list(cell)
    except list_cells.UnreadableList:
        return ()
    if parsed is not None:
        parts = [item.name for item in parsed.items]
    elif cell.strip()[:1] in {"[", "{"}:
        # a list without quotes: no genre's name has brackets around it
        inside = list_cells.strip_brackets(cell)
        parts = inside.split(_COMMA) if inside != cell.strip() else [inside]
    else:
        parts = [cells.plain_text(cell)]
    split = (piece for part in parts for piece in _split_text(part, separator))
    return tuple(dict.fromkeys(name for name in map(clean_name, split) if name))


def split_genres(values: str | Iterable[str], separator: str | None = None) -> tuple[str, ...]:
    """Return the genres of a cell, or of several values such as the tags of a file, each once."""
    given = [values] if isinstance(values, str) else values
    return tuple(dict.fromkeys(genre for cell in given for genre in split_cell(cell, separator)))


def clean_name(name: str) -> str:
    """Return a genre's name as it is stored; empty if it is a missing value or too long."""
    plain = unicodedata.normalize("NFC", names.clean(name)).strip()
    if not plain.isprintable():  # a search query has one line
        plain = " ".join("".join(c if c.isprintable() else " " for c in plain).split())
    return "" if _is_placeholder(plain) or len(plain) > _MAX_CHARACTERS else plain


def fold_name(name: str) -> str:
    """Return a genre's name as vocabularies and tags spell it: as stored, in small letters.

    Hyphens stay: `hip-hop` and `hip hop` are two names. Empty if it is no genre.
    """
    return " ".join(unicodedata.normalize("NFC", clean_name(name).casefold()).split())


def is_blank(cell: str) -> bool:
    """Return whether a cell holds no genre: nothing, or placeholders such as `Unknown` and `-`."""
    if list_cells.is_blank(cell):
        return True
    try:
        parsed = list_cells.parse_list(cell)
    except list_cells.UnreadableList:
        return False
    parts = [cell] if parsed is None else [item.name for item in parsed.items]
    return all(_is_placeholder(part.strip()) for cell in parts for part in _split_text(cell, None))


def _is_placeholder(name: str) -> bool:
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


def may_be_list(cell: str) -> bool:
    """Return whether a cell is one name with a comma, which may separate several."""
    return _COMMA in cell and len(split_cell(cell)) == 1 and _COMMA in split_cell(cell)[0]


def _split_text(text: str, separator: str | None) -> list[str]:
    parts = [
        tag
        for part in _SEPARATORS.split(text)
        for tag in (_HASHTAG.split(part) if _HASHTAGS.match(part) else (part,))
    ]
    return parts if not separator else [piece for part in parts for piece in part.split(separator)]
