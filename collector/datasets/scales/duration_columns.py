"""Infer the unit of a column of durations from its name and its numbers. Pure.

Nearly every track lasts half a minute to twenty minutes: in minutes, seconds and milliseconds
these are numbers of different sizes.
"""

from typing import Final, NamedTuple

from collector.datasets.number_summary import NumberSummary
from collector.datasets.parsing import number_cells
from collector.datasets.scales.column_scale import MAX_MILLISECONDS, MIN_MILLISECONDS


class InferredDuration(NamedTuple):
    """The unit of a column; None if none is certain."""

    unit: str | None
    note: str | None = None
    """The difference from the column's name, or the reason why there is no unit."""
    has_times: bool = False
    """Whether `3.45` means 3:45."""
    is_mixed: bool = False
    """Whether some of the numbers are in another unit: only usual durations are certain."""


MILLISECONDS: Final = {"ms": 1.0, "s": 1_000.0, "min": 60_000.0}
"""Per unit."""
_USUAL_MS: Final = (30_000, 1_200_000)
"""Milliseconds of nearly every track."""
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


def infer_duration(numbers: NumberSummary, unit: str | None) -> InferredDuration:
    """Infer the unit of a column; `unit` is that in its name, None without one."""
    total = numbers.total - numbers.count(0, 0) - numbers.count(-1, -1)
    if not total:
        return InferredDuration(unit or "ms")
    negative = numbers.negative - numbers.count(-1, -1)
    if negative > _FEW_NEGATIVE * total or _is_rescaled(numbers):
        return InferredDuration(None, "rescaled numbers")
    usual = {name: numbers.count(*bounds) for name, bounds in _USUAL.items()}
    most = max(usual, key=lambda name: usual[name])
    if unit is None and _are_clips(numbers):
        return InferredDuration(None, _CLIPS)
    if unit is None and 2 * usual[most] <= total:
        return InferredDuration(None, _UNCERTAIN)
    if (unit is None or most != unit) and usual[most] >= _NEARLY_ALL * total:
        return _by_size(numbers, most)
    unit = unit or most
    if numbers.whole == numbers.total:
        usual["min"] = 0  # a few seconds, not minutes
    if numbers.count(*_A_DAY_OR_MORE) * 2 > total:
        return InferredDuration(None, _UNCERTAIN)  # microseconds
    others = sum(count for name, count in usual.items() if name != unit)
    if others > (1 - _NEARLY_ALL) * total:
        return InferredDuration(unit, _MIXED, is_mixed=True)
    return InferredDuration(unit, has_times=unit == "min" and _has_times(numbers))


def _by_size(numbers: NumberSummary, unit: str) -> InferredDuration:
    """Infer the unit from the size of the numbers."""
    note = f"in {_WORDS[unit]} by the size of the numbers"
    if unit != "min":
        return InferredDuration(unit, note)
    if numbers.whole == numbers.total:
        return InferredDuration(None, _UNCERTAIN)
    if _has_times(numbers):
        return InferredDuration(
            unit, "minutes and seconds by the size of the numbers", has_times=True
        )
    if not numbers.no_seconds:
        return InferredDuration(None, "3.45 minutes or 3:45, write it as 3:45")
    return InferredDuration(unit, note)


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


def range_ms(inferred: InferredDuration) -> tuple[int, int]:
    """Return the shortest and longest duration that is taken, in milliseconds."""
    if inferred.is_mixed:
        return _USUAL_MS
    return MIN_MILLISECONDS, MAX_MILLISECONDS if inferred.unit == "ms" else _DAY_MS


def read_time(cell: str) -> float | None:
    """Return the milliseconds of a time such as `3:45`, None for another cell."""
    seconds = number_cells.parse_clock(cell)
    return None if seconds is None else seconds * 1_000


def read_pointed_time(cell: str) -> float | None:
    """Return the milliseconds of a time such as `3.45`, `3.5` (3:50) or `3`, None for others."""
    minutes, _, seconds = cell.strip().replace(",", ".").partition(".")
    if not (minutes.isdecimal() and (seconds.isdecimal() or not seconds)):
        return read_time(cell)
    return float(int(minutes) * 60_000 + int((seconds + "00")[:2]) * 1_000)
