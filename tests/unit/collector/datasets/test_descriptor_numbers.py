"""Numbers of tables of descriptors: the column decides how they are written."""

import math

import pytest

from collector.datasets import descriptor_table, reader
from collector.datasets.survey import survey_table

NAMES = [f"mfcc{number}" for number in range(8)]


def read(tmp_path, *rows):
    """Return the descriptors of every row, and the number of unreadable cells."""
    path = tmp_path / "table.csv"
    lines = ["\t".join(["filename", *NAMES])]
    lines += [
        "\t".join([f"song {letter}.wav", *row])
        for letter, row in zip("abcdefg", rows, strict=False)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with reader.open_dataset(path) as dataset:
        layout = descriptor_table.find_descriptor_columns(dataset.header, survey_table(dataset))
        parser = descriptor_table.DescriptorRowParser(layout, "csv:table.csv")
        values = [list(parser.parse(row).values) for row in dataset.rows()]
        return values, parser.unreadable_cells.total()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("0.5", "-12.25"), (0.5, -12.25)),
        (("0,5", "-12,25"), (0.5, -12.25)),
        (("1.234,5", "-12,25"), (1234.5, -12.25)),
        (("1,234.5", "-12.25"), (1234.5, -12.25)),
        (("1e-5", "12"), (1e-5, 12.0)),
    ],
)
def test_the_column_decides_the_notation(tmp_path, cells, expected):
    """Decimal points or commas, with or without thousands."""
    values, unreadable = read(tmp_path, *([cell] * 8 for cell in cells))
    assert values == [[number] * 8 for number in expected]
    assert unreadable == 0


def test_cells_that_are_no_numbers_are_missing_and_counted(tmp_path):
    """The first row may lack a number; a missing value is not counted."""
    values, unreadable = read(
        tmp_path, ["", "x", "inf", *["1"] * 5], ["2"] * 8, ["3"] * 8, ["nan", *["4"] * 7]
    )
    assert [math.isnan(value) for value in values[0]] == [True] * 3 + [False] * 5
    assert values[1:3] == [[2.0] * 8, [3.0] * 8]
    assert math.isnan(values[3][0])
    assert unreadable == 2
