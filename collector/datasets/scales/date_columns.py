"""Infer the format of a column of release dates or years, and parse its cells. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from collector.datasets.parsing import cells, date_cells
from collector.datasets.parsing.date_cells import DateOrder, ParsedDate, ShortYear
from collector.datasets.survey import ColumnSummary
from genrebase.counts import counted

_LAST_YEAR: Final = 2_100
_UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EXCEL_EPOCH: Final = date(1899, 12, 30)
_NEARLY_ALL: Final = 0.95


class ReleaseDate(NamedTuple):
    """A cell's date and its year; None if it has none that can be stored."""

    text: str | None
    """YYYY, YYYY-MM or YYYY-MM-DD."""
    year: int | None
    is_readable: bool
    """Whether the cell is a date or a number, in range or not."""


@dataclass
class DateScale:
    """The format of the dates of one column."""

    last_year: int
    """Later dates are out of range."""
    order: DateOrder | None = None
    """Decides dates such as `5/6/2019`; without it only their year is taken."""
    short_year: ShortYear = ShortYear.UNKNOWN
    """Where the year is in `14-06-19`; if that is unknown, they are not taken."""
    number_kind: str | None = None
    """What whole numbers are that are no years: `excel` (days since 1899-12-30), or since 1970 the
    seconds (`s`) or milliseconds (`ms`)."""
    note: str | None = None

    def __post_init__(self) -> None:
        self.read = lru_cache(maxsize=32_768)(self._read)

    def _read(self, cell: str) -> ReleaseDate:
        """Return the date in a cell."""
        parsed = self._parse(cell)
        if parsed is None:
            return ReleaseDate(None, None, cells.is_number(cell))
        if not cells.FIRST_YEAR <= parsed.year <= self.last_year:
            return ReleaseDate(None, None, is_readable=True)
        return ReleaseDate(date_cells.format_date(parsed), parsed.year, is_readable=True)

    def _parse(self, cell: str) -> ParsedDate | None:
        if self.number_kind is not None and cells.is_number(cell):
            parsed = _from_number(float(cell), self.number_kind)
            if parsed is not None:
                return parsed
        return date_cells.parse_by(cell, self.order, self.short_year)


def infer_dates(
    column: ColumnSummary, last_year: int, order: DateOrder | None = None
) -> DateScale:
    """Infer the format of a column's dates; `order` is given, or proved by the dates."""
    notes = []
    short_year = _short_year(column, order)
    unknown = column.short_years[ShortYear.UNKNOWN]
    if unknown and short_year is ShortYear.UNKNOWN:
        notes.append(
            f"year first or last is not certain: {counted(unknown, 'date')} such as 14-06-19 "
            "cannot be taken without --unit release_date=day/month/year, month/day/year or "
            "year/month/day"
        )
    if order is None and len(column.orders) == 1:
        order = next(iter(column.orders))
        notes.append(f"dates are {order}")
    elif order is None and column.ambiguous_dates:
        notes.append(
            "day or month first is not certain: only the year of "
            f"{counted(column.ambiguous_dates, 'date')} is taken"
        )
    number_kind = _number_kind(column)
    if number_kind is not None:
        notes.append(_KIND_NOTES[number_kind])
    return DateScale(
        last_year,
        order=order,
        short_year=short_year,
        number_kind=number_kind,
        note="; ".join(notes) or None,
    )


def _short_year(column: ColumnSummary, order: DateOrder | None) -> ShortYear:
    """Return where years of two digits are, by the given order or the dates that prove it."""
    if order is not None:
        return ShortYear.FIRST if order is DateOrder.YEAR_FIRST else ShortYear.LAST
    proved = {place for place in column.short_years if place is not ShortYear.UNKNOWN}
    if not proved and column.orders:
        proved = {ShortYear.LAST}
    return proved.pop() if len(proved) == 1 else ShortYear.UNKNOWN


_KIND_NOTES: Final = {
    "excel": "numbers are days since 1899-12-30, as Excel counts them",
    "s": "numbers are seconds since 1970",
    "ms": "numbers are milliseconds since 1970",
}
_KINDS: Final = {"excel": (15_000, 60_000), "s": (-2.3e9, 4e9), "ms": (-2.3e12, 4e12)}
"""What numbers of each kind may be."""
_CERTAIN: Final[Mapping[str, Sequence[tuple[float, float]]]] = {
    "excel": ((15_000, 60_000),),
    "s": ((1e8, 4e9), (-2.3e9, -1e8)),
    "ms": ((1e11, 4e12), (-2.3e12, -1e11)),
}
"""Numbers that are of no other kind."""


def _number_kind(column: ColumnSummary) -> str | None:
    """Return what numbers are that are no years, if nearly all others are the same."""
    numbers = column.points
    years = numbers.count(cells.FIRST_YEAR, _LAST_YEAR) + numbers.count(0, 0)
    others = numbers.total - years
    counts = Counter(
        {
            kind: sum(numbers.count(*bounds) for bounds in ranges)
            for kind, ranges in _CERTAIN.items()
        }
    )
    kind, count = counts.most_common(1)[0]
    fitting = numbers.count(*_KINDS[kind]) - (0 if kind == "excel" else years)
    is_certain = 2 * count > others and fitting >= _NEARLY_ALL * others and count >= years
    return kind if is_certain and numbers.whole == numbers.total else None


def _from_number(number: float, kind: str) -> ParsedDate | None:
    low, high = _KINDS[kind]
    if not low <= number <= high or number == 0 or cells.FIRST_YEAR <= number <= _LAST_YEAR:
        return None
    if kind == "excel":
        day = _EXCEL_EPOCH + timedelta(days=int(number))
    else:
        seconds = number / 1000 if kind == "ms" else number
        day = (_UNIX_EPOCH + timedelta(seconds=seconds)).date()
    return ParsedDate(day.year, day.month, day.day)
