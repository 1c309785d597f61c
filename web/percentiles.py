"""The percentile of a value in a distribution of which some percentiles are known. Pure."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

_POINTS: Final = (
    ("min", 0.0),
    ("p05", 5.0),
    ("p25", 25.0),
    ("p50", 50.0),
    ("p75", 75.0),
    ("p95", 95.0),
    ("max", 100.0),
)
"""Columns of `genre_profiles`, and their percentiles."""


def percentile(value: float, profile: Mapping[str, Any]) -> float:
    """Return the percentile of a value, 0 to 100, by a row of `genre_profiles`.

    Between two percentiles of the row it is interpolated. A value that several of them equal has
    the middle of these.
    """
    points = [(float(profile[name]), share) for name, share in _POINTS]
    equal = [share for number, share in points if number == value]
    if equal:
        return (equal[0] + equal[-1]) / 2
    if value < points[0][0]:
        return 0.0
    for (low, low_share), (high, high_share) in pairwise(points):
        if low < value < high:
            return low_share + (high_share - low_share) * (value - low) / (high - low)
    return 100.0
