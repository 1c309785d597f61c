"""What the first pass over a table finds in its columns."""

import gzip

import pytest

from collector.datasets import reader, survey
from collector.datasets.parsing.date_cells import DateOrder

ID = "6f807x0ima9a1j3VPbc7VN"


def summary(*column):
    return survey.summarise("column", column)


@pytest.mark.parametrize(
    ("cells", "counted"),
    [
        (["1", "2.5", "-3", "1e3", ""], {"numbers": 4, "missing": 1}),
        (["nan", "NA", "None", " "], {"missing": 4}),
        (["2019-06-14", "14/06/2019", "Jun 14, 2019", "14. Juni 2019"], {"dates": 4}),
        (["3:45", "1:02:03", "0 days 00:03:45", "PT3M45S"], {"clocks": 4}),
        ([ID, f"spotify:track:{ID}", f"https://open.spotify.com/track/{ID}"], {"spotify_ids": 3}),
        (["['a', 'b']", "('a',)", '{"a": 1}'], {"lists": 3}),
        (["99 Problems", "May It Be", "1.2.3", "(unclosed"], {"lists": 1}),
        (["0,5", "1.234,5", "83 %"], {}),
    ],
)
def test_every_cell_is_counted_as_one_kind(cells, counted):
    """Text, and numbers that are not plain, are none of them."""
    kinds = ("numbers", "missing", "dates", "clocks", "spotify_ids", "lists")
    result = summary(*cells)
    assert {kind: getattr(result, kind) for kind in kinds if getattr(result, kind)} == counted
    assert result.rows == len(cells)


def test_values_are_counted_up_to_a_thousand():
    """More different ones are many."""
    few = summary(*["a", "b"] * 3, "")
    assert few.values == {"a": 3, "b": 3}
    assert few.distinct == 2
    assert summary(*map(str, range(survey.MAX_VALUES))).distinct == survey.MAX_VALUES
    assert summary(*map(str, range(survey.MAX_VALUES + 1))).distinct is None
    assert summary("x" * 10_000).distinct is None


def test_the_sample_holds_the_first_cells():
    """Missing ones are no sample; long ones are bounded."""
    assert summary("", "a", "NA", "b").sample == ["a", "b"]
    assert len(summary(*["x"] * 1_000).sample) == survey.SAMPLE_CELLS
    assert len(summary(*["x" * 500_000] * 10).sample) == 2


def test_numbers_are_counted_by_range():
    """Both ends of a range are in it."""
    points = summary("0", "1", "1.0000001", "100", "-0.5", "0.25").points
    assert (points.count(0, 1), points.count(0, 100), points.negative) == (3, 5, 1)
    assert (points.total, points.whole, points.tens) == (6, 3, 1)
    assert (points.minimum, points.maximum) == (-0.5, 100)


@pytest.mark.parametrize(
    ("cells", "point", "comma"),
    [
        (["0,5", "12,25"], 0, [0.5, 12.25]),
        (["215.000", "180.500"], 2, [180_500, 215_000]),
        (["1.234,5", "2.000,25"], 0, [1_234.5, 2_000.25]),
        (["1,234.5", "2,000.25"], 2, None),
        (["0.543", "0.61"], 2, None),
        (["1 234", "5 678"], 2, [1_234, 5_678]),
        (["12", "5"], 2, [5, 12]),
    ],
)
def test_decimal_commas_are_ruled_out_by_decimal_points(cells, point, comma):
    """Three digits behind a point may be thousands."""
    result = summary(*cells)
    assert result.points.total == point
    if comma is None:
        assert result.commas is None or result.commas.total == 0
    else:
        assert (result.commas.minimum, result.commas.maximum) == tuple(comma)
        assert result.commas.total == 2


def test_units_and_orders_of_dates_are_counted():
    """A fourteenth month is none: the day comes first."""
    assert summary("83 %", "40%", "120 BPM").units == {"percent": 2, "bpm": 1}
    dates = summary("14/06/2019", "1/2/2019", "6/30/2019", "7/31/2019")
    assert dates.orders == {DateOrder.DAY_FIRST: 1, DateOrder.MONTH_FIRST: 2}


def test_a_damaged_file_is_summarised_up_to_the_damage(tmp_path):
    """The import that follows reports it."""
    whole = gzip.compress(
        b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * 7919 % 10007) for n in range(99_999))
    )
    path = tmp_path / "broken.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with reader.open_dataset(path) as dataset:
        assert 0 < survey.survey_table(dataset)[0].rows < 99_999


def test_only_whole_rows_are_surveyed(tmp_path):
    """A row of another width belongs to no column."""
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,x\n2,y\nonly one\n")
    with reader.open_dataset(path) as dataset:
        result = survey.survey_table(dataset)
    assert (result[0].rows, list(result)) == (2, [0, 1])
    assert result[1].values == {"x": 1, "y": 1}
