"""Reading a dataset row by row."""

import datetime as dt
import gzip
import itertools
import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from collector.datasets import reader
from collector.datasets.formats.table import DEFAULT_ENCODING, BrokenRow, DamagedFile, NotADataset
from collector.datasets.parsing import cells


def read(path, encoding=DEFAULT_ENCODING):
    with reader.open_dataset(path, encoding) as dataset:
        return list(dataset.header), [
            None if isinstance(row, BrokenRow) else list(row) for row in dataset.rows()
        ]


@pytest.fixture
def written(tmp_path):
    def write(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_delimiter_is_detected_from_the_header(written, delimiter):
    """Commas, tabs and semicolons are all CSV."""
    path = written(delimiter.join("ab") + "\n" + delimiter.join(["1", "NA"]) + "\n")
    assert read(path) == (["a", "b"], [["1", "NA"]])


def test_gzip_is_detected_from_the_content(written):
    """The file name does not matter."""
    assert read(written(gzip.compress(b"a,b\n1,2\n"))) == (["a", "b"], [["1", "2"]])


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_a_byte_order_mark_is_no_part_of_a_name(written, mark):
    """Excel writes one."""
    assert read(written(mark + b"a,b\n1,2\n"))[0] == ["a", "b"]


def test_utf16_is_read(written):
    """Excel's "Unicode text" is UTF-16 with tabs."""
    assert read(written("a\tb\né\t2\n".encode("utf-16"))) == (["a", "b"], [["é", "2"]])


def test_rows_of_another_width_are_broken(written):
    """One bad row stops no other; blank lines are no rows, empty cells at the end fit."""
    path = written("a,b\n1,2\n3\n\n4,5,6\n7,8,,\n9,10\n")
    assert read(path)[1] == [["1", "2"], None, None, ["7", "8"], ["9", "10"]]


def test_an_open_quote_costs_one_row(written):
    """A quote that is never closed swallows what follows: those rows are read again."""
    path = written('a,b\n1,"open\n2,"x, y"\n3,4\n')
    assert read(path)[1] == [None, ["2", "x, y"], ["3", "4"]]


def test_an_open_quote_before_the_end_costs_one_row(written):
    """Also where the swallowed rows would pass for one long cell."""
    assert read(written('a,b\n1,"open\n2,x\n3,4\n'))[1] == [None, ["2", "x"], ["3", "4"]]


def test_a_quote_inside_a_cell_is_text(written):
    """As long as it stays on its line, a careless quote does no harm."""
    path = written('a,b\n"Heroes" (Live),7" mix\n3,4\n')
    assert read(path)[1] == [["Heroes (Live)", '7" mix'], ["3", "4"]]


def test_an_open_quote_before_a_long_file_costs_one_row(written):
    """Also where no other quote ever comes and the csv module gives up."""
    rest = "".join(f"{number},{'x' * 40}\n" for number in range(5_000))
    rows = read(written('a,b\n1,"open\n' + rest))[1]
    assert rows[0] is None
    assert len(rows) == 5_001
    assert None not in rows[1:]


def test_line_breaks_inside_quotes_stay(written):
    """A quoted cell may have several lines."""
    assert read(written('a,b\n"x\ny",2\n3,4\n'))[1] == [["x\ny", "2"], ["3", "4"]]


def test_another_encoding_can_be_named(written):
    """Latin-1 is decoded if it is named; an unknown encoding is refused."""
    path = written("a,b\né,2\n".encode("latin-1"))
    assert read(path, "latin-1")[1] == [["é", "2"]]
    with pytest.raises(NotADataset, match="utf-99"):
        read(path, "utf-99")


def test_what_cannot_be_decoded_is_still_apart(written):
    """Bytes that are no UTF-8 stay visible, so that just their row is rejected."""
    rows = read(written(b"a,b\n\xe9,2\nx,y\n"))[1]
    with pytest.raises(UnicodeEncodeError):
        cells.clean(rows[0][0])
    assert rows[1] == ["x", "y"]


def test_a_truncated_file_is_damaged(written):
    """Earlier rows are yielded, then the error has the remedy."""
    whole = gzip.compress(("a,b\n" + "1,2\n" * 200_000).encode())
    with (
        reader.open_dataset(written(whole[:-200])) as dataset,
        pytest.raises(DamagedFile, match="get the whole file"),
    ):
        list(dataset.rows())


@pytest.mark.parametrize(("content", "output"), [(b"", "empty"), (b"PK\x03\x04rest", "zip")])
def test_other_files_are_refused(written, content, output):
    """An empty file and a workbook are refused."""
    with pytest.raises(NotADataset, match=output):
        read(written(content))


def test_a_file_that_is_not_there(tmp_path):
    """A sentence instead of a traceback; an empty folder is no table either."""
    with pytest.raises(NotADataset, match="No such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(NotADataset, match="folder without files"):
        read(tmp_path)


def test_parquet_gives_the_same_text(tmp_path):
    """Every column as text: NULL is empty, a list keeps its items separate as JSON."""
    table = pa.table(
        {
            "title": ["NA", None],
            "artists": [["A;B", "C"], ["D;E"]],
            "popularity": [91.0, None],
            "explicit": [True, False],
        }
    )
    parquet.write_table(table, tmp_path / "data.parquet")
    header, rows = read(tmp_path / "data.parquet")
    assert header == ["title", "artists", "popularity", "explicit"]
    assert [row[0] for row in rows] == ["NA", ""]
    assert [json.loads(row[1]) for row in rows] == [["A;B", "C"], ["D;E"]]
    assert [row[2:] for row in rows] == [["91.0", "True"], ["", "False"]]


def test_nested_parquet_values_are_json(tmp_path):
    """Lists of every depth become text that one rule can parse; structs become columns."""
    table = pa.table(
        {
            "artists": [[{"name": "Raphaël", "id": 1}], None],
            "album": [{"name": 'The "A"', "day": dt.date(2001, 2, 3)}, None],
            "title": ["Café".encode(), b"caf\xe9"],
            "genres": [[], ["rock", None]],
        }
    )
    parquet.write_table(table, tmp_path / "data.parquet")
    header, rows = read(tmp_path / "data.parquet")
    assert header == ["artists", "album.name", "album.day", "title", "genres"]
    assert rows == [
        [
            '[{"name": "Raphaël", "id": 1}]',
            'The "A"',
            "2001-02-03",
            "Café",
            "[]",
        ],
        ["", "", "", "café", '["rock", null]'],
    ]


@pytest.mark.parametrize("kind", ["csv", "gzip", "sep", "utf-16", "parquet"])
def test_rows_are_read_from_the_start_each_time(written, tmp_path, kind):
    """A first pass may stop anywhere; the next one has every row."""
    text = "a,b\n" + "1,é\n" * 20_000
    content = {
        "csv": text.encode(),
        "gzip": gzip.compress(text.encode()),
        "sep": ("sep=;\n" + text.replace(",", ";")).encode(),
        "utf-16": text.encode("utf-16"),
        "parquet": b"",
    }[kind]
    path = written(content)
    if kind == "parquet":
        parquet.write_table(pa.table({"a": ["1"] * 20_000, "b": ["é"] * 20_000}), path)
    with reader.open_dataset(path) as dataset:
        assert list(itertools.islice(dataset.rows(), 3))[2][1] == "é"
        for _ in range(2):
            rows = list(dataset.rows())
            assert len(rows) == 20_000
            assert {tuple(row) for row in rows} == {("1", "é")}


def test_a_broken_parquet_file_is_refused(written):
    """The first four bytes do not suffice."""
    with pytest.raises(NotADataset, match="not a Parquet file") as refused:
        read(written(b"PAR1 and then nothing"))
    assert not str(refused.value).endswith("..")


def test_how_many_rows_is_estimated_from_the_bytes(written):
    """Progress has a total without reading the file twice."""
    with reader.open_dataset(written("a,b\n" + "1,2\n" * 100_000)) as dataset:
        rows = dataset.rows()
        for _ in range(80_000):
            next(rows)
        assert 80_000 <= dataset.estimate_rows(80_000) <= 110_000


@pytest.mark.parametrize("encoding", ["idna", "utf-16", "utf-32", "undefined"])
def test_an_encoding_that_does_not_fit_is_refused(written, encoding):
    """Every decoding error has the same message."""
    with pytest.raises(NotADataset, match="--encoding"):
        read(written("a..b,c\n1,2\n" * 9), encoding)


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR,\0\0\n",
        b"\x7fELF\x02\x01\x01\0,\0\n\0",
    ],
)
def test_a_binary_file_is_refused(written, content):
    """The message contains none of its bytes."""
    with pytest.raises(NotADataset, match=r"binary file, or text .*--encoding"):
        read(written(content))


def test_blank_lines_before_the_header_are_skipped(written):
    """The header is the first line that is not blank."""
    assert read(written("\n  \n\na,b\n1,2\n")) == (["a", "b"], [["1", "2"]])
    with pytest.raises(NotADataset, match="is empty"):
        read(written("\n\n", "blank.csv"))


@pytest.mark.parametrize("line", ["sep=;\n", '"sep=;"\r\n', "SEP=;\n\n"])
def test_the_sep_line_of_excel_is_supported(written, line):
    """It defines the delimiter, whatever the header suggests."""
    assert read(written(line + "a,x,y;b\n1;2\n")) == (["a,x,y", "b"], [["1", "2"]])


def test_an_endless_cell_is_called_one(written):
    """Its row has the right number of columns."""
    with reader.open_dataset(written(f"a,b\n1,{'x' * 140_000}\n3,4\n")) as dataset:
        assert list(dataset.rows()) == [BrokenRow.TOO_LONG, ["3", "4"]]


def test_a_header_that_cannot_be_read_is_refused(written):
    """Where its first line is one endless cell, there are no names of columns."""
    with pytest.raises(NotADataset, match="columns' names"):
        read(written("x" * 140_000 + ",b\n1,2\n"))


HEADER = ["track_name", "artist_name", "genre"]


@pytest.mark.parametrize(
    "again",
    ["Track Name,Artist Name,Genre", "trackName,artistName,genre", "TRACK_NAME,ARTIST_NAME,GENRE"],
)
def test_a_repeated_header_in_another_spelling(written, again):
    """Files of two programs were concatenated; it is no track."""
    path = written("\n".join([",".join(HEADER), "Blue,Ana,pop", again, "Red,Bo,rock", ""]))
    assert read(path) == (HEADER, [["Blue", "Ana", "pop"], None, ["Red", "Bo", "rock"]])


@pytest.mark.parametrize(
    ("above", "lines"),
    [
        ("My playlist\n\n", 1),
        ("# exported\n# by a program; version 2\n", 2),
        (',,"Note: these figures, counted daily",\n', 1),
        ("sep=,\nMy playlist\n", 1),
    ],
)
def test_lines_above_the_header_are_skipped(written, above, lines):
    """The first line that names a title and an artist is the header."""
    path = written(above + ",".join(HEADER) + '\n"Blue, Tiles",Ana,pop\n')
    with reader.open_dataset(path) as dataset:
        assert list(dataset.header) == HEADER
        assert list(dataset.rows()) == [["Blue, Tiles", "Ana", "pop"]]
        assert dataset.notes() == [f"{lines} line{'s' * (lines > 1)} above the header skipped."]


def test_single_quotes_around_all_names(written):
    """They are the quotes of the table; another apostrophe is part of a name."""
    header = "'track_name','artist_name','genre'"
    path = written(header + "\n'Blue, Tiles','Ana','pop'\n'Rock''n''Roll','Bo','rock'\n")
    rows = [["Blue, Tiles", "Ana", "pop"], ["Rock'n'Roll", "Bo", "rock"]]
    assert read(path) == (HEADER, rows)
    plain = written(",".join(HEADER) + "\n'Blue,Ana,pop\n", name="plain.csv")
    assert read(plain)[1] == [["'Blue", "Ana", "pop"]]


def test_a_map_of_parquet_is_an_object(tmp_path):
    """Its genres are ordered by their weights, as those of a JSON object are."""
    weights = pa.array([[("pop", 3), ("rock", 9)]], pa.map_(pa.string(), pa.int64()))
    path = tmp_path / "map.parquet"
    parquet.write_table(pa.table({"genres": weights}), path)
    assert read(path) == (["genres"], [['{"pop": 3, "rock": 9}']])


def test_the_header_is_decoded_in_the_named_encoding(written):
    """As the rows are: one row may be UTF-8, another not."""
    path = written("Titel;Künstler\nMädchen;Die Ärzte\n".encode("cp1252") + "Blü;Bö\n".encode())
    rows = [["Mädchen", "Die Ärzte"], ["Blü", "Bö"]]
    assert read(path, "cp1252") == (["Titel", "Künstler"], rows)


def test_names_of_rows_have_no_name_of_their_own(written):
    """R's `write.table` leaves it out; other longer rows have a cell too many."""
    path = written("title,artist,genre\n1,Blue,Ana,pop\n2,Red,Bo,rock\n")
    assert read(path) == (
        ["", "title", "artist", "genre"],
        [["1", "Blue", "Ana", "pop"], ["2", "Red", "Bo", "rock"]],
    )
    other = written("title,artist,genre\n1,Blue,Ana,pop\nRed,Bo,rock\n", name="other.csv")
    assert read(other)[1] == [None, ["Red", "Bo", "rock"]]
    commas = written("title,artist,genre\nBlue, A,Ana,pop\nRed, B,Bo,rock\n", name="commas.csv")
    assert read(commas)[1] == [None, None]
