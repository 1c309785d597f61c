"""Percentiles of a value, by the percentiles of a profile."""

import pytest

from web.percentiles import percentile

PROFILE = {"min": 0, "p05": 1, "p25": 2, "p50": 3, "p75": 3, "p95": 3, "max": 10}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(-1, 0), (0, 0), (0.5, 2.5), (1, 5), (1.5, 15), (3, 72.5), (6.5, 97.5), (10, 100), (11, 100)],
)
def test_it_is_interpolated_and_equal_values_share_the_middle(value, expected):
    assert percentile(value, PROFILE) == pytest.approx(expected)


def test_equal_tracks_are_all_in_the_middle():
    assert percentile(3, dict.fromkeys(PROFILE, 3)) == 50
