"""Descriptors of a low-level document."""

import math
from typing import Any

import pytest

from collector.datasets.essentia_descriptors import COLUMNS, descriptors, medians


def full_document() -> tuple[dict[str, Any], list[float]]:
    """Return a document in which every descriptor is another number, and these in order."""
    document: dict[str, Any] = {}
    for number, path in enumerate(COLUMNS):
        *steps, last = path.split(".")
        part: Any = document
        for step, following in zip(steps, [*steps[1:], last], strict=True):
            empty: Any = [] if following.isdecimal() else {}
            part = _enter(part, step, empty)
        _enter(part, last, float(number))
    return document, [float(number) for number in range(len(COLUMNS))]


def _enter(part: Any, step: str, default: Any) -> Any:
    if isinstance(part, dict):
        return part.setdefault(step, default)
    while len(part) <= int(step):
        part.append(None)
    if part[int(step)] is None:
        part[int(step)] = default
    return part[int(step)]


def test_every_column_is_read_from_its_place() -> None:
    """The names of the columns are the places, each once."""
    document, expected = full_document()
    assert descriptors(document) == expected
    assert len(set(COLUMNS)) == len(COLUMNS) == 535


@pytest.mark.parametrize(
    "value", [None, "1.5", True, math.nan, math.inf, 1e39, 10**400, [1.0], {"mean": 1.0}]
)
def test_what_is_no_number_is_missing(value: object) -> None:
    """Also what does not fit into the 32 bits that are stored."""
    place = COLUMNS.index("rhythm.bpm")
    assert math.isnan(descriptors({"rhythm": {"bpm": value}})[place])


def test_medians_leave_out_missing_values() -> None:
    """A descriptor that no document has stays missing."""
    rows = [[1.0, math.nan, 5.0], [3.0, math.nan, math.nan], [2.0, math.nan, 7.0]]
    first, second, third = medians(rows)
    assert (first, third) == (2.0, 6.0)
    assert math.isnan(second)
    assert medians(rows[:1])[0] == 1.0
