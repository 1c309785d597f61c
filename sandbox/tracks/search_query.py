"""Parser of Spotify search queries with field filters (`genre:"r&b" year:1990-1999`). Pure."""

import re
from dataclasses import dataclass
from typing import Final

_FIELDS: Final = ("genre", "year", "artist", "track", "album", "isrc")
_TERM: Final = re.compile(
    rf"(?:(?P<field>{'|'.join(_FIELDS)}):)?(?:\"(?P<quoted>[^\"]*)\"?|(?P<plain>[^\s\"]+))",
    re.IGNORECASE,
)
_YEARS: Final = re.compile(r"(\d{4})(?:-(\d{4}))?", re.ASCII)
EMPTY_YEAR_RANGE: Final = (1, 0)
"""Contains no year: the filter's value is not a year."""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """The filters of a search; a track has to match all of them."""

    genre: str | None = None
    """The genre's name, as written."""
    years: tuple[int, int] | None = None
    """First and last year, inclusive."""
    artist: str | None = None
    track: str | None = None
    album: str | None = None
    isrc: str | None = None
    words: tuple[str, ...] = ()
    """Words and quoted phrases without a field."""

    @property
    def is_empty(self) -> bool:
        return self == SearchQuery()


def parse_query(text: str) -> SearchQuery:
    """Parse `text`; where a field occurs twice, the first counts."""
    fields: dict[str, str] = {}
    words = []
    for term in _TERM.finditer(text):
        value = term["plain"] if term["quoted"] is None else term["quoted"]
        if not value.strip():
            continue
        if term["field"] is None:
            words.append(value)
        else:
            fields.setdefault(term["field"].lower(), value)
    years = fields.pop("year", None)
    return SearchQuery(
        **fields, words=tuple(words), years=None if years is None else _year_range(years)
    )


def _year_range(text: str) -> tuple[int, int]:
    match = _YEARS.fullmatch(text.strip())
    if match is None:
        return EMPTY_YEAR_RANGE
    first = int(match[1])
    return first, int(match[2] or first)
