"""Infer the unit of a column of durations from its name and its numbers. Pure.

Nearly every track lasts half a minute to twenty minutes: in minutes, seconds and milliseconds
these are numbers of different sizes.
"""

from typing import Final

from collector.datasets.number_summary import NumberSummary
from collector.datasets.parsing import number_cells
from collector.datasets.scales.column_scale import (
    MAX_MILLISECONDS,
    MIN_MILLISECONDS,
    ColumnRefused,
    ColumnScale,
)

MILLISECONDS: Final = {"ms": 1.0, "s": 1_000.0, "min": 60_000.0}
"""Per unit."""
_DAY_MS: Final = 86_400_000
_A_DAY_OR_MORE: Final = (_DAY_MS, 1e13)

_USUAL: Final = {"ms": (30_000, 1_200_000), "s": (30, 1_200), "min": (0.5, 20)}
"""Half a minute to twenty minutes."""
_WORDS: Final = {"ms": "milliseconds", "s": "seconds", "min": "minutes"}
_MIXED: Final = "in several units, durations below 30 s and above 20 minutes are not taken"
_UNCERTAIN: Final = "in no unit that is certain, name it"
_CLIPS: Final = "nearly equal, as the samples of clips are; if not, name the unit"
_NEARLY_ALL: Final = 0.95
_FEW_NEGATIVE: Final = 0.02
_MIN_CLIPS: Final = 5
_LONGEST_CLIP_MS: Final = 60_000
_CLIP_SPREAD: Final = 0.01
_MIN_TIMES: Final = 3
_MIN_NUMBERS: Final = 30
"""At least this many numbers without a decimal part from .60 on are minutes and seconds."""


def duration_scale(
    unit: str, note: str | None = None, *, has_times: bool = False, is_mixed: bool = False
) -> ColumnScale:
    """Return the scale of durations in a unit; with `has_times`, `3.45` means 3:45.

    With `is_mixed`, some numbers are in another unit: only usual durations are certain.
    """
    longest = MAX_MILLISECONDS if unit == "ms" or has_times else _DAY_MS
    low, high = _USUAL["ms"] if is_mixed else (MIN_MILLISECONDS, longest)
    return ColumnScale(
        low=low,
        high=high,
        multiplier=MILLISECONDS[unit],
        words=_read_pointed_time if has_times else _read_time,
        are_numbers_words=has_times,
        note=note,
    )


def infer_duration(numbers: NumberSummary, unit: str | None) -> ColumnScale:
    """Infer the scale of a column; `unit` is that in its name, None without one.

    Raises `ColumnRefused`.
    """
    total = numbers.total - numbers.count(0, 0) - numbers.count(-1, -1)
    if not total:
        return duration_scale(unit or "ms")
    negative = numbers.negative - numbers.count(-1, -1)
    if negative > _FEW_NEGATIVE * total or _is_rescaled(numbers):
        raise ColumnRefused("rescaled numbers")
    usual = {name: numbers.count(*bounds) for name, bounds in _USUAL.items()}
    most = max(usual, key=lambda name: usual[name])
    if unit is None and _are_clips(numbers):
        raise ColumnRefused(_CLIPS)
    if unit is None and 2 * usual[most] <= total:
        raise ColumnRefused(_UNCERTAIN)
    if (unit is None or most != unit) and usual[most] >= _NEARLY_ALL * total:
        return _by_size(numbers, most)
    unit = unit or most
    if numbers.whole == numbers.total:
        usual["min"] = 0  # a few seconds, not minutes
    if numbers.count(*_A_DAY_OR_MORE) * 2 > total:
        raise ColumnRefused(_UNCERTAIN)  # microseconds
    others = sum(count for name, count in usual.items() if name != unit)
    if others > (1 - _NEARLY_ALL) * total:
        return duration_scale(unit, _MIXED, is_mixed=True)
    return duration_scale(unit, has_times=unit == "min" and _has_times(numbers))


def _by_size(numbers: NumberSummary, unit: str) -> ColumnScale:
    """Infer the unit from the size of the numbers."""
    note = f"in {_WORDS[unit]} by the size of the numbers"
    if unit != "min":
        return duration_scale(unit, note)
    if numbers.whole == numbers.total:
        raise ColumnRefused(_UNCERTAIN)
    if _has_times(numbers):
        note = "minutes and seconds by the size of the numbers"
        return duration_scale(unit, note, has_times=True)
    if not numbers.no_seconds:
        raise ColumnRefused("3.45 minutes or 3:45, write it as 3:45")
    return duration_scale(unit, note)


def _is_rescaled(numbers: NumberSummary) -> bool:
    return numbers.maximum <= 1 and numbers.whole < numbers.total


def _are_clips(numbers: NumberSummary) -> bool:
    """Return whether all numbers are nearly equal and, as milliseconds, more than a minute."""
    spread = numbers.maximum - numbers.minimum
    return (
        numbers.total >= _MIN_CLIPS
        and numbers.minimum > _LONGEST_CLIP_MS
        and spread <= _CLIP_SPREAD * numbers.maximum
    )


def _has_times(numbers: NumberSummary) -> bool:
    fractions = numbers.total - numbers.whole
    return (
        fractions >= _MIN_NUMBERS
        and not numbers.no_seconds
        and numbers.hundredths == numbers.total
    )


def may_be_mangled(times: NumberSummary) -> bool:
    """Return whether all times are long whole minutes, as if a spreadsheet had added `:00`."""
    return (
        times.total >= _MIN_TIMES and times.tens == times.total and times.minimum > _USUAL["s"][1]
    )


def _read_time(cell: str) -> float | None:
    """Return the milliseconds of a time such as `3:45`, None for another cell."""
    seconds = number_cells.parse_clock(cell)
    return None if seconds is None else seconds * 1_000


def _read_pointed_time(cell: str) -> float | None:
    """Return the milliseconds of a time such as `3.45`, `3.5` (3:50) or `3`, None for others."""
    minutes, _, seconds = cell.strip().replace(",", ".").partition(".")
    if not (minutes.isdecimal() and (seconds.isdecimal() or not seconds)):
        return _read_time(cell)
    return float(int(minutes) * 60_000 + int((seconds + "00")[:2]) * 1_000)
