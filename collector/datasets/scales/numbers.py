"""Judge all numbers of a table of tracks: features, duration, popularity, release date. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.datasets.column_roles import feature_headers
from collector.datasets.column_roles.columns import DatasetColumns
from collector.datasets.column_roles.feature_headers import FeatureColumn
from collector.datasets.parsing import cells
from collector.datasets.parsing.date_cells import DateOrder
from collector.datasets.scales.date_columns import DateScale, infer_dates
from collector.datasets.scales.number_parser import NumberParser
from collector.datasets.scales.numeric_columns import UNITS, UnknownUnit, infer_columns
from collector.datasets.survey import TableSummary

RELEASE_DATE = "release_date"


@dataclass(frozen=True, slots=True)
class InferredScales:
    """How the numbers of a table are read."""

    parser: NumberParser
    taken: Mapping[str, FeatureColumn]
    """The columns that are taken, by field."""
    notes: Sequence[str] = ()
    """What was rescaled, and which columns are not taken: one message each."""


def infer_scales(
    columns: DatasetColumns,
    summary: TableSummary,
    last_year: int,
    unit_overrides: Mapping[str, str] | None = None,
) -> InferredScales:
    """Judge the numeric columns of a table by its summary.

    `unit_overrides` names units by field or column name: `s` of `length`, `percent` of `energy`,
    `month/day/year` of `release_date`. Raises `UnknownUnit` for one that there is not. Dates after
    `last_year` are out of range. A column without a summary is taken as its name says.
    """
    by_name = {
        summary.columns[column.position].name: name
        for name, column in columns.numeric.items()
        if column.position in summary.columns
    }
    overrides = {
        by_name.get(name) or _field(name): unit for name, unit in (unit_overrides or {}).items()
    }
    order = _order(overrides.pop(RELEASE_DATE, None))
    inferred = infer_columns(columns.numeric, summary, overrides)
    dates = {
        at: infer_dates(summary.columns[at], last_year, order)
        if at in summary.columns
        else DateScale(last_year)
        for at in columns.dates
    }
    notes = [
        f"{cells.escape_unprintable(summary.columns[at].name)}: {scale.note}."
        for at, scale in dates.items()
        if scale.note is not None
    ]
    parser = NumberParser(inferred.columns, dates, inferred.scales)
    taken = {name: column for name, column in columns.numeric.items() if name in inferred.scales}
    return InferredScales(parser, taken, [*(f"{note}." for note in inferred.notes), *notes])


def _field(name: str) -> str:
    """Return the field that a column's name stands for, or the name."""
    parsed = feature_headers.parse_header(name)
    return name if name in UNITS or parsed is None else parsed.field


def _order(given: str | None) -> DateOrder | None:
    if given is None:
        return None
    try:
        return DateOrder(given)
    except ValueError:
        raise UnknownUnit(
            f"{RELEASE_DATE} cannot be in {given!r}: name {' or '.join(DateOrder)}."
        ) from None
