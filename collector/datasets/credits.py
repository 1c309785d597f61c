"""Parse the credited artists of a row: as many names as ids, and no joined names. Pure.

A name may contain a comma, a slash or an ampersand. Text is split where that is certain: N ids, or
a count of N artists, mean N names, and other rows of the table confirm names.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations, pairwise
from typing import Final, NamedTuple

from collector.datasets.column_roles.columns import DatasetColumns
from collector.datasets.parsing import cells, list_cells
from collector.datasets.parsing.list_cells import ListItem, UnreadableList
from collector.datasets.survey import TableSummary
from collector.records import ArtistCredit
from genrebase.store import names, source_ids

_DELIMITERS: Final[Mapping[str, re.Pattern[str]]] = {
    ";": re.compile(r"\s*;\s*"),
    "|": re.compile(r"\s*(?:\||\\␀)\s*"),
    ",": re.compile(r"\s*(?<!\\),\s*"),
    "/": re.compile(r"\s*/\s*"),
    "&": re.compile(r"\s*&\s*"),
}
"""In the order in which they are tried; Exportify writes a comma of a name as `\\,`."""
_ANY_DELIMITER: Final = re.compile(r"\s*(?:;|\||\\␀|(?<!\\),|/|&)\s*")
_CERTAIN: Final = re.compile(r"\s*(?:[;|]|\\␀)\s*")
"""The separators of names in a column of several artists: names hardly contain them.

beets writes `\\␀`.
"""
_SPACED_SLASH: Final = " / "
_NO_NAMES: Final = frozenset({"empty_field", "-", "?"})
"""Placeholders of artists."""
_IDS: Final = re.compile(r"[\s,;|]+")
_OTHER_IDS: Final = re.compile(r"\s*[,;|]\s*")
_MOSTLY: Final = 0.9
_MAX_NAMES: Final = 200_000
"""Maximum of names that are stored per table."""
_MAX_SEVERAL: Final = 10_000
"""Maximum of cells from which the table's delimiter is inferred."""
_CONFIRMED: Final = 10
"""Weight of a name that another row confirms, relative to a number of names that fits."""
_MAX_ARTISTS: Final = 100
_MAX_PIECES: Final = 16
"""Maximum of pieces of a cell that are joined to names in every way."""


class Credits(NamedTuple):
    """The credited artists of a row."""

    artists: tuple[ArtistCredit, ...]
    """At least one artist, each once."""
    ids_unreadable: bool = False
    """Whether the row has ids of artists that could not be matched to the names."""
    may_be_several: bool = False
    """Whether a comma in the only name may separate artists."""


@dataclass(slots=True)
class CreditNames:
    """The names of artists that are alone in a cell of the table, and the table's delimiter."""

    by_id: dict[str, str] = field(default_factory=dict)
    single: set[str] = field(default_factory=set)
    delimiters: Counter[str] = field(default_factory=Counter)
    """Per delimiter, how often it gives as many names as ids."""

    @property
    def order(self) -> list[str]:
        """The delimiters, that of the table first."""
        return sorted(_DELIMITERS, key=lambda delimiter: -self.delimiters[delimiter])

    def add_several(self, cells_: Sequence[tuple[str, int, Sequence[str]]]) -> None:
        """Infer the table's delimiter from cells with the number and the ids of their artists."""
        for text, number, row_ids in cells_:
            for delimiter in _DELIMITERS:
                pieces = _split(text, delimiter)
                if len(pieces) == number and (matches := self.count_matches(pieces, row_ids)) >= 0:
                    self.delimiters[delimiter] += 1 + _CONFIRMED * matches
        for text, number, row_ids in cells_:
            pieces = _split(text, self.order[0])
            if len(pieces) == number and self.count_matches(pieces, row_ids) >= 0:
                for row_id, name in zip(row_ids, pieces, strict=False):
                    self.by_id.setdefault(row_id, name)

    def count_matches(self, given: Sequence[str], row_ids: Sequence[str]) -> int:
        """Return how many of a row's names other rows confirm; -1 if one contradicts its id."""
        if not row_ids:
            return sum(name in self.single for name in given)
        expected = [self.by_id.get(row_id) for row_id in row_ids]
        pairs = list(zip(given, expected, strict=True))
        if any(name is not None and name != piece for piece, name in pairs):
            return -1
        return sum(name is not None for _, name in pairs)


def survey_credits(
    rows: Callable[[], Iterable[Sequence[str]]],
    columns: DatasetColumns,
    summary: TableSummary,
) -> CreditNames | None:
    """Return the names of a table's artists; None if its credits need no splitting.

    `rows` returns the rows of the table; it is called at most once.
    """
    artists = summary.get(columns.artists)
    if artists is None:
        return None
    has_number = columns.artist_ids is not None or columns.artist_count is not None
    has_commas = columns.many_artists and any(map(_may_be_several, artists.sample))
    is_listed = artists.lists > _MOSTLY * artists.present
    if is_listed or not (has_number or has_commas):
        return None
    return survey_rows(rows(), columns.artists, columns.artist_ids, columns.artist_count)


def survey_rows(
    rows: Iterable[Sequence[str]], artists: int, ids: int | None, count: int | None
) -> CreditNames:
    """Collect a table's names, by which its credits are split; lists need no splitting."""
    names = CreditNames()
    several: list[tuple[str, int, Sequence[str]]] = []
    for row in rows:
        if len(names.single) >= _MAX_NAMES:
            break
        try:
            text = cells.clean(cells.plain_text(row[artists]))
            row_ids = parse_ids("" if ids is None else row[ids])
            if not text or list_cells.parse_list(text) is not None:
                continue
        except (UnicodeEncodeError, UnreadableList):
            continue
        number = len(row_ids) or parse_count(row, count)
        if number == 1 or (not number and _ANY_DELIMITER.search(text) is None):
            name = _unescape(text)
            names.single.add(name)
            if row_ids:
                names.by_id.setdefault(row_ids[0], name)
        elif number and len(several) < _MAX_SEVERAL:
            several.append((text, number, row_ids))
    names.add_several(several)
    return names


def parse_ids(cell: str) -> tuple[str, ...]:
    """Return the ids of a cell: a list, or ids, URIs or URLs with blanks or commas between."""
    if cells.is_missing(cell):
        return ()
    try:
        parsed = list_cells.parse_list(cell)
    except UnreadableList:
        return ()
    if parsed is not None:
        return tuple(item.id or item.name for item in parsed.items)
    plain = list_cells.strip_brackets(cells.plain_text(cell))
    parts = [part for part in _IDS.split(plain.strip()) if part]
    if not all(map(artist_id, parts)):  # blanks separate Spotify's ids only
        parts = [part for part in _OTHER_IDS.split(plain.strip()) if part]
    return tuple(parts)


def parse_count(row: Sequence[str], at: int | None) -> int:
    """Return the number of a row's artists in the column `at`; 0 if it is unknown."""
    return 0 if at is None else cells.parse_integer(row[at], 1, _MAX_ARTISTS) or 0


class CreditParser:
    """Parses the credits of one table."""

    def __init__(self, *, many: bool, names: CreditNames | None = None) -> None:
        """`many` is whether the column's name is a plural."""
        self._many = many
        self._names = names or CreditNames()
        self._order = self._names.order
        self.parse: Callable[[str, str, int], Credits] = lru_cache(maxsize=65_536)(self._parse)

    def _parse(self, artists: str, ids: str, count: int) -> Credits:
        """Return the credits of a row; `count` is its number of artists, 0 if unknown.

        Raises `UnreadableList` for a list that is damaged, UnicodeEncodeError for a cell that
        could not be decoded.
        """
        text = cells.clean(artists)
        parsed = list_cells.parse_list(text)
        row_ids = parse_ids(ids)
        has_ids = not list_cells.is_blank(ids)
        if parsed is not None:
            items = parsed.items
            if len(row_ids) == len(items) and not parsed.is_shortened:
                pairs = zip(items, row_ids, strict=True)
                items = tuple(item._replace(id=row_id) for item, row_id in pairs)
                return Credits(_credits(items))
            have_ids = bool(items) and all(item.id for item in items)
            return Credits(_credits(items), ids_unreadable=has_ids and not have_ids)
        text = names.clean(cells.plain_text(text))
        if cells.is_mark_of_missing(text):
            return Credits(_credits(()))
        is_own_id = len(row_ids) == 1 and artist_id(row_ids[0]) is None
        if is_own_id and self._many and _CERTAIN.search(text) is not None:
            return self._parse_names(text, count, ids_unreadable=True)  # of the first one only
        if len(row_ids) == 1 or (not has_ids and count == 1):
            return Credits(_credits([ListItem(_unescape(text), *row_ids)]))
        if len(row_ids) > 1:
            pieces = self._split(text, len(row_ids), row_ids)
            if pieces is not None:
                return Credits(_credits(list(map(ListItem, pieces, row_ids))))
            return Credits(_credits([ListItem(_unescape(text))]), ids_unreadable=True)
        return self._parse_names(text, count, ids_unreadable=has_ids)

    def _parse_names(self, text: str, count: int, *, ids_unreadable: bool) -> Credits:
        """Split text without ids where that is certain."""
        inside = list_cells.strip_brackets(text)
        if count > 1:
            pieces = self._split(inside, count, ())
        elif inside != text and "," in inside:
            pieces = _split(inside, ",")
        elif self._many and _CERTAIN.search(text):
            pieces = _CERTAIN.split(text)
        else:
            pieces = self._split_by_names(text)
        if pieces is None:
            one = _credits([ListItem(_unescape(text))])
            return Credits(one, ids_unreadable, may_be_several=_may_be_several(text))
        return Credits(_credits(list(map(ListItem, pieces))), ids_unreadable)

    def _split(self, text: str, number: int, row_ids: Sequence[str]) -> list[str] | None:
        """Return the `number` names in a text; None if they are uncertain."""
        for delimiter in self._order:
            pieces = _split(text, delimiter)
            if len(pieces) == number and self._names.count_matches(pieces, row_ids) >= 0:
                return pieces
            if len(pieces) > number:
                return self._join(pieces, text, number, row_ids)
        pieces = [piece for piece in _ANY_DELIMITER.split(text) if piece]
        fits = len(pieces) == number and self._names.count_matches(pieces, row_ids) >= 0
        return pieces if fits else None

    def _join(
        self, pieces: Sequence[str], text: str, number: int, row_ids: Sequence[str]
    ) -> list[str] | None:
        """Join pieces to `number` names, if exactly one way fits the other rows."""
        if len(pieces) > _MAX_PIECES:
            return None
        ways = []
        for joined in _groups(_spans(text, pieces), text, number):
            matches = self._names.count_matches(joined, row_ids)
            if matches > 0:
                ways.append((matches, joined))
        best = max((matches for matches, _ in ways), default=0)
        fitting = [joined for matches, joined in ways if matches == best]
        return fitting[0] if len(fitting) == 1 else None

    def _split_by_names(self, text: str) -> list[str] | None:
        """Split a text at commas or ` / ` if each name is alone in a cell of another row."""
        if not self._many or not _may_be_several(text):
            return None
        for pieces in (_split(text, ","), text.split(_SPACED_SLASH)):
            if len(pieces) > 1 and all(piece in self._names.single for piece in pieces):
                return pieces
        return None


def _may_be_several(text: str) -> bool:
    return "," in text or _SPACED_SLASH in text


def _split(text: str, delimiter: str) -> list[str]:
    parts = map(_unescape, _DELIMITERS[delimiter].split(text))
    return [part for part in parts if part]


def _unescape(name: str) -> str:
    return name.replace("\\,", ",").strip()


def _spans(text: str, pieces: Sequence[str]) -> list[tuple[int, int]]:
    """Return the positions of the pieces in the text; empty if one is not literally in it."""
    spans, at = [], 0
    for piece in pieces:
        start = text.find(piece, at)
        if start < 0:
            return []
        at = start + len(piece)
        spans.append((start, at))
    return spans


def _groups(spans: Sequence[tuple[int, int]], text: str, number: int) -> Iterator[list[str]]:
    """Yield every way to join neighbouring pieces to `number` names."""
    for cuts in combinations(range(1, len(spans)), number - 1):
        bounds = [0, *cuts, len(spans)]
        yield [text[spans[first][0] : spans[last - 1][1]] for first, last in pairwise(bounds)]


def _credits(items: Sequence[ListItem]) -> tuple[ArtistCredit, ...]:
    """Return every artist once, the first of equal names with its id."""
    credit_of: dict[str, ArtistCredit] = {}
    for item in items:
        if item.name and item.name.casefold() not in _NO_NAMES:
            credit_of.setdefault(item.name, ArtistCredit(item.name, artist_id(item.id)))
    return tuple(credit_of.values()) or (ArtistCredit(""),)


def artist_id(text: str | None) -> str | None:
    """Return the Spotify id of an artist from its id, URI or URL, None for any other text."""
    if not text:
        return None
    plain = text.strip().rsplit(":", 1)[-1].rsplit("/", 1)[-1].split("?")[0]
    return source_ids.parse_track_id(plain)
