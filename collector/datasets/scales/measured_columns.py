"""Infer the scales of columns of loudness, tempo and popularity. Pure."""

from dataclasses import replace
from typing import Final

from collector.datasets.column_roles.feature_headers import POPULARITY
from collector.datasets.number_summary import NumberSummary
from collector.datasets.scales.column_scale import ColumnRefused, ColumnScale, native_scale
from collector.datasets.scales.unit_interval_columns import STANDARDISED

RESCALED: Final = "numbers from 0 to 1, rescaled"

_POINTS_LOST: Final = "without decimal points, divided by {:,}"
_EXPONENTS: Final = (1, 2, 3)
"""Numbers of decimals for which a lost point is tested."""
_FEW: Final = 0.05
_NEARLY_ALL: Final = 0.95
_LOUDEST: Final = 60
_MIN_LOUDEST: Final = 10
_STANDARDISED_DB: Final = -6
"""Minimum of standardised numbers; loudness is lower."""
_MIN_NUMBERS: Final = 3
"""Minimum of numbers from which the spread of a column is inferred."""
_FEW_NUMBERS: Final = 20
"""All of fewer tracks may be quiet."""
_USUAL_DB: Final = (-30, -2)
"""The loudness of most tracks."""
_USUAL_BPM: Final = (40, 250)
"""The tempo of nearly every track."""
_MIN_TEMPO: Final = 20


def infer_loudness(numbers: NumberSummary) -> ColumnScale:
    """Infer the scale of decibels, which are nearly always negative."""
    scale, total = native_scale("loudness"), numbers.total
    if numbers.whole == total and not _is_loudness(numbers):
        exponents = [n for n in _EXPONENTS if _is_loudness(numbers, 10**n)]
        if len(exponents) == 1:
            return _without_points(scale, exponents[0])
        if exponents:
            raise ColumnRefused("decimal points are lost")
    negative = numbers.negative
    positive = total - negative - numbers.count(0, 0)
    if not negative:
        is_sign_lost = (
            _MIN_LOUDEST < numbers.maximum <= _LOUDEST
            and numbers.count(0, 30) >= _NEARLY_ALL * total
            and numbers.whole < total
        )
        if is_sign_lost:
            return replace(scale, multiplier=-1, note="without minus signs, taken as negative")
        raise ColumnRefused("no negative number, which decibels are")
    if positive > negative or (
        min(positive, negative) > total * 0.2 and numbers.minimum > _STANDARDISED_DB
    ):
        raise ColumnRefused("as many positive as negative numbers, as after standardising")
    if total >= _MIN_NUMBERS and 2 * numbers.count(-2.5, 20) > total:
        raise ColumnRefused("most numbers near 0, as after rescaling")
    return scale


def infer_tempo(numbers: NumberSummary) -> ColumnScale:
    scale = replace(native_scale("tempo"), low=_MIN_TEMPO)
    measured = numbers.total - numbers.count(0, 0)
    low, high = _USUAL_BPM
    for exponent in _EXPONENTS if numbers.whole == numbers.total else ():
        factor = 10**exponent
        if measured and numbers.count(low * factor, high * factor) >= _NEARLY_ALL * measured:
            return _without_points(scale, exponent)
    if numbers.standardised > _FEW * numbers.total:
        raise ColumnRefused(STANDARDISED)
    return scale


def infer_popularity(numbers: NumberSummary) -> ColumnScale:
    scale = native_scale(POPULARITY)
    if numbers.standardised > _FEW * numbers.total:
        raise ColumnRefused(STANDARDISED)
    if numbers.maximum <= 1 and numbers.whole < numbers.total:
        if numbers.hundredths < numbers.total:
            raise ColumnRefused(RESCALED)
        return replace(scale, exponent=2, note="0 to 1, multiplied by 100")
    return scale


def _is_loudness(numbers: NumberSummary, factor: int = 1) -> bool:
    """Return whether whole numbers are decibels, multiplied by `factor`."""
    quiet, loud = _USUAL_DB
    usual = numbers.count(quiet * factor, loud * factor if factor > 1 else 0)
    if numbers.count(-60 * factor, 0) < _NEARLY_ALL * numbers.total:
        return False
    return 2 * usual > numbers.total or (factor == 1 and numbers.total < _FEW_NUMBERS)


def _without_points(scale: ColumnScale, exponent: int) -> ColumnScale:
    return replace(scale, exponent=-exponent, note=_POINTS_LOST.format(10**exponent))
