"""Infer the notation of a column of keys, modes or meters from its different values. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from collector.datasets.parsing import musical_cells, number_cells
from collector.datasets.parsing.number_cells import Notation
from collector.datasets.scales.column_scale import ColumnRefused, ColumnScale, native_scale
from genrebase.store import tables

_Reader = Callable[[str], float | None]
_FEW: Final = 0.05
_GERMAN_NAMES: Final = ("h", "cis", "dis", "fis", "gis", "des", "es", "ges", "as")


def infer_category(
    field: str, values: Mapping[str, int], notation: Notation
) -> tuple[ColumnScale, bool]:
    """Return the scale of `key`, `mode` or `time_signature`; `values` are cells with counts.

    The flag is whether the names of keys include the mode. Raises `ColumnRefused`.
    """
    reader = _reader(field, values)
    numbers: dict[float, int] = {}
    words = modes = 0
    for cell, count in values.items():
        if (number := number_cells.parse_number(cell, notation)) is not None:
            numbers[number] = numbers.get(number, 0) + count
        elif reader(cell) is not None:
            words += count
            modes += count * (musical_cells.parse_mode_of_key(cell) is not None)
    _refuse_other_scales(field, numbers)
    note = "names read as numbers" if words else None
    names_mode = field == "key" and 0 < words <= 2 * modes
    return replace(native_scale(field), words=reader, note=note), names_mode


def _reader(field: str, values: Mapping[str, int]) -> _Reader:
    if field == "mode":
        return musical_cells.parse_mode
    if field == "time_signature":
        return musical_cells.parse_meter
    notes = {cell.strip().casefold().replace("-", " ").split(" ")[0] for cell in values}
    return partial(musical_cells.parse_pitch, is_german=not notes.isdisjoint(_GERMAN_NAMES))


def _refuse_other_scales(field: str, numbers: Mapping[float, int]) -> None:
    """Raise `ColumnRefused` for numbers that are not on the usual scale."""
    total = sum(numbers.values())
    _, high = tables.FEATURE_RANGES[field]
    if not all(number.is_integer() for number in numbers):
        fractions = sum(count for number, count in numbers.items() if not number.is_integer())
        if all(0 <= number <= 1 for number in numbers) or 2 * fractions > total:
            raise ColumnRefused("rescaled numbers, no categories")
    if field == "time_signature":
        return
    above = sum(count for number, count in numbers.items() if number > high)
    is_shifted = high + 1 in numbers and 0 not in numbers
    if is_shifted or above > _FEW * total:
        low, top = min(number for number in numbers if number >= 0), max(numbers)
        raise ColumnRefused(
            f"from {low:g} to {top:g}, not from 0 to {high:g}, which is another scale"
        )
