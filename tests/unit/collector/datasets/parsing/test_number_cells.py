"""Numbers as people and spreadsheets write them."""

import pytest

from collector.datasets.parsing.number_cells import Notation, parse_clock, parse_number, split_unit


@pytest.mark.parametrize(
    ("cell", "point", "comma"),
    [
        ("0.543", 0.543, None),
        ("0,543", None, 0.543),
        ("120,5", None, 120.5),
        ("215.000", 215.0, 215_000.0),
        ("215,000", 215_000.0, 215.0),
        ("1,234.5", 1_234.5, None),
        ("1.234,5", None, 1_234.5),
        ("1 234", 1_234.0, 1_234.0),
        ("1\u202f234,5", None, 1_234.5),
        ("1'234.5", 1_234.5, None),
        ("−5.2", -5.2, None),
        ("-5,2", None, -5.2),
        ("1e-3", 0.001, 0.001),
        ("2.5e-05", 2.5e-05, None),
        ("12", 12.0, 12.0),
        ("1,23,4", None, None),
        ("12abc", None, None),
        ("", None, None),
    ],
)
def test_a_number_depends_on_the_notation(cell, point, comma):
    """Groups have three digits and do not begin with 0."""
    assert parse_number(cell, Notation.POINT) == point
    assert parse_number(cell, Notation.COMMA) == comma


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("83%", ("83", "percent")),
        ("0,5 %", ("0,5", "percent")),
        ("120 BPM", ("120", "bpm")),
        ("-5.2dB", ("-5.2", "db")),
        ("225 sec.", ("225", "s")),
        ("64/100", ("64", "percent")),
        ("3.5 min", ("3.5", "min")),
        ("83", ("83", None)),
        ("99 Problems", ("99 Problems", None)),
    ],
)
def test_units(cell, expected):
    """A word that is no unit stays with the text."""
    assert split_unit(cell) == expected


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("3:45", 225.0),
        ("03:45.5", 225.5),
        ("1:02:03", 3_723.0),
        ("0 days 00:03:45", 225.0),
        ("PT3M45S", 225.0),
        ("PT4M", 240.0),
        ("PT59S", 59.0),
        ("PT1H2M3S", 3_723.0),
        ("PT", None),
        ("3m 45s", 225.0),
        ("3 min 45 sec", 225.0),
        ("3'45\"", 225.0),
        ("3:75", None),
        ("3.75", None),
        ("12:30 Song", None),
    ],
)
def test_times(cell, seconds):
    """Minutes and seconds, with or without hours."""
    assert parse_clock(cell) == seconds
