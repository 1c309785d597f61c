"""Parse tables that name audio files and describe each by numbers, such as GTZAN's. Pure."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from collector.datasets import segment_names
from collector.datasets.column_roles import columns
from collector.datasets.parsing import cells, genre_cells, number_cells
from collector.datasets.parsing.number_cells import Notation
from collector.datasets.rows import ParsedRow, RowRejection, is_name_too_long
from collector.datasets.scales.column_notation import column_notation, table_notation
from collector.datasets.survey import ColumnSummary, TableSummary
from collector.records import ArtistCredit, SourceTrack
from genrebase.counts import agree, counted
from genrebase.store import names

_FILES: Final = (
    "filename",
    "file_name",
    "file",
    "path",
    "file_path",
    "filepath",
    "audio_file",
    "audio_path",
    "recording",
    "recording_id",
    "clip",
    "clip_id",
)
_NAMES: Final = frozenset(("title", "track_name", "name", "artist", "artists", "artist_name"))
_MIN_VALUE_COLUMNS: Final = 8
"""Minimum of numeric columns of a table of descriptors."""
_PIECE: Final = re.compile(
    r"(?:segment|seg|chunk|slice|window|piece|part|clip|excerpt|snippet|frame)"
    r"(?:_(?:id|no|nr|num|number|index|idx|start|end|name))?"
    r"|(?:offset|start|end|stop|onset|begin)(?:_(?:time|s|sec|secs|seconds|ms|sample|frame))?"
)
"""Names of columns that identify the piece of a file."""


@dataclass(frozen=True, slots=True)
class DescriptorColumns:
    """Positions of the columns in a row."""

    file: int
    genre: int | None
    values: Mapping[int, Notation]
    """Every other column that holds numbers, with their notation."""


def find_descriptor_columns(
    header: Sequence[str], summary: TableSummary, genre_column: str | None = None
) -> DescriptorColumns | None:
    """Find the columns by the header and the summary; return None for another kind of table.

    A table of descriptors has names of files, no titles or artists, and many numeric columns.
    """
    plain = [columns.normalise(name) for name in header]
    file = next((plain.index(name) for name in _FILES if name in plain), None)
    if file is None or _NAMES & set(plain):
        return None
    genre = columns.find_genre_column(header, genre_column)
    numeric = {
        position: column
        for position, column in summary.items()
        if position not in {file, genre} and _holds_numbers(column) and plain[position]
    }
    names_ = {header[position] for position in numeric}
    if len(numeric) < _MIN_VALUE_COLUMNS or len(names_) < len(numeric):
        return None
    table = table_notation(list(numeric.values()))
    values = {
        at: column_notation(column, table) or Notation.POINT for at, column in numeric.items()
    }
    return DescriptorColumns(file, genre, values)


def _holds_numbers(column: ColumnSummary) -> bool:
    commas = 0 if column.commas is None else column.commas.total
    return 2 * max(column.points.total, commas) > column.present


@dataclass(frozen=True, slots=True)
class TablePieces:
    """Which rows of a table describe pieces of one recording."""

    recording_of: Mapping[str, str] = field(default_factory=dict)
    """The recording of each file that is a piece of one."""
    columns: tuple[int, ...] = ()
    """Columns that identify the pieces of one file."""
    repeated: frozenset[str] = frozenset()
    """Files with several rows."""
    warnings: tuple[str, ...] = ()


def find_pieces(
    header: Sequence[str], at: DescriptorColumns, rows: Iterable[Sequence[str]]
) -> TablePieces:
    """Find the pieces of recordings in all rows of a table: by file names and by columns."""
    places = [
        place
        for place, name in enumerate(header)
        if place not in {at.file, at.genre} and _PIECE.fullmatch(columns.normalise(name))
    ]
    genres: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for row in rows:
        name = row[at.file].strip()
        counts[name] += 1
        genres.setdefault(name, "" if at.genre is None else row[at.genre].strip())
    by_name = segment_names.find_segments(list(genres), list(genres.values()))
    repeated = frozenset(name for name, count in counts.items() if count > 1)
    warnings = [] if by_name.warning is None else [by_name.warning]
    if repeated:
        rows_of_repeated = sum(counts[name] for name in repeated)
        how = "by " + ", ".join(header[place] for place in places) if places else "by their values"
        warnings.append(
            f"{counted(rows_of_repeated, 'row')} {agree(rows_of_repeated, 'shares', 'share')} the "
            f"names of {counted(len(repeated), 'file')}: rows that differ ({how}) are pieces of "
            "one recording, on one side of the split."
        )
    return TablePieces(
        by_name.recording_of, tuple(places) if repeated else (), repeated, tuple(warnings)
    )


class DescriptorRowParser:
    """Parses the rows of one table into tracks with descriptors."""

    def __init__(
        self, columns: DescriptorColumns, own_source: str, pieces: TablePieces | None = None
    ) -> None:
        """Parse rows with `columns`; the files' names are ids of `own_source`."""
        self._pieces = pieces or TablePieces()
        values = {at: one for at, one in columns.values.items() if at not in self._pieces.columns}
        self.columns = self._at = replace(columns, values=values)
        self._source = own_source
        self._rows_of: dict[str, dict[int, int]] = {}
        """Per repeated file, the number of each piece by a hash of its distinguishing cells."""
        self.unreadable_cells: Counter[int] = Counter()
        """Per column, non-empty cells that hold no number."""

    def parse(self, row: Sequence[str]) -> ParsedRow | RowRejection:
        """Return a row as a track with the file's name as title, its genre and its values."""
        at = self._at
        try:
            name = names.clean(cells.clean(row[at.file]))
            genre = "" if at.genre is None else cells.clean(row[at.genre])
            genres = genre_cells.split_genres(genre)
        except UnicodeEncodeError as error:
            return RowRejection.of_text(error)
        if cells.is_missing(name):
            return RowRejection.NO_NAME
        if is_name_too_long(name, ""):
            return RowRejection.TOO_LONG
        values = [self._number(row, place, notation) for place, notation in at.values.items()]
        track = SourceTrack(
            self._source,
            self._piece_id(name, row),
            name,
            (ArtistCredit(""),),
            match_by_name=False,
            recording=self._pieces.recording_of.get(name),
        )
        return ParsedRow(track, genres, values=values)

    def _piece_id(self, name: str, row: Sequence[str]) -> str:
        """Return the file's name, with a number from its second piece on.

        Rows of a file that agree in the columns of pieces, or without these in all values, are
        the same piece.
        """
        if name not in self._pieces.repeated:
            return name
        places = self._pieces.columns or self._at.values
        pieces = self._rows_of.setdefault(name, {})
        number = pieces.setdefault(hash(tuple(row[place] for place in places)), len(pieces) + 1)
        return name if number == 1 else f"{name}#{number}"

    def _number(self, row: Sequence[str], position: int, notation: Notation) -> float:
        """Return a cell's number; for other text and infinity return NaN and count the cell."""
        cell = row[position]
        try:
            value = float(cell) if notation is Notation.POINT else math.nan
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            return value
        number = number_cells.parse_number(cell, notation)
        if number is not None and math.isfinite(number):
            return number
        if number is None or math.isinf(number):
            self.unreadable_cells[position] += not cells.is_missing(cell)
        return math.nan
