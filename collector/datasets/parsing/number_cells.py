"""Parse numbers in the notations of tables: `0,543`, `1,234.5`, `83 %`, `3:45`. Pure."""

import re
from enum import StrEnum
from typing import Final

from collector.datasets.parsing import cells


class Notation(StrEnum):
    """Which character separates the decimals of a column's numbers."""

    POINT = "decimal point"
    """`1,234.5`, `1 234.5` or `1'234.5`."""
    COMMA = "decimal comma"
    """`1.234,5`, `1 234,5` or `1'234,5`."""


START: Final = frozenset("0123456789+-.,−– \t\u00a0P")
"""Characters that numbers, dates and clock times begin with; P begins `PT3M45S`."""

_UNIT_NAMES: Final = {
    "percent": "% percent pct /100",
    "bpm": "bpm",
    "db": "db lufs",
    "ms": "ms msec msecs millis millisecond milliseconds",
    "s": "s sec secs second seconds",
    "min": "m min mins minute minutes",
}
UNITS: Final = {name: unit for unit, names in _UNIT_NAMES.items() for name in names.split()}
"""Units by their names and symbols."""

_WITH_UNIT: Final = re.compile(r"(.*?[\d.,])\s*(%|/100|[a-z]+)\.?")
_GROUPED: Final = r"[+-]?(?:[1-9]\d{{0,2}}(?P<group>[{0}' ])\d{{3}}(?:(?P=group)\d{{3}})*|\d*)"
_POINT: Final = re.compile(_GROUPED.format(",") + r"(?:\.\d*)?")
_COMMA: Final = re.compile(_GROUPED.format(".") + r"(?:,\d*)?")
_MINUS: Final = str.maketrans({"−": "-", "–": "-", "\u00a0": " ", "\u202f": " ", "’": "'"})
_MAX_LENGTH: Final = 32
"""Maximum characters of a cell that is parsed as a number or a time."""

_CLOCK: Final = re.compile(
    r"(?:(?P<days>\d+) days?,? )?(?:(?P<hours>\d{1,3}):)?(?P<minutes>\d{1,3}):"
    r"(?P<seconds>[0-5]\d(?:[.,]\d+)?)"
)
_WORDED: Final = re.compile(
    r"(?:pt)?(?:(?P<hours>\d+)\s*(?:h|hours?|hrs?)\s*)?"
    r"(?P<minutes>\d+)\s*(?:m|min|mins|minutes?|')\.?,?\s*"
    r"(?P<seconds>\d+(?:[.,]\d+)?)\s*(?:s|sec|secs|seconds?|\"|'')\.?"
)
_ISO: Final = re.compile(
    r"pt(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+(?:[.,]\d+)?)s)?"
)


def parse_number(cell: str, notation: Notation) -> float | None:
    """Return the number in a cell without a unit, None if it has none in this notation."""
    text = plain_number(cell, notation)
    return None if text is None else float(text)


def plain_number(cell: str, notation: Notation) -> str | None:
    """Return a number in Python's notation, None if the cell has none in `notation`."""
    if notation is Notation.POINT and cells.is_number(cell):
        return cell
    text = cell.strip()
    if len(text) > _MAX_LENGTH:
        return None
    if not text.isascii():
        text = text.translate(_MINUS)
    pattern, separators = (_POINT, "' ,") if notation is Notation.POINT else (_COMMA, "' .")
    if pattern.fullmatch(text) is not None:
        for separator in separators:
            text = text.replace(separator, "")
        text = text.replace(",", ".")
    elif "." in text and notation is Notation.COMMA:
        return None
    return text if cells.is_number(text) else None


def split_unit(cell: str) -> tuple[str, str | None]:
    """Return a cell's number, as text, and its unit: `83 %` is 83 percent."""
    if len(cell) > _MAX_LENGTH or (cell[-1:].isdigit() and not cell.endswith("/100")):
        return cell, None
    match = _WITH_UNIT.fullmatch(cell.strip().casefold())
    unit = UNITS.get(match[2]) if match is not None else None
    return (cell, None) if match is None or unit is None else (match[1], unit)


def parse_clock(cell: str) -> float | None:
    """Return the seconds of a time such as `3:45`, `1:02:03` or `PT3M45S`, None for other text."""
    text = cell.strip().casefold()
    if len(text) > _MAX_LENGTH:
        return None
    match = _CLOCK.fullmatch(text) or _WORDED.fullmatch(text) or _ISO.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    parts = match.groupdict()
    hours = 24 * int(parts.get("days") or 0) + int(parts["hours"] or 0)
    seconds = float((parts["seconds"] or "0").replace(",", "."))
    return 3600.0 * hours + 60.0 * int(parts["minutes"] or 0) + seconds
