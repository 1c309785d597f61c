"""Detect the dialect of a delimited text: its delimiter and its quotes. Pure."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

DELIMITERS: Final = "\t,;|"
"""In order of preference if the lines fit several: the tab first, because text has none."""
_SEPARATOR: Final = re.compile(r'"?sep=([^"\r\n])"?\s*', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the lines of a text are split into cells."""

    delimiter: str
    declared: bool = False
    """Whether the first line is Excel's `sep=;`, and the header is the second."""


def detect_dialect(lines: Sequence[str]) -> Dialect:
    """Return the dialect of a text by its first lines that are not blank.

    The delimiter is the one that gives most rows as many cells as the header; the number of
    cells decides between equals.
    """
    declared = _SEPARATOR.fullmatch(lines[0]) if lines else None
    if declared is not None:
        return Dialect(declared[1], declared=True)
    return Dialect(max(DELIMITERS, key=lambda delimiter: _fit(lines, delimiter)))


def split_line(line: str, delimiter: str, *, backslash: bool = False) -> list[str]:
    r"""Return the cells of one line; `backslash` reads `\"` as a quote inside a cell.

    Raises `csv.Error`.
    """
    escape = "\\" if backslash else None
    rows = csv.reader(
        [line],
        delimiter=delimiter,
        skipinitialspace=True,
        escapechar=escape,
        doublequote=not backslash,
    )
    return next(rows, [])


def _fit(lines: Sequence[str], delimiter: str) -> tuple[int, int]:
    """Return the number of lines with as many cells as the first, and the number of its cells."""
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        return (0, lines[0].count(delimiter))
    widths = [len(row) for row in rows if row]
    if not widths or widths[0] == 1:
        return (0, 0)
    return (widths.count(widths[0]), widths[0])


@lru_cache
def backslash_quote(delimiter: str) -> re.Pattern[str]:
    r"""Return the pattern of a `\"` that means a quote: other than a closing one, text follows."""
    return re.compile(rf'\\"(?![\r\n"{re.escape(delimiter)}])')


def is_fma_tracks(first: Sequence[str], second: Sequence[str]) -> bool:
    """Return whether two header rows are those of the Free Music Archive's table of tracks."""
    names = set(zip(first, second, strict=False))
    return names >= {("track", "title"), ("artist", "name"), ("track", "genre_top")}
