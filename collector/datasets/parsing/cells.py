"""Parse the cells of a dataset: text to numbers, dates and missing values. Pure."""

import ast
import html
import re
from functools import lru_cache
from typing import Final

from collector.datasets.parsing import date_cells

_MISSING: Final = frozenset(
    {"", "na", "n/a", "nan", "null", "none", "<na>", "\\n", "(null)", "nat", "undefined"}
    | {"#n/a", "#na", "#n/a n/a", "#null!", "#value!", "#ref!", "#name?", "#div/0!", "-nan"}
    | {"1.#qnan", "-1.#qnan", "1.#ind", "-1.#ind"}
)
"""Words for a missing value: of databases (`\\N`), of pandas, R, Excel and JavaScript."""
MISSING_STARTS: Final = frozenset(
    start for word in _MISSING for start in (word[:1], word[:1].upper()) if start
) | frozenset(" \t\u00a0")
"""First characters of cells that mean a missing value."""
_BYTES: Final = re.compile(r"""[bB](?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", re.DOTALL)
_REFERENCE: Final = re.compile(r"&(?:amp|quot|apos|lt|gt|nbsp|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
"""HTML character references, which tables of scraped pages contain."""
_TRUE: Final = frozenset({"true", "1", "1.0", "yes", "t", "y", "explicit"})
_FALSE: Final = frozenset({"false", "0", "0.0", "no", "f", "n", "clean", "not explicit"})
_TRUE_ABROAD: Final = frozenset({"ja", "wahr", "oui", "vrai", "sí", "si", "sì", "verdadero"}) | {
    *("sim", "verdadeiro", "vero", "はい", "да", "是")
}
_FALSE_ABROAD: Final = frozenset(
    {"nein", "falsch", "non", "faux", "falso", "não", "nao", "nee"}
) | {*("いいえ", "нет", "否")}
_ISRC: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{3}\d{7}")
FIRST_YEAR: Final = 1900
"""The first year of a release that can be stored."""


def is_missing(text: str) -> bool:
    """Return whether a cell stands for a missing value: empty, NA, nan, null or the like."""
    if not text:
        return True
    first = text[0]  # it decides for nearly every cell
    return (first in MISSING_STARTS or first.isspace()) and text.strip().casefold() in _MISSING


def is_mark_of_missing(text: str) -> bool:
    r"""Return whether a text stands for a missing value and is no word: `\N`, `#N/A`, `(null)`."""
    return is_missing(text) and not text.strip().isalpha()


def clean(cell: str) -> str:
    """Return a cell as the database can store it, stripped.

    Raises UnicodeEncodeError if the cell holds bytes that could not be decoded, or half of a
    character (see `has_half_character`).
    """
    if "\0" in cell:
        cell = cell.replace("\0", "")
    if not cell.isascii():
        cell.encode()
    return cell.strip()


def has_half_character(text: str) -> bool:
    r"""Return whether a text has a lone surrogate that stands for no undecodable byte.

    JSON writes a character beyond U+FFFF as two escapes (`\ud83c\udfb5`): a text that was cut
    between them ends with one. Bytes that could not be decoded are U+DC80 to U+DCFF.
    """
    return any("\ud800" <= c < "\udc80" or "\udcff" < c <= "\udfff" for c in text)


def plain_text(cell: str) -> str:
    """Return a text without escaping by Python or HTML: `b'Blue'` is Blue, `R&amp;B` is R&B."""
    if cell[:1] in {"b", "B"} and _BYTES.fullmatch(cell.strip()) is not None:
        try:
            cell = decode_bytes(ast.literal_eval(cell.strip()))
        except (ValueError, SyntaxError):
            return cell
    return _REFERENCE.sub(lambda match: html.unescape(match[0]), cell) if "&" in cell else cell


def decode_bytes(value: bytes) -> str:
    """Return bytes as text: UTF-8, else Latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def escape_unprintable(text: str) -> str:
    """Return text that is safe to print: unprintable characters as escape sequences."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def is_number(cell: str) -> bool:
    """Return whether a cell holds a number, in range or not."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def parse_number(cell: str, low: float, high: float) -> float | None:
    """Return a cell's number, None if it is no number or out of range."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if low <= value <= high else None


def parse_integer(cell: str, low: int, high: int) -> int | None:
    """Return a cell's number rounded ("91.0" is 91), None if it is none or out of range."""
    try:
        value = int(cell)
    except ValueError:
        inexact = parse_number(cell, low, high)
        return None if inexact is None else round(inexact)
    return value if low <= value <= high else None


@lru_cache(maxsize=64)
def parse_bool(cell: str) -> bool | None:
    """Return a cell's boolean, None if it holds none."""
    word = cell.strip().casefold()
    if word in _TRUE or word in _TRUE_ABROAD:
        return True
    return False if word in _FALSE or word in _FALSE_ABROAD else None


@lru_cache(maxsize=32_768)
def parse_date(cell: str, last_year: int) -> tuple[str | None, int | None]:
    """Return a release date (YYYY, YYYY-MM or YYYY-MM-DD) and its year.

    Both are None before 1900, after `last_year`, or if the cell holds no date (`date_cells`); a
    month or day that does not exist is dropped, and so are those of an uncertain order.
    """
    date = date_cells.parse_by(cell)
    if date is None or not FIRST_YEAR <= date.year <= last_year:
        return None, None
    return date_cells.format_date(date), date.year


def parse_isrc(cell: str) -> str | None:
    """Return an ISRC in capitals without hyphens, None if it is none."""
    plain = cell.strip().replace("-", "").upper()
    return plain if _ISRC.fullmatch(plain) else None
