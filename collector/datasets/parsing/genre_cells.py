"""Split cells into genres: one rule for tables, Parquet lists, audio tags and labels. Pure.

The first genre of a cell is the claim, the others are sightings. `genre_names` cleans names.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from collector.datasets.parsing import cells, genre_names, list_cells

_SEPARATORS: Final = re.compile(r"\\␀|[;|\0]+")
"""No genre's name holds one of these; beets writes `\\␀` between values."""
_HASHTAGS: Final = re.compile(r"\s*#[^\W\d]")
_HASHTAG: Final = re.compile(r"[\s,;|]*#(?=[^\W\d])")
_COMMA: Final = ","


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
    return tuple(dict.fromkeys(name for name in map(genre_names.clean_name, split) if name))


def split_genres(values: str | Iterable[str], separator: str | None = None) -> tuple[str, ...]:
    """Return the genres of a cell, or of several values such as the tags of a file, each once."""
    given = [values] if isinstance(values, str) else values
    return tuple(dict.fromkeys(genre for cell in given for genre in split_cell(cell, separator)))


def is_blank(cell: str) -> bool:
    """Return whether a cell holds no genre: nothing, or placeholders such as `Unknown` and `-`."""
    if list_cells.is_blank(cell):
        return True
    try:
        parsed = list_cells.parse_list(cell)
    except list_cells.UnreadableList:
        return False
    parts = [cell] if parsed is None else [item.name for item in parsed.items]
    split = (part for cell in parts for part in _split_text(cell, None))
    return all(genre_names.is_placeholder(part.strip()) for part in split)


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
