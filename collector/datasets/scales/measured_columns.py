"""Decide on which scale columns of loudness, tempo and popularity are. Pure."""

from dataclasses import replace
from typing import Final

from collector.datasets.column_roles.feature_headers import POPULARITY
from collector.datasets.number_summary import NumberSummary
from collector.datasets.scales.column_scale import ColumnRefused, ColumnScale, native_scale
from collector.datasets.scales.share_columns import NOTES, STANDARDISED, ShareScale

RESCALED: Final = "numbers from 0 to 1, rescaled"

_THOUSANDFOLD: Final = NOTES[ShareScale.THOUSANDTHS]
_FEW: Final = 0.05
_NEARLY_ALL: Final = 0.95
_LOUDEST: Final = 60
_MIN_LOUDEST: Final = 10
_STANDARDISED_DB: Final = -6
"""Standardised numbers are not smaller; loudness is."""


def judge_loudness(numbers: NumberSummary) -> ColumnScale:
    """Decibels, nearly always negative."""
    scale, total = native_scale("loudness"), numbers.total
    if numbers.count(-100, 20) * 2 <= total and _is_thousandfold(numbers, -100_000, 0):
        return replace(scale, exponent=-3, note=_THOUSANDFOLD)
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
    return scale


def judge_tempo(numbers: NumberSummary) -> ColumnScale:
    scale = native_scale("tempo")
    if _is_thousandfold(numbers, 1_000, 400_000):
        return replace(scale, exponent=-3, note=_THOUSANDFOLD)
    if numbers.standardised > _FEW * numbers.total:
        raise ColumnRefused(STANDARDISED)
    return scale


def judge_popularity(numbers: NumberSummary) -> ColumnScale:
    scale = native_scale(POPULARITY)
    if numbers.standardised > _FEW * numbers.total:
        raise ColumnRefused(STANDARDISED)
    if numbers.maximum <= 1 and numbers.whole < numbers.total:
        if numbers.hundredths < numbers.total:
            raise ColumnRefused("numbers from 0 to 1, rescaled")
        return replace(scale, exponent=2, note="0 to 1, multiplied by 100")
    return scale


def _is_thousandfold(numbers: NumberSummary, low: float, high: float) -> bool:
    """Return whether the decimal points were lost from numbers of three decimals."""
    return (
        numbers.whole == numbers.total
        and numbers.count(low, high) >= _NEARLY_ALL * numbers.total
        and numbers.tens >= _FEW * numbers.total
    )
