"""Infer the scales of all numbers and dates of a table of tracks. Pure.

The other modules of this folder infer those of one kind of column, such as
`unit_interval_columns` whether a column is in 0 to 1 or in percent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.datasets.column_roles import feature_headers
from collector.datasets.column_roles.columns import DatasetColumns
from collector.datasets.column_roles.feature_headers import FeatureColumn
from collector.datasets.parsing import cells
from collector.datasets.parsing.date_cells import DateOrder
from collector.datasets.scales.date_columns import DateScale, infer_dates
from collector.datasets.scales.number_parser import NumberParser
from collector.datasets.scales.numeric_columns import UNITS, infer_columns
from collector.datasets.survey import TableSummary
from genrebase.errors import UserError

RELEASE_DATE = "release_date"


@dataclass(frozen=True, slots=True)
class InferredScales:
    """The inferred scales of a table's numbers."""

    parser: NumberParser
    taken: Mapping[str, FeatureColumn]
    """The taken columns, by field."""
    notes: Sequence[str] = ()
    """A message for each column that is rescaled or not taken."""


def infer_scales(
    columns: DatasetColumns,
    summary: TableSummary,
    last_year: int,
    unit_overrides: Mapping[str, str] | None = None,
) -> InferredScales:
    """Infer the scales of a table's numeric columns from its summary.

    `unit_overrides` names units by field or column name: `s` of `length`, `percent` of `energy`,
    `month/day/year` of `release_date`. Raises `UserError` for an unknown one. Dates after
    `last_year` are out of range. A column without a summary has the scale of its name.
    """
    by_name = {
        summary[column.position].name: name
        for name, column in columns.numeric.items()
        if column.position in summary
    }
    overrides = {
        by_name.get(name) or _field(name): unit for name, unit in (unit_overrides or {}).items()
    }
    order = _order(overrides.pop(RELEASE_DATE, None))
    if order is not None and not columns.dates:
        raise UserError(f"The table has no column of {RELEASE_DATE}, to which --unit gives one.")
    scales, unit_notes = infer_columns(columns.numeric, summary, overrides)
    dates = {
        at: infer_dates(summary[at], last_year, order) if at in summary else DateScale(last_year)
        for at in columns.dates
    }
    notes = [
        f"{cells.escape_unprintable(summary[at].name)}: {scale.note}."
        for at, scale in dates.items()
        if scale.note is not None
    ]
    parser = NumberParser(scales, dates, columns.date_parts)
    taken = {name: column for name, column in columns.numeric.items() if name in scales}
    return InferredScales(parser, taken, [*(f"{note}." for note in unit_notes), *notes])


def _field(name: str) -> str:
    """Return the field of a column's name, or the name itself."""
    parsed = feature_headers.parse_header(name)
    return name if name in UNITS or parsed is None else parsed.field


def _order(given: str | None) -> DateOrder | None:
    if given is None:
        return None
    try:
        return DateOrder(given)
    except ValueError:
        raise UserError(
            f"{RELEASE_DATE} cannot be in {given!r}: name {' or '.join(DateOrder)}."
        ) from None
