"""Tables show whole words at any width."""

from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from genrebase.runtime.console import Output
from genrebase.runtime.text_table import print_table

MODELS = (
    ("id", "task", "status", "estimator", "n", "genres", "unseen artists", "seen artists", "when"),
    [
        [
            "12",
            "main",
            "champion",
            "blend",
            "113,999",
            "114",
            "0.412",
            "0.530",
            "2026-11-28 09:01",
        ],
        ["3", "main", "refit of 2", "logistic", "9", "2", "0.4", "0.5", "2026-11-28 09:01"],
    ],
)
TITLES = (
    ("track", "title", "artists", "genre", "probability"),
    [["1234", "夜に駆ける " * 4, "Tyler, The Creator; Kali Uchis and others", "hip hop", "0.913"]],
)
LONG_WORD = (("job", "error"), [["train", "x" * 100 + " is too long"]])
MANY = (tuple(f"column{number}" for number in range(30)), [[f"cell{n}" for n in range(30)]])


def printed(width: int, columns: tuple[str, ...], rows: list[list[str]]) -> str:
    file = StringIO()
    print_table(Console(width=width, file=file), "A title", columns, rows)
    return file.getvalue()


@pytest.mark.parametrize("width", [200, 120, 80, 60, 40])
@pytest.mark.parametrize("table", [MODELS, TITLES, LONG_WORD, MANY])
def test_every_word_is_whole(width: int, table: tuple[tuple[str, ...], list[list[str]]]) -> None:
    """A word is broken only where it is longer than the line itself."""
    columns, rows = table
    text = printed(width, columns, rows)
    words = text.split()
    for cell in (*columns, *(cell for row in rows for cell in row)):
        for word in cell.split():
            assert word in words or f"{word}:" in words or cell_len(word) > width, word
    assert max(cell_len(line.rstrip()) for line in text.splitlines()) <= width
    assert "…" not in text


def test_the_models_are_a_table_at_eighty_columns() -> None:
    """Each model is a row of it, not a paragraph."""
    text = printed(80, *MODELS)
    assert "status:" not in text
    assert "│" not in text
    assert "│" in printed(200, *MODELS)


def test_a_table_that_is_too_wide_becomes_records() -> None:
    """A line per cell, named by its column."""
    lines = printed(40, *MODELS).splitlines()
    assert "status: champion" in [line.strip() for line in lines]


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        ("track", "12345"),
        ("id", "12345"),
        ("ID", "12345"),
        ("track_id", "12345"),
        ("year_from", "12345"),
        ("release_year", "12345"),
        ("tracks", "12,345"),
        ("videos", "12,345"),
        ("years apart", "12,345"),
    ],
)
def test_numbers_that_commands_take_have_no_separators(
    column: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--track` and others take the number as it is shown."""
    Output(as_json=False).table("", (column,), [(12345,)])
    assert shown in capsys.readouterr().out
