"""Infer notation, scale and unit of a table's numeric columns, before any cell is taken. Pure.

A column is taken on the scale that its numbers prove, as a whole or not at all. If more than half
of its cells are out of range, the scale is another one, and the cells in range are no evidence.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from collector.datasets.column_roles.feature_headers import DURATION, POPULARITY, FeatureColumn
from collector.datasets.number_summary import NumberSummary
from collector.datasets.parsing import cells, musical_cells, number_cells
from collector.datasets.parsing.number_cells import Notation
from collector.datasets.scales import duration_columns, unit_interval_columns
from collector.datasets.scales.category_columns import infer_category
from collector.datasets.scales.column_notation import column_notation, table_notation
from collector.datasets.scales.column_scale import ColumnRefused, ColumnScale, native_scale
from collector.datasets.scales.measured_columns import (
    RESCALED,
    infer_loudness,
    infer_popularity,
    infer_tempo,
)
from collector.datasets.scales.unit_interval_columns import UnitIntervalScale
from collector.datasets.survey import ColumnSummary, TableSummary
from genrebase.errors import UserError
from genrebase.store import tables

SHARES: Final[Sequence[str]] = tuple(
    name for name in tables.FEATURES if tables.FEATURE_RANGES[name] == (0.0, 1.0)
)
"""The features from 0 to 1."""
UNITS: Final[Mapping[str, Sequence[str]]] = {
    **dict.fromkeys(SHARES, ("fraction", "percent")),
    DURATION: tuple(duration_columns.MILLISECONDS),
    POPULARITY: ("percent",),
    "loudness": ("db",),
    "tempo": ("bpm",),
}
"""Units that a field may be in."""

_NEVER_ALL_ZERO: Final = frozenset(("danceability", "energy", "liveness", "valence"))
_MARKERS: Final = {"key": (-1, -1), "mode": (-1, -1), "tempo": (0, 0), "time_signature": (0, 0)}
"""Placeholders of missing values: they are out of range, but no evidence of another scale."""


Scales = Mapping[str, tuple[int, ColumnScale]]
"""The position and the scale of each column that is taken, by field."""


@dataclass(frozen=True, slots=True)
class _Column:
    """One column in one notation."""

    field: str
    position: int
    summary: ColumnSummary
    notation: Notation
    unit: str | None
    """From the option, the cells or the column's name."""
    is_unit_certain: bool
    """Whether the unit comes from the option or from the cells."""
    cell_unit: str | None
    """The unit after the numbers in the cells."""

    @property
    def numbers(self) -> NumberSummary:
        commas = self.summary.commas
        return commas if self.notation is Notation.COMMA and commas else self.summary.points


def infer_columns(
    columns: Mapping[str, FeatureColumn],
    summary: TableSummary,
    overrides: Mapping[str, str],
) -> tuple[Scales, Sequence[str]]:
    """Infer the scales of the features, the duration and the popularity.

    Also returned is a message for each column that is rescaled or not taken. `overrides` names
    units by field, instead of those that names and numbers prove. Raises `UserError` for a unit
    that its field cannot have.
    """
    for name, unit in overrides.items():
        if unit not in UNITS.get(name, ()):
            raise UserError(_unknown_unit(name, unit))
        if name not in columns:
            raise UserError(
                f"The table has no column of {name}, to which --unit gives a unit. Its columns of "
                f"numbers are: {', '.join(columns) or 'none'}."
            )
    inference = _ScaleInference(columns, summary, overrides)
    return inference.scales(), inference.notes()


class _ScaleInference:
    """Infers the scales of the columns of one table."""

    def __init__(
        self,
        columns: Mapping[str, FeatureColumn],
        summary: TableSummary,
        overrides: Mapping[str, str],
    ) -> None:
        self._overrides = overrides
        summaries = {
            name: summary.get(column.position) or ColumnSummary(name)
            for name, column in columns.items()
        }
        self._notation = table_notation(list(summary.values()))
        self._columns = {
            name: self._column(name, column, summaries[name])
            for name, column in columns.items()
            # the names of the keys may have the mode, instead of an empty column
            if name != "mode" or summaries[name].present or not summaries[name].rows
        }
        self._scales: dict[str, tuple[int, ColumnScale]] = {}
        self._reasons: dict[str, str] = {}
        self._is_rescaled = False
        """Whether a column with another range than 0..1 was rescaled to it."""

    def _column(self, name: str, column: FeatureColumn, summary: ColumnSummary) -> _Column:
        notation = column_notation(summary, self._notation)
        cell_unit = _cell_unit(summary)
        unit = self._overrides.get(name) or cell_unit or column.unit
        if unit not in UNITS.get(name, ()):
            unit = None
        if cell_unit not in UNITS.get(name, ()):
            cell_unit = None
        if notation is None:
            notation = Notation.COMMA if _fits_with_comma(name, summary) else Notation.POINT
        is_certain = unit is not None and (name in self._overrides or cell_unit is not None)
        return _Column(name, column.position, summary, notation, unit, is_certain, cell_unit)

    def scales(self) -> Scales:
        """Infer all scales; features from 0 to 1 come last and depend on one another."""
        for name, column in self._columns.items():
            if name not in SHARES or name in tables.CATEGORICAL_FEATURES:
                with self._noting_refusal(column):
                    self._take(column, self._scale_of(column))
        self._take_shares([self._columns[name] for name in SHARES if name in self._columns])
        return self._scales

    @contextmanager
    def _noting_refusal(self, column: _Column) -> Iterator[None]:
        try:
            yield
        except ColumnRefused as refused:
            self._reasons[column.field] = str(refused)

    def _take(self, column: _Column, scale: ColumnScale) -> None:
        _refuse_if_most_are_out(column, scale)
        taken = replace(scale, notation=column.notation, unit=column.cell_unit)
        self._scales[column.field] = (column.position, taken)

    def _scale_of(self, column: _Column) -> ColumnScale:
        if column.field in tables.CATEGORICAL_FEATURES:
            return self._category(column)
        if column.field == DURATION:
            return _duration(column)
        if not column.numbers.total:
            return native_scale(column.field)
        if column.field == POPULARITY:
            return infer_popularity(column.numbers)
        if column.numbers.minimum >= 0 and 0 < column.numbers.maximum <= 1:
            self._is_rescaled = True
            raise ColumnRefused(RESCALED)
        infer = infer_loudness if column.field == "loudness" else infer_tempo
        return infer(column.numbers)

    def _category(self, column: _Column) -> ColumnScale:
        values = column.summary.values
        if values is None:
            raise ColumnRefused("more different values than there are categories")
        try:
            scale, names_mode = infer_category(column.field, values, column.notation)
        except ColumnRefused:
            self._is_rescaled |= column.field == "key"
            raise
        if names_mode and "mode" not in self._columns:  # such as `A Minor`
            words = musical_cells.parse_mode_of_key
            mode = replace(native_scale("mode"), words=words, note=scale.note)
            self._scales["mode"] = (column.position, mode)
        return scale

    def _take_shares(self, columns: Sequence[_Column]) -> None:
        alone: list[tuple[_Column, UnitIntervalScale]] = []
        for column in columns:  # a mode of 0 and 100 proves percent, and is no share itself
            is_mode = column.field in tables.CATEGORICAL_FEATURES
            with suppress(ColumnRefused) if is_mode else self._noting_refusal(column):
                alone.append((column, _unit_interval(column)))
        percent = [column.numbers for column, own in alone if own is UnitIntervalScale.PERCENT]
        for column, own in alone:
            if column.field not in tables.CATEGORICAL_FEATURES:
                with self._noting_refusal(column):
                    self._take(column, self._share_scale(column, own, percent))

    def _share_scale(
        self, column: _Column, own: UnitIntervalScale, percent: Sequence[NumberSummary]
    ) -> ColumnScale:
        if column.unit is None and column.numbers.total:
            own = unit_interval_columns.infer_beside(
                own, column.numbers, percent, is_rescaled=self._is_rescaled
            )
        exponent, note = unit_interval_columns.RESCALING[own]
        return replace(native_scale(column.field), exponent=exponent, note=note)

    def notes(self) -> Sequence[str]:
        """Return a message for every column that is rescaled or not taken."""
        commas = [
            cells.escape_unprintable(column.summary.name)
            for column in self._columns.values()
            if column.notation is Notation.COMMA and column.numbers.total
        ]
        notes = [f"Numbers with decimal commas: {', '.join(commas)}"] if commas else []
        for name, column in self._columns.items():
            title = cells.escape_unprintable(column.summary.name)
            if name in self._reasons:
                notes.append(f"{title}: {self._reasons[name]}: column not taken")
            elif (note := self._scales[name][1].note) is not None:
                notes.append(f"{title}: {note}")
        return notes


def _unit_interval(column: _Column) -> UnitIntervalScale:
    """Return the scale of a column from 0 to 1, by its unit if that is certain."""
    numbers = column.numbers
    if column.unit == "fraction" or not numbers.total:
        return UnitIntervalScale.FRACTION
    if column.unit != "percent":
        may_be_zero = column.field not in _NEVER_ALL_ZERO
        return unit_interval_columns.infer_unit_interval(numbers, may_be_zero=may_be_zero)
    if not column.is_unit_certain:
        unit_interval_columns.infer_unit_interval(numbers)  # it may refuse the column
        if numbers.maximum <= 1 and numbers.whole < numbers.total:
            raise ColumnRefused(unit_interval_columns.UNCERTAIN_UNIT)
    return UnitIntervalScale.PERCENT


def _fits_with_comma(name: str, summary: ColumnSummary) -> bool:
    """Return whether a column's numbers are in range with decimal commas only."""
    scale = native_scale(name)
    points, commas = summary.points, summary.commas
    if name == DURATION or commas is None:
        return False
    fits_point = scale.low <= points.minimum and points.maximum <= scale.high
    return not fits_point and scale.low <= commas.minimum and commas.maximum <= scale.high


def _duration(column: _Column) -> ColumnScale:
    if column.is_unit_certain and column.unit is not None:
        scale = duration_columns.duration_scale(column.unit)
    else:
        scale = duration_columns.infer_duration(column.numbers, column.unit)
    if duration_columns.may_be_mangled(column.summary.times):
        raise ColumnRefused("times such as 3:45:00, which may be 3:45")
    is_noted = scale.note is not None or scale.are_numbers_words or not column.summary.clocks
    return scale if is_noted else replace(scale, note="minutes and seconds")


def _refuse_if_most_are_out(column: _Column, scale: ColumnScale) -> None:
    """Raise `ColumnRefused` if more than half of the cells are out of range or unreadable.

    Placeholders of missing values are no evidence. A column without a usable number passes; its
    cells are counted one by one.
    """
    present = column.summary.present
    if column.field == DURATION:  # its range depends on its unit
        taken = readable = column.numbers.total + column.summary.clocks
        marked = 0
    elif column.field in tables.CATEGORICAL_FEATURES:
        taken, readable, marked = _categories(column.summary.values or {}, scale, column.field)
    else:
        taken, readable = column.numbers.count(*_range_before(scale)), column.numbers.total
        marked = column.numbers.count(*_MARKERS.get(column.field, (-1, -1)))
    values = readable - marked
    if 2 * (values - taken) > values:
        raise ColumnRefused(f"on no usual scale ({values - taken:,} of {values:,} out of range)")
    if taken and 2 * (present - readable) > present:
        raise ColumnRefused(f"most cells are no numbers ({present - readable:,} of {present:,})")


def _categories(values: Mapping[str, int], scale: ColumnScale, name: str) -> tuple[int, int, int]:
    """Return the numbers of cells that are categories, are readable, and are placeholders."""
    counts = {cell: (scale.read(cell), count) for cell, count in values.items()}
    readable = [(value, count) for value, count in counts.values() if value is not None]
    taken = sum(count for value, count in readable if scale.fits(value))
    marked = sum(count for value, count in readable if value == _MARKERS[name][0])
    return taken, sum(count for _, count in readable), marked


def _range_before(scale: ColumnScale) -> tuple[float, float]:
    """Return the range of a scale's numbers before they are rescaled."""
    low, high = (round(bound / 10.0**scale.exponent, 6) for bound in (scale.low, scale.high))
    return (low, high) if scale.multiplier > 0 else (-high, -low)


def _cell_unit(summary: ColumnSummary) -> str | None:
    """Return the unit after the numbers, if most have it; times such as `3:45` have none."""
    if not summary.units:
        return None
    unit, count = summary.units.most_common(1)[0]
    return unit if 2 * count > summary.present - summary.clocks else None


def _unknown_unit(name: str, unit: str) -> str:
    allowed = UNITS.get(name)
    if allowed is None:
        return f"{name} has no unit that can be named; these have: {', '.join(UNITS)}."
    known = ", ".join(dict.fromkeys(number_cells.UNITS.values()))
    return f"{name} cannot be in {unit!r}: name one of {', '.join(allowed) or known}."
