"""The first pass over a table: a summary of each column, before any cell is taken.

The whole table is read once, in constant memory. From the summaries, `columns` infers the field of
each column, and `numeric_columns` the scale of its numbers.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from typing import Any, Final

import numpy as np

from collector.datasets.formats.table import DamagedFile, DatasetReader
from collector.datasets.number_summary import NumberSummary
from collector.datasets.parsing import cells, date_cells, number_cells
from collector.datasets.parsing.number_cells import Notation
from genrebase.store import source_ids

MAX_VALUES: Final = 1_000
"""Maximum of different values that are counted one by one."""
SAMPLE_CELLS: Final = 200

_MAX_SAMPLE_CHARACTERS: Final = 1 << 20
_MAX_VALUE_CHARACTERS: Final = 400
"""Maximum characters of counted values: a column with longer cells is text."""
_CHUNK: Final = 1_000
"""Rows that are summarised at once; more do not fit into the processor's cache."""
_LONGEST_MISSING: Final = 12
"""Characters of the longest word for a missing value, with room for blanks."""
_MAX_EXCLUDING: Final = 20
"""One in so many cells with a point may be no group of thousands."""
_POINTED: Final = 50
"""Cells with a point that decide whether points may group thousands."""
_NAN: Final = len("nan")
_DIGITS: Final = frozenset("0123456789")
_URI: Final = len("spotify:track:") + source_ids.ID_LENGTH


@dataclass(slots=True)
class ColumnSummary:
    """Counts of the cells of one column by kind; each cell is counted at most once."""

    name: str
    """As the header gives it."""
    rows: int = 0
    missing: int = 0
    """Empty cells, and those with a word for a missing value."""
    numbers: int = 0
    """Plain numbers: with a decimal point, without a unit."""
    dates: int = 0
    """Dates of more than a year: `2019-06-14`, `14.06.2019`, `June 14, 2019`."""
    clocks: int = 0
    """Times such as `3:45`."""
    spotify_ids: int = 0
    """Ids of 22 characters, URIs and URLs of tracks."""
    lists: int = 0
    """Cells that begin like a list, tuple or object: `[`, `(`, `{`."""
    values: Counter[str] | None = field(default_factory=Counter)
    """Cells that are not missing, each with its count; None if there are more than 1,000
    different ones or very long ones."""
    sample: list[str] = field(default_factory=list)
    """The first 200 cells that are not missing (fewer if they are very long)."""
    points: NumberSummary = field(default_factory=NumberSummary)
    """The numbers of the column, read with decimal points."""
    commas: NumberSummary | None = field(default_factory=NumberSummary)
    """The numbers of the column, read with decimal commas; None if that is excluded."""
    times: NumberSummary = field(default_factory=NumberSummary)
    """The seconds of its clock times."""
    units: Counter[str] = field(default_factory=Counter)
    """Units after numbers, such as `percent` of `83 %`, with their counts."""
    orders: Counter[date_cells.DateOrder] = field(default_factory=Counter)
    """Orders of day and month that dates such as `14/06/2019` prove."""
    ambiguous_dates: int = 0
    """Dates such as `5/6/2019`."""
    short_years: Counter[date_cells.ShortYear] = field(default_factory=Counter)
    """Where years of two digits are in dates with hyphens."""

    @property
    def present(self) -> int:
        """How many cells are not missing."""
        return self.rows - self.missing

    @property
    def distinct(self) -> int | None:
        """How many different values there are; None if there are many."""
        return None if self.values is None else len(self.values)


TableSummary = Mapping[int, ColumnSummary]
"""The summaries of a table's columns, by position."""


def survey_table(
    dataset: DatasetReader, *, stop_requested: Callable[[], bool] = lambda: False
) -> TableSummary:
    """Read a table and summarise its columns.

    A damaged file is summarised up to the damage, and a stop request ends the survey early. The
    import that follows handles both.
    """
    summaries = [ColumnSummary(name) for name in dataset.header]
    for rows in _chunks(dataset):
        for summary, column in zip(summaries, zip(*rows, strict=True), strict=True):
            _add(summary, column)
        if stop_requested():
            break
    for summary in summaries:
        _finish(summary)
    return dict(enumerate(summaries))


def summarise(name: str, column: Sequence[str]) -> ColumnSummary:
    """Summarise the cells of one column."""
    summary = ColumnSummary(name)
    _add(summary, column)
    _finish(summary)
    return summary


def _chunks(dataset: DatasetReader) -> Iterator[list[Sequence[str]]]:
    rows = dataset.whole_rows()
    try:
        while chunk := list(islice(rows, _CHUNK)):
            yield chunk
    except DamagedFile:
        return


def _add(summary: ColumnSummary, column: Sequence[str]) -> None:
    summary.rows += len(column)
    present = [cell for cell in column if cell] if "" in column else column
    try:
        numbers = np.fromiter(map(float, present), np.float64, len(present))
        starters: list[str] = []
        words: list[str] = []
    except ValueError:
        numbers, starters, words = _split_numbers(present)
    missing = np.isnan(numbers)
    if missing.any():
        numbers = numbers[~missing]
    summary.missing += len(column) - len(numbers) - len(starters) - len(words)
    summary.numbers += len(numbers)
    summary.points.add(numbers)
    _count_values(summary, present)
    _sample(summary, present)
    has_texts = bool(starters or words)
    _add_commas(summary, numbers, present, has_texts=has_texts)
    if has_texts:
        _add_texts(summary, starters, words)


def _split_numbers(present: Sequence[str]) -> tuple[Any, list[str], list[str]]:
    """Return the plain numbers of a column, the texts that begin like one, and the others.

    Cells for missing values are in neither of the texts.
    """
    numbers, starters = [], []
    for cell in present:
        if cell[0] in number_cells.START or len(cell) == _NAN:
            try:
                numbers.append(float(cell))
            except ValueError:
                starters.append(cell)
    words = [cell for cell in present if cell[0] not in number_cells.START and len(cell) != _NAN]
    return np.array(numbers, dtype=np.float64), _filled(starters), _filled(words)


def _filled(texts: list[str]) -> list[str]:
    """Return the texts without words for a missing value."""
    missing = {cell for cell in texts if cell[0] in cells.MISSING_STARTS and _is_missing(cell)}
    return [cell for cell in texts if cell not in missing] if missing else texts


def _is_missing(cell: str) -> bool:
    return len(cell) <= _LONGEST_MISSING and cells.is_missing(cell)


def _finish(summary: ColumnSummary) -> None:
    """Remove words for missing values from the summary."""
    if summary.values is not None:
        _drop_missing(summary.values)


def _drop_missing(values: Counter[str]) -> None:
    for cell in filter(_is_missing, list(values)):
        del values[cell]


def _count_values(summary: ColumnSummary, present: Sequence[str]) -> None:
    if summary.values is None or not present:
        return
    if max(map(len, present)) > _MAX_VALUE_CHARACTERS:
        summary.values = None
        return
    summary.values.update(present)
    if len(summary.values) > MAX_VALUES:
        _drop_missing(summary.values)
        if len(summary.values) > MAX_VALUES:
            summary.values = None


def _sample(summary: ColumnSummary, present: Sequence[str]) -> None:
    room = SAMPLE_CELLS - len(summary.sample)
    if room <= 0:
        return
    size = sum(map(len, summary.sample))
    for cell in islice((cell for cell in present if not _is_missing(cell)), room):
        size += len(cell)
        if size > _MAX_SAMPLE_CHARACTERS:
            break
        summary.sample.append(cell)


def _add_commas(
    summary: ColumnSummary, numbers: Any, present: Sequence[str], *, has_texts: bool
) -> None:
    """Read the cells with decimal commas, unless most of those with a point exclude them."""
    if summary.commas is None:
        return
    has_points = "." in "".join(present)
    if not has_points and not has_texts:
        summary.commas.add(numbers)
        return
    pointed = (
        list(islice((cell for cell in present if "." in cell), _POINTED)) if has_points else []
    )
    if _MAX_EXCLUDING * sum(_with_comma(cell) is None for cell in pointed) > len(pointed):
        summary.commas = None
        return
    candidates = [cell for cell in present if cell[0] in number_cells.START]
    values = [value for value in map(_with_comma, candidates) if value is not None]
    summary.commas.add(np.array(values, dtype=np.float64))


def _with_comma(cell: str) -> float | None:
    return number_cells.parse_number(number_cells.split_unit(cell)[0], Notation.COMMA)


def _add_texts(summary: ColumnSummary, starters: Sequence[str], words: Sequence[str]) -> None:
    """Count the cells that are no plain numbers; `starters` begin as numbers do."""
    ids = {
        cell
        for texts in (starters, words)
        for cell in texts
        if (len(cell) == source_ids.ID_LENGTH or len(cell) >= _URI)
        and source_ids.parse_track_id(cell)
    }
    if ids:
        total = len(starters) + len(words)
        starters = [cell for cell in starters if cell not in ids]
        words = [cell for cell in words if cell not in ids]
        summary.spotify_ids += total - len(starters) - len(words)
    firsts = Counter(map(itemgetter(0), words))
    summary.lists += sum(firsts[bracket] for bracket in "[({")
    summary.dates += sum(
        cell[-1] in _DIGITS
        and date_cells.begins_with_month(cell)
        and date_cells.parse(cell) is not None
        for cell in words
    )
    if starters:
        _add_candidates(summary, starters)


def _add_candidates(summary: ColumnSummary, candidates: Iterable[str]) -> None:
    """Count cells that begin as numbers do."""
    values, seconds = [], []
    for cell in candidates:
        number, unit = number_cells.split_unit(cell)
        value = number_cells.parse_number(number, Notation.POINT)
        if value is not None:
            values.append(value)
        if value is not None or number_cells.parse_number(number, Notation.COMMA) is not None:
            if unit is not None:
                summary.units[unit] += 1
        elif (time := number_cells.parse_clock(cell)) is not None:
            seconds.append(time)
        elif (date := date_cells.parse(cell)) is not None:
            summary.dates += 1
            if date.order is not None:
                summary.orders[date.order] += 1
            summary.ambiguous_dates += date.is_ambiguous
            if date.short_year is not None:
                summary.short_years[date.short_year] += 1
    summary.clocks += len(seconds)
    summary.points.add(np.array(values, dtype=np.float64))
    summary.times.add(np.array(seconds, dtype=np.float64))
