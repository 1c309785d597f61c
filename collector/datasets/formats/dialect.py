"""Detect the dialect of a delimited text: its delimiter and its quotes. Pure."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from collector.datasets.formats.table import NamesTracks

DELIMITERS: Final = "\t,;|"
"""In order of preference if the lines fit several: the tab first, because text has none."""
_MAX_LEVELS: Final = 4
_MAX_PREAMBLE: Final = 20
_SINGLE_QUOTE: Final = "'"
_UNNAMED: Final = re.compile(r"Unnamed: \d+(?:_level_\d+)?")
"""What pandas writes for a missing name."""
FMA_TRACKS: Final = (("track", "title"), ("artist", "name"), ("track", "genre_top"))
"""Columns of the Free Music Archive's table of tracks, by their names in its two header rows."""
_GENERAL: Final = frozenset({"name", "title", "id", "date", "year"})
"""Names that say nothing without what they are of."""
_SEPARATOR: Final = re.compile(r'"?sep=([^"\r\n])"?\s*', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the lines of a text are split into cells."""

    delimiter: str
    skipped: int = 0
    """Lines above the header that are not blank: Excel's `sep=;`, a title, comments."""
    quote: str = '"'


def detect_dialect(lines: Sequence[str]) -> Dialect:
    """Return the dialect of a text by its first lines that are not blank.

    The delimiter is the one that gives most rows as many cells as the header; the number of
    cells decides between equals.
    """
    declared = _SEPARATOR.fullmatch(lines[0]) if lines else None
    if declared is not None:
        return _with_quote(lines[1:], Dialect(declared[1], skipped=1))
    delimiter = max(DELIMITERS, key=lambda delimiter: _fit(lines, delimiter))
    return _with_quote(lines, Dialect(delimiter))


def skip_preamble(
    lines: Sequence[str], detected: Dialect, names_tracks: NamesTracks
) -> Dialect | None:
    """Return the dialect of a table below other lines; None if no line below names tracks.

    The lines above the header may be a title, comments or the like, 20 at most.
    """
    for skipped in range(detected.skipped + 1, min(_MAX_PREAMBLE, len(lines) - 1) + 1):
        below = detect_dialect(lines[skipped:])
        try:
            header, first = (
                split_line(line, below.delimiter, quote=below.quote)
                for line in lines[skipped : skipped + 2]
            )
        except (csv.Error, ValueError):
            continue
        names = [name.strip() for name in header]
        if len(first) >= len(names) > 1 and names_tracks(names):
            return replace(below, skipped=skipped)
    return None


def _with_quote(lines: Sequence[str], detected: Dialect) -> Dialect:
    """Return the dialect with `'` as the quote if it is around all names of the header."""
    names = [name.strip() for name in lines[0].split(detected.delimiter)] if lines else []
    is_single = len(names) > 1 and all(
        len(name) > 1 and name[0] == name[-1] == _SINGLE_QUOTE for name in names
    )
    return replace(detected, quote=_SINGLE_QUOTE) if is_single else detected


def split_line(
    line: str, delimiter: str, *, backslash: bool = False, quote: str = '"'
) -> list[str]:
    r"""Return the cells of one line; `backslash` reads `\"` as a quote inside a cell.

    Raises `csv.Error`.
    """
    escape = "\\" if backslash else None
    rows = csv.reader(
        [line],
        delimiter=delimiter,
        skipinitialspace=True,
        quotechar=quote,
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
    return {*zip(first, second, strict=False)} >= set(FMA_TRACKS)


def header_levels(
    lines: Sequence[str], delimiter: str, names_tracks: NamesTracks
) -> tuple[list[str], int]:
    """Return the header of a table, and of how many rows it is: pandas writes several.

    It has if a name of the first row is over several columns, and the rows together name tracks. A
    last header row may name the index: its other cells are empty.
    """
    try:
        rows = [[cell.strip() for cell in split_line(line, delimiter)] for line in lines[:5]]
    except csv.Error:
        rows = []
    first = rows[0] if rows else []
    top = [name for name in first if name and not _UNNAMED.fullmatch(name)]
    if len(set(top)) == len(top):
        return first, 1
    for count in range(2, min(_MAX_LEVELS, len(rows) - 1) + 1):
        if any(len(row) != len(first) for row in rows[:count]):
            break
        for names in _joined_names(rows[:count]):
            if len(set(names)) == len(names) and names_tracks(names):
                after = rows[count]
                is_index = len(after) > 1 and bool(after[0]) and not any(after[1:])
                return [after[0] if is_index else names[0], *names[1:]], count + is_index
    return first, 1


def _joined_names(rows: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Yield possible names of the columns: those of the last row, general ones with those above.

    `track` over `title` is `track_title`; `echonest` over `tempo` is `tempo`.
    """
    columns = [
        [name for name in column if name and not _UNNAMED.fullmatch(name)]
        for column in zip(*rows, strict=True)
    ]
    last = [column[-1] if column else "" for column in columns]
    for depth in range(2, len(rows) + 1):
        yield tuple(
            "_".join(column[-depth:])
            if name.casefold() in _GENERAL or last.count(name) > 1
            else name
            for name, column in zip(last, columns, strict=True)
        )
    yield tuple(last)
