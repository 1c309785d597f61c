"""Infer the scale of the features from 0 to 1: fractions, percent, thousandths. Pure.

One column is not always enough: acousticness of 0, 1 and 2 is percent if energy is percent.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from collector.datasets.number_summary import NumberSummary
from collector.datasets.scales.column_scale import ColumnRefused


class UnitIntervalScale(StrEnum):
    """The scale of one column."""

    FRACTION = "0 to 1"
    PERCENT = "0 to 100"
    THOUSANDTHS = "0 to 1,000"
    UNCERTAIN_PERCENT = "0 to 1 or 0 to 100"
    """Most numbers exclude fractions, but such low percentages are improbable, too."""
    UNCERTAIN_FRACTION = "0 to 1, some above"
    """Most numbers may be fractions."""


RESCALING: Final[Mapping[UnitIntervalScale, tuple[int, str | None]]] = {
    UnitIntervalScale.FRACTION: (0, None),
    UnitIntervalScale.PERCENT: (-2, "0 to 100, divided by 100"),
    UnitIntervalScale.THOUSANDTHS: (-3, "without decimal points, divided by 1,000"),
}
"""The power of ten that numbers on a certain scale are multiplied by, and the message about it."""

UNCERTAIN_UNIT: Final = "fractions or percent, name the unit"
STANDARDISED: Final = "negative numbers, as after standardising"
_ALL_ZERO: Final = "every number is 0"
_RESCALED: Final = "from 0 to 1 exactly, as other columns that were rescaled"

_FEW: Final = 0.05
_MIXED: Final = 0.3
"""A column with this share of numbers from 1 to 100 is no column of fractions."""
_NEARLY_ALL: Final = 0.99
_FEW_NEGATIVE: Final = 0.02
_MIN_PERCENT: Final = 10
"""A column with a smaller maximum may be on a scale up to 5 or 10."""
_MIN_THOUSANDTHS: Final = 500
_MIN_NUMBERS: Final = 20
"""So many numbers of at most 1 are no percent; so many zeros are no measurements."""


def infer_unit_interval(numbers: NumberSummary, *, may_be_zero: bool = True) -> UnitIntervalScale:
    """Infer the scale of a column from its own numbers.

    `may_be_zero` is whether 0 alone is plausible, as it is for instrumentalness. Raises
    `ColumnRefused`.
    """
    total = numbers.total
    if not may_be_zero and total >= _MIN_NUMBERS and numbers.minimum == numbers.maximum == 0:
        raise ColumnRefused(_ALL_ZERO)
    if numbers.standardised > _FEW_NEGATIVE * total:
        raise ColumnRefused(STANDARDISED)
    if numbers.maximum <= 1:
        return UnitIntervalScale.FRACTION
    fractions, percent = numbers.count(0, 1), numbers.count(0, 100)
    is_percent = percent >= _NEARLY_ALL * total
    if numbers.whole == total:
        if is_percent:
            return _percent(numbers)
        return _thousandths(numbers)
    above, zeros = percent - fractions, numbers.count(0, 0)
    if is_percent and 2 * above > total - zeros:  # 0 is the same on every scale
        return _percent(numbers)
    if above > fractions - zeros:
        return UnitIntervalScale.UNCERTAIN_PERCENT
    is_rare = above < _FEW * total
    return UnitIntervalScale.FRACTION if is_rare else UnitIntervalScale.UNCERTAIN_FRACTION


def infer_beside(
    scale: UnitIntervalScale,
    numbers: NumberSummary,
    percent: Sequence[NumberSummary],
    *,
    is_rescaled: bool,
) -> UnitIntervalScale:
    """Infer the scale of a column, inferred from its own numbers, from the others of the table.

    `percent` are the columns that are in percent. `is_rescaled` is whether another column, such as
    the tempo, was rescaled to 0..1. Raises `ColumnRefused`.
    """
    if scale in {UnitIntervalScale.UNCERTAIN_PERCENT, UnitIntervalScale.UNCERTAIN_FRACTION}:
        if percent:
            return UnitIntervalScale.PERCENT
        is_mixed = numbers.count(0, 100) - numbers.count(0, 1) >= _MIXED * numbers.total
        if scale is UnitIntervalScale.UNCERTAIN_PERCENT or is_mixed:
            raise ColumnRefused(UNCERTAIN_UNIT)
        return UnitIntervalScale.FRACTION
    if scale is not UnitIntervalScale.FRACTION:
        return scale
    if is_rescaled and (numbers.minimum, numbers.maximum) == (0, 1) and numbers.total > 2:
        raise ColumnRefused(_RESCALED)
    if not percent:
        return scale
    if numbers.whole == numbers.total:
        return UnitIntervalScale.PERCENT
    above_zero = numbers.count(0, 1) - numbers.count(0, 0)
    has_decimals = any(column.whole < column.total for column in percent)
    if has_decimals and above_zero < _MIN_NUMBERS and numbers.maximum <= 1:
        raise ColumnRefused(UNCERTAIN_UNIT)
    return scale


def _percent(numbers: NumberSummary) -> UnitIntervalScale:
    is_certain = numbers.maximum > _MIN_PERCENT
    return UnitIntervalScale.PERCENT if is_certain else UnitIntervalScale.UNCERTAIN_PERCENT


def _thousandths(numbers: NumberSummary) -> UnitIntervalScale:
    """Return the scale of whole numbers above 100.

    A lost decimal point multiplied every number by 1,000 if multiples of ten are left; without
    them 0.61 became 61, and 0.543 became 543.
    """
    above = numbers.count(0, 1_000) - numbers.count(0, 100)
    if numbers.maximum > 1_000 or 2 * above <= numbers.total:
        return UnitIntervalScale.FRACTION
    if numbers.maximum > _MIN_THOUSANDTHS and numbers.tens >= _FEW * numbers.total:
        return UnitIntervalScale.THOUSANDTHS
    raise ColumnRefused("decimal points are lost")
