"""Parse tables that name audio files and describe each by numbers, such as GTZAN's. Pure."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collector.datasets import cells, columns
from collector.datasets.rows import ParsedRow, RowRejection, is_name_too_long
from collector.records import ArtistCredit, SourceTrack
from genrebase.store import names

_FILES: Final = ("filename", "file_name", "file", "path")
_NAMES: Final = frozenset(("title", "track_name", "name", "artist", "artists", "artist_name"))
_MIN_VALUE_COLUMNS: Final = 8
"""Columns of numbers that a table of descriptors has at least."""


@dataclass(frozen=True, slots=True)
class DescriptorColumns:
    """Positions of the columns in a row."""

    file: int
    genre: int | None
    values: tuple[int, ...]
    """Every other column that holds numbers."""
    value_names: tuple[str, ...]
    """Their names."""


def find_descriptor_columns(
    header: Sequence[str], first: Sequence[str], genre_column: str | None = None
) -> DescriptorColumns | None:
    """Find the columns by the header and the first row; return None for another kind of table.

    A table of descriptors names files, neither titles nor artists, and has many columns of
    numbers.
    """
    plain = [columns.normalise(name) for name in header]
    file = next((plain.index(name) for name in _FILES if name in plain), None)
    if file is None or _NAMES & set(plain):
        return None
    genre = columns.find_genre_column(header, genre_column)
    values = tuple(
        place
        for place, cell in enumerate(first)
        if place not in {file, genre} and cells.is_number(cell) and plain[place]
    )
    if len(values) < _MIN_VALUE_COLUMNS or len({header[place] for place in values}) < len(values):
        return None
    return DescriptorColumns(file, genre, values, tuple(header[place] for place in values))


class DescriptorRowParser:
    """Parses the rows of one table into tracks with descriptors."""

    def __init__(self, columns: DescriptorColumns, own_source: str) -> None:
        """Parse rows laid out as `columns`; the files' names are ids of `own_source`."""
        self._at = columns
        self._source = own_source
        self.unreadable_cells: Counter[int] = Counter()
        """Per column, non-empty cells that hold no number."""

    def parse(self, row: Sequence[str]) -> ParsedRow | RowRejection:
        """Return a row as a track, named as its file is, with its genre and its values."""
        at = self._at
        try:
            name = names.clean(cells.clean(row[at.file]))
            genre = "" if at.genre is None else cells.clean(row[at.genre])
        except UnicodeEncodeError:
            return RowRejection.UNDECODABLE
        if cells.is_missing(name):
            return RowRejection.NO_NAME
        if is_name_too_long(name, ""):
            return RowRejection.TOO_LONG
        track = SourceTrack(self._source, name, name, (ArtistCredit(""),), match_by_name=False)
        values = [self._number(row, place) for place in at.values]
        return ParsedRow(track, () if cells.is_missing(genre) else (genre,), values=values)

    def _number(self, row: Sequence[str], place: int) -> float:
        try:
            return float(row[place])
        except ValueError:
            self.unreadable_cells[place] += not cells.is_missing(row[place])
            return math.nan
