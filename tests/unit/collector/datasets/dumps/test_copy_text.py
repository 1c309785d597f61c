"""COPY text, as PostgreSQL writes it."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.synthetic_dumps import escaped
from collector.datasets.dumps import copy_text
from collector.datasets.dumps.archive import DamagedDump

COLUMNS = ("id", "name", "comment")
CELL = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0\b"), max_size=8)


def read(data, wanted=COLUMNS, skip=0):
    return list(copy_text.read_rows(io.BytesIO(data), "artist", COLUMNS, wanted, skip))


@given(st.lists(st.tuples(CELL, CELL, CELL)))
def test_rows_come_back_as_they_were_written(rows):
    """Whatever the cells hold: tabs, line feeds, backslashes, the mark of NULL."""
    text = "".join("\t".join(map(escaped, row)) + "\n" for row in rows)
    assert read(text.encode()) == rows


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (r"\N", None),
        (r"\\N", r"\N"),
        (r"a\tb\nc\rd\be\ff\vg", "a\tb\nc\rd\be\ff\vg"),
        (r"\q\\", "q\\"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_escapes(cell, value):
    """An unknown escape is its character."""
    assert copy_text.unescape(cell) == value


def test_only_the_wanted_cells_are_read():
    """In the order they are wanted in; rows read before are passed over."""
    data = b"1\tone\tx\n2\ttwo\ty\n3\tthree\tz\n"
    assert read(data, ("name", "id"), skip=1) == [("two", "2"), ("three", "3")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"1\tone\tx\n2\ttwo\n", "row 2, is damaged: 2 columns instead of 3"),
        (b"1\tone\tx\n2\ttwo\ty", "breaks off"),
        (b"1\t\xff\tx\n", "artist is damaged"),
    ],
)
def test_a_damaged_table_is_named(data, reason):
    """With the row, where it is known."""
    with pytest.raises(DamagedDump, match=reason):
        read(data)


def test_lines_may_be_longer_than_a_block(monkeypatch):
    """A line that is endless is not read into memory."""
    long = "x" * 3_000_000
    assert read(f"1\t{long}\tx\n2\ttwo\ty\n".encode())[1] == ("2", "two", "y")
    with pytest.raises(DamagedDump, match="16 MiB"):
        read(b"y" * (1 << 25))


def test_the_mark_of_the_end_ends_it():
    """psql writes it, the server does not."""
    assert read(b"1\tone\tx\n\\.\nrest\n") == [("1", "one", "x")]
