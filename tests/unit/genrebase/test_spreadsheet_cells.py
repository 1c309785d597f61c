"""Texts of strangers are not executed by the spreadsheet that opens a CSV file."""

import csv
from pathlib import Path

import pytest

from genrebase import new_file
from genrebase.spreadsheet_cells import as_text


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+41 rock",
        "-core",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1+1",
        '=cmd|"/c calc"!A1',
    ],
)
def test_formulas_become_texts(text: str):
    """A spreadsheet shows what follows an apostrophe, and executes nothing."""
    assert as_text(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["", "rock", "a=b", "r&b", "'68", "—", 5, -5.5, None, True])
def test_other_cells_stay(cell: object):
    """Negative numbers are numbers."""
    assert as_text(cell) is cell


def test_a_csv_file_for_spreadsheets(tmp_path: Path):
    """Off by default: other programs need the exact texts."""
    for name, given in (("plain.csv", False), ("safe.csv", True)):
        file = tmp_path / name
        with new_file.create_csv(file, ("path", "n"), for_spreadsheets=given) as writer:
            writer.writerow(("=x.mp3", -1))
            writer.writerows([("a\n=b", 2), ("\t-", 3)])
    with (tmp_path / "safe.csv").open(newline="") as text:
        assert [row[0] for row in csv.reader(text)] == ["path", "'=x.mp3", "a\n=b", "'\t-"]
    with (tmp_path / "plain.csv").open(newline="") as text:
        assert [row[0] for row in csv.reader(text)] == ["path", "=x.mp3", "a\n=b", "\t-"]
