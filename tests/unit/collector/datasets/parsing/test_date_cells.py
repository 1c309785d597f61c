"""Dates as tables write them."""

import pytest

from collector.datasets.parsing import date_cells
from collector.datasets.parsing.date_cells import DateOrder, ShortYear


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2019", (2019, None, None)),
        ("2019.0", (2019, None, None)),
        ("2019-06", (2019, 6, None)),
        ("2019-06-14T00:00:00Z", (2019, 6, 14)),
        ("2019/6/4", (2019, 6, 4)),
        ("2019.06.14", (2019, 6, 14)),
        ("20190614", (2019, 6, 14)),
        ("14/06/2019", (2019, 6, 14)),
        ("6/14/2019 00:00", (2019, 6, 14)),
        ("5.6.2019", (2019, 6, 5)),
        ("06/2019", (2019, 6, None)),
        ("Jan 5, 2019", (2019, 1, 5)),
        ("January 5th 2019", (2019, 1, 5)),
        ("5 January 2019", (2019, 1, 5)),
        ("5-Jan-2019", (2019, 1, 5)),
        ("5-Jan-19", (2019, 1, 5)),
        ("14-juin-85", (1985, 6, 14)),
        ("Jun-19", (2019, 6, None)),
        ("93-06-14", (1993, 6, 14)),
        ("14-06-93", (1993, 6, 14)),
        ("6-14-93", (1993, 6, 14)),
        ("6-14-19", (2019, 6, 14)),
        ("14-06-93 00:00", (1993, 6, 14)),
        ("14-06-19", (2019, 6, 14)),
        ("Sat, 05 Jan 2019 00:00:00 GMT", (2019, 1, 5)),
        ("5. März 2019", (2019, 3, 5)),
        ("5 févr. 2019", (2019, 2, 5)),
        ("5 de mayo de 2019", (2019, 5, 5)),
        ("5 de março de 2019", (2019, 3, 5)),
        ("5 maggio 2019", (2019, 5, 5)),
        ("2019年6月5日", (2019, 6, 5)),
        ("2019년 6월", (2019, 6, None)),
        ("May 2019", (2019, 5, None)),
        ("2019-14-31", (2019, None, None)),
        ("2019-06-32", (2019, 6, None)),
    ],
)
def test_dates(cell, expected):
    """Year, month and day; what does not exist is left out."""
    date = date_cells.parse(cell)
    assert (date.year, date.month, date.day) == expected


@pytest.mark.parametrize(
    "cell", ["", "19", "13/14/2019", "Song 2019", "x", "3:45", "93-06-94", "1-2-3", "555-12-34"]
)
def test_what_is_no_date(cell):
    """Numbers that are no date, or two years."""
    assert date_cells.parse(cell) is None


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ("93-06-14", ShortYear.FIRST),
        ("14-06-93", ShortYear.LAST),
        ("6-14-19", ShortYear.LAST),
        ("14-06-19", ShortYear.UNKNOWN),
        ("05-06-07", ShortYear.UNKNOWN),
        ("14/06/19", None),
        ("14-06-2019", None),
    ],
)
def test_where_a_short_year_is(cell, place):
    """A number above 31 is the year; `14-06-19` may begin or end with it."""
    assert date_cells.parse(cell).short_year is place


def test_an_uncertain_date_can_begin_with_its_year():
    """If the column says so."""
    date = date_cells.parse_by("14-06-19", short_year=ShortYear.FIRST)
    assert (date.year, date.month, date.day) == (2014, 6, 19)


@pytest.mark.parametrize(
    ("cell", "order", "is_ambiguous"),
    [
        ("14/06/2019", DateOrder.DAY_FIRST, False),
        ("06/14/2019", DateOrder.MONTH_FIRST, False),
        ("05/06/2019", None, True),
        ("06/06/2019", None, False),
        ("05.06.2019", None, False),
    ],
)
def test_the_order_of_day_and_month(cell, order, is_ambiguous):
    """There are twelve months; a date with dots begins with the day."""
    date = date_cells.parse(cell)
    assert (date.order, date.is_ambiguous) == (order, is_ambiguous)
