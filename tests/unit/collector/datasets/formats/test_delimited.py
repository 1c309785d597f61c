"""Delimited text: its dialects, its encodings, and headers among the rows."""

import pytest

from collector.datasets import reader
from collector.datasets.formats.table import DEFAULT_ENCODING, BrokenRow


@pytest.fixture
def read(tmp_path):
    def read_rows(content, encoding=DEFAULT_ENCODING):
        path = tmp_path / "data.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with reader.open_dataset(path, encoding) as dataset:
            rows = [row if isinstance(row, BrokenRow) else list(row) for row in dataset.rows()]
            return list(dataset.header), rows

    return read_rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (
            (
                'TITLE, ARTIST, GENRE\n"Blue Tiles", "Ana Ferro", "pop"\n'
                '"Grey, Then Green", "Ode, Ltd", "rock"\n'
            ),
            [["Blue Tiles", "Ana Ferro", "pop"], ["Grey, Then Green", "Ode, Ltd", "rock"]],
        ),
        ('a; b\n"x; y"; "z"\n', [["x; y", "z"]]),
        ('"a", "b"\n"x", ""\n', [["x", ""]]),
        ('a|b\n"1|2"|   "3"\n', [["1|2", "3"]]),
        ('a, b\n1, "two\nlines"\n3, 4\n', [["1", "two\nlines"], ["3", "4"]]),
    ],
)
def test_blanks_after_delimiters_are_no_part_of_cells(read, text, rows):
    """A quote after a blank opens a cell, so that its delimiters are text."""
    header, cells = read(text)
    assert cells == rows
    assert header == [name.strip() for name in header]


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        (r'"Say \"Hi\"","Ana"', ['Say "Hi"', "Ana"]),
        (r'"\"Heroes\"",Bo', ['"Heroes"', "Bo"]),
        (r'"A \"b, c\" d","Ana, Bo"', ['A "b, c" d', "Ana, Bo"]),
        (r'"7\" mix","x"', ['7" mix', "x"]),
        (r'"C:\music\","x"', ["C:\\music\\", "x"]),
        ('"Say ""Hi""","AC\\DC"', ['Say "Hi"', "AC\\DC"]),
        ('"{""a"": ""b\\""c""}",x', ['{"a": "b\\"c"}', "x"]),
    ],
)
def test_quotes_are_escaped_by_doubling_or_by_a_backslash(read, line, cells):
    """Whichever a line uses; a backslash before a closing quote is text."""
    assert read(f"title,artist\n{line}\nplain,row\n")[1] == [cells, ["plain", "row"]]


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a;b,c;d\n1;2;3\n4;5;6\n", ["a", "b,c", "d"]),
        ("a,b|c\n1,x|y\n2,z\n", ["a", "b|c"]),
        ("name;artist\nA, B, C;D, E, F\n", ["name", "artist"]),
        ("name\tartist (main, first)\nA, B\tC\n", ["name", "artist (main, first)"]),
        ("one\nA, B\nC\n", ["one"]),
    ],
)
def test_the_delimiter_fits_the_rows(read, text, header):
    """The header alone may hold more of another."""
    names, rows = read(text)
    assert names == header
    assert not any(isinstance(row, BrokenRow) for row in rows)


def test_a_header_may_end_with_a_delimiter(read):
    """Where the rows do not; a column without a name that holds cells stays."""
    assert read("a;b;\n1;2\n3;4\n") == (["a", "b"], [["1", "2"], ["3", "4"]])
    assert read("a;b;\n1;2;x\n3;4;\n") == (["a", "b", ""], [["1", "2", "x"], ["3", "4", ""]])


@pytest.mark.parametrize(
    "again",
    [
        "track_id,track_name,genre",
        "TRACK_ID,Track_Name, genre",
        "\ufefftrack_id,track_name,genre",
        '"track_id","track_name","genre"',
    ],
)
def test_a_repeated_header_is_no_row(read, again):
    """Files that were joined have it between their rows."""
    rows = read(f"track_id,track_name,genre\nx1,Blue,pop\n{again}\nx2,Red,rock\n")[1]
    assert rows == [["x1", "Blue", "pop"], BrokenRow.HEADER, ["x2", "Red", "rock"]]


def test_a_repeated_header_after_an_unnamed_column_is_no_row(read):
    """As pandas writes its index."""
    rows = read(",name,genre\n0,Blue,pop\n,name,genre\n1,Red,rock\n")[1]
    assert rows == [["0", "Blue", "pop"], BrokenRow.HEADER, ["1", "Red", "rock"]]


def test_a_header_in_another_order_reorders_the_rows_after_it(read):
    """The joined files had the same columns; the first header's order holds."""
    rows = read("name,artist,genre\nBlue,Ana,pop\ngenre,name,artist\nrock,Red,Bo\n")[1]
    assert rows == [["Blue", "Ana", "pop"], BrokenRow.HEADER, ["Red", "Bo", "rock"]]


def test_a_row_that_resembles_the_header_stays(read):
    """A track may be called like a column."""
    rows = read("name,artist\nname,Ana\nartist,Bo\n")[1]
    assert rows == [["name", "Ana"], ["artist", "Bo"]]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "iso8859-15"])
def test_a_named_encoding_leaves_rows_alone_that_are_utf8(tmp_path, encoding):
    """A few rows of another encoding do not spoil the others; both are counted."""
    path = tmp_path / "mx.csv"
    rows = ["Café,Ana".encode(), "Café Noir,Bo".encode("latin-1"), "Fréd,Cy".encode(), b"Jo,Di"]
    path.write_bytes(b"track_name,artist_name\n" + b"\n".join(rows) + b"\n")
    with reader.open_dataset(path, encoding) as dataset:
        assert [row[0] for row in dataset.rows()] == ["Café", "Café Noir", "Fréd", "Jo"]
        assert dataset.non_ascii_rows == 3
        assert dataset.notes() == [
            (
                "2 rows with characters beyond ASCII are valid UTF-8 and were read as UTF-8; "
                f"1 other as {encoding}."
            )
        ]


@pytest.mark.parametrize(
    ("encoding", "word"), [("cp1251", "Кино"), ("koi8-r", "Кино"), ("shift_jis", "さくら")]
)
def test_a_file_in_the_named_encoding_is_read_in_it(read, encoding, word):
    """Also one with several bytes per character."""
    assert read(f"a,b\n{word},1\n".encode(encoding), encoding)[1] == [[word, "1"]]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_of_two_or_four_bytes_is_detected(read, encoding):
    """Excel writes a byte-order mark, other programs do not."""
    assert read("a\tb\nCafé\t2\n".encode(encoding)) == (["a", "b"], [["Café", "2"]])
