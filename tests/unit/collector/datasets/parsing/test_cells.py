"""Cells are parsed to values."""

import pytest

from collector.datasets.parsing import cells


@pytest.mark.parametrize("cell", ["", " ", "NA", "nan", "NaN", "null", "None", "n/a", "<NA>"])
def test_missing_in_every_spelling(cell):
    """Tables write 'nothing' in many ways."""
    assert cells.is_missing(cell)


@pytest.mark.parametrize(
    ("cell", "value"),
    [("91", 91), ("91.0", 91), ("0", 0), ("101", None), ("-1", None), ("", None), ("nan", None)],
)
def test_whole_numbers(cell, value):
    """A popularity written by pandas is "91.0"; out of range is None."""
    assert cells.parse_integer(cell, 0, 100) == value


@pytest.mark.parametrize(
    ("cell", "value"), [("0.5", 0.5), ("inf", None), ("nan", None), ("", None)]
)
def test_numbers(cell, value):
    """A cell without a number in the range is None."""
    assert cells.parse_number(cell, 0.0, 1.0) == value


@pytest.mark.parametrize(
    ("cell", "released", "year"),
    [
        ("2019-06-14", "2019-06-14", 2019),
        ("2019-06", "2019-06", 2019),
        ("2019", "2019", 2019),
        ("2019.0", "2019", 2019),
        ("2019-06-14T00:00:00Z", "2019-06-14", 2019),
        ("1998-00-00", "1998", 1998),
        ("0000", None, None),
        ("1899", None, None),
        ("2027", "2027", 2027),
        ("2028", None, None),
        ("14/06/2019", "2019-06-14", 2019),
        ("05/06/2019", "2019", 2019),
        ("14-06-19", None, None),
        ("", None, None),
    ],
)
def test_release_dates(cell, released, year):
    """A date keeps its precision; a year outside 1900 to next year is None."""
    assert cells.parse_date(cell, 2027) == (released, year)


@pytest.mark.parametrize(
    ("cell", "value"),
    [("True", True), ("false", False), ("1", True), ("0", False), ("", None), ("maybe", None)],
)
def test_flags(cell, value):
    """Yes and no in the spellings of CSV files."""
    assert cells.parse_bool(cell) is value


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("b'Rapha\\xc3\\xabl'", "Raphaël"),
        ('b"It\'s"', "It's"),
        ("b'Caf\\xe9'", "Café"),
        ("b''", ""),
        ("R&amp;B", "R&B"),
        ("Don&#39;t &quot;stop&quot;", 'Don\'t "stop"'),
        ("B-side", "B-side"),
        ("b'broken", "b'broken"),
        ("Simon & Garfunkel; live", "Simon & Garfunkel; live"),
        ("AT&T;", "AT&T;"),
    ],
)
def test_text_is_decoded_as_it_was_written(cell, text):
    """Python's bytes and references of HTML; other text stays."""
    assert cells.plain_text(cell) == text


def test_an_isrc_is_written_one_way():
    """Hyphens and small letters do not make another ISRC."""
    assert cells.parse_isrc("us-s1z-99-00001") == "USS1Z9900001"
    assert cells.parse_isrc("unknown") is None
