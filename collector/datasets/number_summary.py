"""Summarise a column's numbers: a histogram over fixed ranges, in constant memory. Pure."""

from bisect import bisect_left
from typing import Any, Final

import numpy as np

RANGES: Final = (
    (-1, -1),
    *((0, high) for high in (0, 1, 30, 100, 1_000)),
    *((0.5, 20), (30, 1_200), (30_000, 1_200_000), (86_400_000, 1e13)),  # durations
    *((1_900, 2_100), (15_000, 60_000), (1e8, 4e9), (1e11, 4e12)),  # years and dates
    *((-2.3e9, 4e9), (-2.3e9, -1e8), (-2.3e12, 4e12), (-2.3e12, -1e11)),
    *((-2.5, 20), (-20, 100), (1, 400)),  # loudness, the same without its sign, tempo
    *(
        (low * factor, high * factor)
        for factor in (1, 10, 100, 1_000)
        for low, high in ((-60, 0), (-30, 0), (-30, -2), (-100, 20), (20, 400), (40, 250))
    ),
)
"""Ranges whose numbers can be counted, inclusive."""


def _after(value: float) -> float:
    return float(np.nextafter(value, np.inf))


_EDGES: Final = sorted(
    {-np.inf, *(float(low) for low, _ in RANGES), *(_after(high) for _, high in RANGES)}
)
_EDGE_ARRAY: Final = np.array(_EDGES)
_SMALLEST_STANDARDISED: Final = -5
_SECONDS: Final = 0.6
"""Hundredths that cannot be seconds: `3.75` would be 3:75."""


class NumberSummary:
    """Counts of a column's numbers; missing ones (NaN) are left out."""

    def __init__(self) -> None:
        self.total = 0
        self.whole = 0
        """Numbers without decimals."""
        self.tens = 0
        """Multiples of ten other than 0."""
        self.hundredths = 0
        """Numbers with at most two decimals."""
        self.no_seconds = 0
        """Numbers whose decimals are .60 or more."""
        self.standardised = 0
        """Numbers with decimals from -5 to 0, which standardised columns have."""
        self.minimum = float("inf")
        self.maximum = float("-inf")
        self._bins = np.zeros(len(_EDGES) + 1, dtype=np.int64)

    def add(self, values: "np.ndarray[Any, np.dtype[np.float64]]") -> None:
        """Count an array of numbers without NaN."""
        if not len(values):
            return
        self.total += len(values)
        self.minimum = min(self.minimum, float(values.min()))
        self.maximum = max(self.maximum, float(values.max()))
        places = np.searchsorted(_EDGE_ARRAY, values, side="right")
        self._bins += np.bincount(places, minlength=len(self._bins))
        with np.errstate(invalid="ignore"):  # infinity has no remainder
            decimals = np.abs(values) % 1
            is_whole = decimals == 0
            self.whole += int(is_whole.sum())
            hundreds = values * 100
            self.hundredths += int((np.abs(hundreds - np.rint(hundreds)) < 1e-6).sum())
            self.no_seconds += int((decimals > _SECONDS - 1e-9).sum())
            if values.min() < 0:
                is_small = (values < 0) & (values >= _SMALLEST_STANDARDISED)
                self.standardised += int((is_small & ~is_whole).sum())
            if is_whole.any():
                self.tens += int(((values != 0) & (values % 10 == 0)).sum())

    def count(self, low: float, high: float) -> int:
        """Return how many numbers lie between `low` and `high`, inclusive.

        Both have to be bounds of ranges in `RANGES`; infinity is none.
        """
        first, last = _EDGES.index(float(low)), _EDGES.index(_after(high))
        return int(self._bins[first + 1 : last + 1].sum())

    @property
    def negative(self) -> int:
        """How many numbers are below 0."""
        return int(self._bins[: bisect_left(_EDGES, 0.0) + 1].sum())
