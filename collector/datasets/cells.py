"""What a cell of a dataset says: text to values, and what counts as not found. Pure."""

import ast
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from genrebase.store import names

LIST_SEPARATOR: Final = "\x1f"
"""Joins the items of a cell that was a list (Parquet), whatever they contain."""

_MISSING: Final = frozenset({"", "na", "n/a", "nan", "null", "none", "<na>"})
_TRUE: Final = frozenset({"true", "1", "1.0", "yes", "t"})
_FALSE: Final = frozenset({"false", "0", "0.0", "no", "f"})
_DATE: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:\.0|[T ].*)?")
_ISRC: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{3}\d{7}")
_LONGEST_GENRE: Final = 400
_FIRST_YEAR: Final = 1900
_MONTHS: Final = 12
_DAYS: Final = 31


def is_missing(text: str) -> bool:
    """Say whether a cell says that there is nothing: empty, NA, nan, null or None."""
    return text.strip().casefold() in _MISSING


def clean(cell: str) -> str:
    """Return a cell as the database can store it, without the blanks around.

    Raises UnicodeEncodeError where the cell holds bytes that could not be decoded.
    """
    if "\0" in cell:
        cell = cell.replace("\0", "")
    if not cell.isascii():
        cell.encode()
    return cell.strip()


def escape_unprintable(text: str) -> str:
    """Return text as a terminal may show it: what is no character of a text, as its code."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def clean_genre_names(told: Iterable[str]) -> tuple[str, ...]:
    """Return genres as they can be asked for, each once, in their order; none for what is none."""
    plain = (" ".join(names.clean(name).split())[:_LONGEST_GENRE] for name in told)
    return tuple(dict.fromkeys(name for name in plain if not is_missing(name)))


def is_number(cell: str) -> bool:
    """Say whether a cell holds a number at all, in range or not."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def is_date(cell: str) -> bool:
    """Say whether a cell holds a date as `parse_date` reads them, whatever its year."""
    return _DATE.fullmatch(cell.strip()) is not None


def parse_number(cell: str, low: float, high: float) -> float | None:
    """Return a cell's number, None where it is none or out of its range."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if low <= value <= high else None


def parse_integer(cell: str, low: int, high: int) -> int | None:
    """Return a cell's number rounded ("91.0" is 91), None where it is none or out of range."""
    try:
        value = int(cell)
    except ValueError:
        inexact = parse_number(cell, low, high)
        return None if inexact is None else round(inexact)
    return value if low <= value <= high else None


def parse_category(cell: str, low: float, high: float) -> int | None:
    """Return a cell's whole number, None where it is none: between two categories is nothing."""
    value = parse_number(cell, low, high)
    return int(value) if value is not None and value.is_integer() else None


@lru_cache(maxsize=64)
def parse_bool(cell: str) -> bool | None:
    """Return yes or no, None where a cell says neither."""
    word = cell.strip().casefold()
    if word in _TRUE:
        return True
    return False if word in _FALSE else None


@lru_cache(maxsize=32_768)
def parse_date(cell: str, last_year: int) -> tuple[str | None, int | None]:
    """Return a release date (YYYY, YYYY-MM or YYYY-MM-DD) and its year.

    Both are None before 1900, after `last_year` or where the cell holds no such date; a month or
    day that does not exist is dropped.
    """
    found = _DATE.fullmatch(cell.strip())
    if found is None or not _FIRST_YEAR <= int(found[1]) <= last_year:
        return None, None
    parts = [found[1]]
    if found[2] and 1 <= int(found[2]) <= _MONTHS:
        parts.append(found[2])
        if found[3] and 1 <= int(found[3]) <= _DAYS:
            parts.append(found[3])
    return "-".join(parts), int(found[1])


def parse_isrc(cell: str) -> str | None:
    """Return an ISRC in capitals and without hyphens, None where it is none."""
    plain = cell.strip().replace("-", "").upper()
    return plain if _ISRC.fullmatch(plain) else None


def split_list(cell: str) -> list[str]:
    """Return the items of a cell that holds several: `a;b`, `['a', 'b']` or a list's own join."""
    if LIST_SEPARATOR in cell:
        items = cell.split(LIST_SEPARATOR)
    elif cell.startswith("[") and cell.endswith("]"):
        items = _literal(cell)
    else:
        items = cell.split(";")
    return [item for item in map(clean, items) if item]


def _literal(cell: str) -> list[str]:
    try:
        value = ast.literal_eval(cell)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return [cell]
    return [item for item in value if isinstance(item, str)] if value else []
