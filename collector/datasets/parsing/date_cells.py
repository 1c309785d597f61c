"""Parse dates as tables write them: `2019-06-14`, `14/06/2019`, `June 14, 2019`. Pure."""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple


class DateOrder(StrEnum):
    """Whether the day or the month of `5/6/2019` comes first."""

    DAY_FIRST = "day/month/year"
    MONTH_FIRST = "month/day/year"
    YEAR_FIRST = "year/month/day"
    """Of years with two digits: `19-06-14`."""


class ShortYear(StrEnum):
    """Where the two digits of a year are in a date with hyphens."""

    FIRST = "first"
    LAST = "last"
    UNKNOWN = "unknown"
    """`14-06-19` may be of 2014 or of 2019."""


class ParsedDate(NamedTuple):
    """A date; month and day are None if the cell has none."""

    year: int
    month: int | None = None
    day: int | None = None
    order: DateOrder | None = None
    """The order that this date proves: `14/06/2019` has no fourteenth month."""
    is_ambiguous: bool = False
    """Whether day and month could be in the other order."""
    short_year: ShortYear | None = None
    """For a date with hyphens whose year has two digits; UNKNOWN: read as if the year is last."""
    numbers: tuple[str, str, str] | None = None
    """Of a date of unknown `short_year`."""


_MONTH_NAMES: Final = (
    "january jan januar jän janvier janv enero ene janeiro gennaio gen januari",
    "february feb februar février févr fév febrero fevereiro fev febbraio februari",
    "march mar märz mär mrz mars marzo março maart",
    "april apr avril avr abril abr aprile",
    "may mai mayo maio maggio mag mei",
    "june jun juni juin junio junho giugno giu",
    "july jul juli juillet juil julio julho luglio lug",
    "august aug août agosto ago augustus",
    "september sep sept septembre septiembre setembro set settembre",
    "october oct oktober okt octobre octubre outubro out ottobre ott",
    "november nov novembre noviembre novembro",
    "december dec dezember dez décembre déc diciembre dic dezembro dicembre",
)
"""English, German, French, Spanish, Portuguese, Italian and Dutch."""
_MONTHS: Final[Mapping[str, int]] = {
    name: month for month, names in enumerate(_MONTH_NAMES, 1) for name in names.split()
}
_MONTH_STARTS: Final = frozenset(name[:3] for name in _MONTHS)

_REST: Final = r"(?:\.0+|[T ,].*)?"
_YEAR_FIRST: Final = re.compile(
    rf"(?P<year>\d{{4}})(?:(?P<separator>[-/.])(?P<month>\d{{1,2}})"
    rf"(?:(?P=separator)(?P<day>\d{{1,2}})|(?<=[-/]\d)|(?<=[-/]\d\d)))?{_REST}"
)
_YEAR_LAST: Final = re.compile(
    r"(\d{1,2})(?P<separator>[-/.])(\d{1,2})(?P=separator)(\d{4}|(?<=[/.])\d{2})(?:[T ,].*)?"
)
_SHORT: Final = re.compile(r"(\d{1,2})-(\d{1,2})-(\d{1,2})(?:[T ,].*)?")
_MONTH_AND_YEAR: Final = re.compile(r"(\d{1,2})[-/.](\d{4})")
_BASIC: Final = re.compile(r"(?P<year>(?:1[89]|20)\d\d)(?P<month>[01]\d)(?P<day>[0-3]\d)")
_NAMED: Final = re.compile(
    r"(?:[a-z]{2,4}\.?, )?"  # a day of the week
    r"(?:(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?[\s-]+(?:de )?)?(?P<name>[^\W\d]+)\.?[\s-]+(?:de )?"
    r"(?:(?P<day_after>\d{1,2})(?:st|nd|rd|th)?,?[\s-]+)?(?P<year>\d{4}|(?<=-)\d{2})(?:[T ,].*)?"
)
_EAST_ASIAN: Final = re.compile(
    r"(?P<year>\d{4})[年년]\s*(?:(?P<month>\d{1,2})[月월]\s*(?:(?P<day>\d{1,2})[日일])?)?"
)
_LONGEST: Final = 40
_LAST_MONTH: Final = 12
_LAST_DAY: Final = 31
_LAST_SHORT_YEAR: Final = 39
"""`6/14/39` is 2039, `6/14/40` is 1940."""


def begins_with_month(cell: str) -> bool:
    """Return whether the first letters are those of a month's name."""
    return cell[:3].casefold() in _MONTH_STARTS


@lru_cache(maxsize=32_768)
def parse(cell: str) -> ParsedDate | None:
    """Return a cell's date; None for other formats.

    A month or day that does not exist is left out.
    """
    text = cell.strip()
    if len(text) > _LONGEST or not any(map(str.isdigit, text)):
        return None
    if match := _first_match(text):
        return _date(match["year"], match["month"], match["day"])
    if match := _YEAR_LAST.fullmatch(text):
        first, separator, second, year_text = match.groups()
        return _year_last(int(first), int(second), _full_year(year_text), separator)
    if match := _SHORT.fullmatch(text):
        return _short(*match.groups())
    if match := _MONTH_AND_YEAR.fullmatch(text):
        return _date(match[2], match[1], None)
    match = _NAMED.fullmatch(text.casefold())
    if match is None or match["name"] not in _MONTHS:
        return None
    month = _MONTHS[match["name"]]
    return _date(_full_year(match["year"]), month, match["day"] or match["day_after"])


def _first_match(text: str) -> re.Match[str] | None:
    """Return the match of a date that begins with its year."""
    return _YEAR_FIRST.fullmatch(text) or _BASIC.fullmatch(text) or _EAST_ASIAN.fullmatch(text)


def parse_by(
    cell: str, order: DateOrder | None = None, short_year: ShortYear = ShortYear.UNKNOWN
) -> ParsedDate | None:
    """Return a cell's date, with what its column says about ambiguous ones; None for none.

    Without an `order` only the year of `5/6/2019` is returned; `14-06-19` is no date if it is
    unknown where its year is.
    """
    date = parse(cell)
    if date is not None and date.short_year is ShortYear.UNKNOWN:
        if short_year is ShortYear.UNKNOWN:
            return None
        if short_year is ShortYear.FIRST:
            return _year_first(*date.numbers) if date.numbers else None
    if date is None or not date.is_ambiguous or order is DateOrder.MONTH_FIRST:
        return date
    if order is DateOrder.DAY_FIRST:
        return date._replace(month=date.day, day=date.month)
    return ParsedDate(date.year)


def format_date(date: ParsedDate) -> str:
    """Return a date as YYYY, YYYY-MM or YYYY-MM-DD."""
    if date.month is None:
        return f"{date.year:04}"
    if date.day is None:
        return f"{date.year:04}-{date.month:02}"
    return f"{date.year:04}-{date.month:02}-{date.day:02}"


def _full_year(text: str) -> int:
    year = int(text)
    if len(text) < len("2019"):
        year += 1900 if year > _LAST_SHORT_YEAR else 2000
    return year


def _short(first: str, second: str, third: str) -> ParsedDate | None:
    """Return a date with hyphens, whose year has two digits and is its first or its last number.

    A number above 31 is no day, so it is the year.
    """
    numbers = (first, second, third)
    is_first, is_last = (len(part) == 2 and int(part) > _LAST_DAY for part in (first, third))
    if is_first:
        return None if is_last else _year_first(*numbers)
    if len(third) < len("19"):
        return _year_first(*numbers) if len(first) == len("19") else None
    date = _year_last(int(first), int(second), _full_year(third), "-")
    if is_last:
        return None if date is None else date._replace(short_year=ShortYear.LAST)
    if len(first) < len("19"):
        return None if date is None else date._replace(short_year=ShortYear.LAST)
    date = date or ParsedDate(_full_year(third))
    return date._replace(order=None, short_year=ShortYear.UNKNOWN, numbers=numbers)


def _year_first(first: str, second: str, third: str) -> ParsedDate:
    return _date(_full_year(first), second, third)._replace(short_year=ShortYear.FIRST)


def _year_last(first: int, second: int, year: int, separator: str) -> ParsedDate | None:
    """Return the date of `first/second/year`; dates with dots begin with the day."""
    if first > _LAST_MONTH >= second:
        return _date(year, second, first)._replace(order=DateOrder.DAY_FIRST)
    if second > _LAST_MONTH >= first:
        return _date(year, first, second)._replace(order=DateOrder.MONTH_FIRST)
    if first > _LAST_MONTH:
        return None
    if separator == ".":
        return _date(year, second, first)
    return _date(year, first, second)._replace(is_ambiguous=first != second)


def _date(
    year_given: int | str, month_given: int | str | None, day_given: int | str | None
) -> ParsedDate:
    year, month, day = int(year_given), int(month_given or 0), int(day_given or 0)
    if not 1 <= month <= _LAST_MONTH:
        return ParsedDate(year)
    return ParsedDate(year, month, day if 1 <= day <= _LAST_DAY else None)
