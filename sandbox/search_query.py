"""Read a search query the way Spotify's search does. Pure."""

import re
from dataclasses import dataclass
from typing import Final

_FIELDS: Final = ("genre", "year", "artist", "track", "album", "isrc")
_PART: Final = re.compile(
    rf"(?:(?P<field>{'|'.join(_FIELDS)}):)?(?:\"(?P<quoted>[^\"]*)\"?|(?P<plain>[^\s\"]+))",
    re.IGNORECASE,
)
_YEARS: Final = re.compile(r"(\d{4})(?:-(\d{4}))?", re.ASCII)
EMPTY_YEAR_RANGE: Final = (1, 0)
"""A range no year lies in: what was asked for is not a year."""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What a search asks for; every part that is there has to hold."""

    genre: str | None = None
    """The genre's name, as written."""
    years: tuple[int, int] | None = None
    """First and last year, both included."""
    artist: str | None = None
    track: str | None = None
    album: str | None = None
    isrc: str | None = None
    words: tuple[str, ...] = ()
    """Words and quoted phrases without a field."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return self == SearchQuery()


def parse_query(text: str) -> SearchQuery:
    """Read `text`; where a field is named twice, the first counts."""
    fields: dict[str, str] = {}
    words = []
    for part in _PART.finditer(text):
        quoted, plain = part["quoted"], part["plain"]
        value = plain if quoted is None else quoted
        if not value.strip():
            continue
        if part["field"] is None:
            words.append(value)
        else:
            fields.setdefault(part["field"].lower(), value)
    years = fields.pop("year", None)
    return SearchQuery(
        **fields, words=tuple(words), years=None if years is None else _years(years)
    )


def _years(text: str) -> tuple[int, int]:
    match = _YEARS.fullmatch(text.strip())
    if match is None:
        return EMPTY_YEAR_RANGE
    first = int(match[1])
    return first, int(match[2] or first)
