"""Catalogue files of the sandbox."""

import gzip
import hashlib

import pyarrow as pa
import pytest
from pyarrow import parquet

from genrebase.errors import UserError
from sandbox.errors import UnusableCatalogue
from sandbox.tracks import catalogue_file
from sandbox.tracks.catalogue import SandboxCatalogue

CSV = 'genre,track_name\nrock,"NA, or ""not"""\n\nr&b,"two\nlines"\npop\n演歌,夜,extra\n演歌,夜,\n'
ROWS = [("rock", 'NA, or "not"'), ("r&b", "two\nlines"), ("演歌", "夜")]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda b: b"\xef\xbb\xbf" + b])
def test_csv_cells_are_unchanged_text(tmp_path, pack):
    """Plain, gzipped or with a byte order mark: the cells are the same text."""
    file = tmp_path / "file"
    file.write_bytes(pack(CSV.encode()))
    parsed = catalogue_file.read_table(file)
    assert parsed.columns == ("genre", "track_name")
    assert [tuple(row[:2]) for row in parsed.rows] == ROWS
    assert parsed.left_out == 2
    assert parsed.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_parquet_becomes_text(tmp_path):
    """Missing values are empty, lists are JSON, as an import reads them."""
    file = tmp_path / "x.parquet"
    columns = {"artists": [["A", "B"], None], "key": [7, None], "track_name": ["NA", "x"]}
    parquet.write_table(pa.table(columns), file)
    assert catalogue_file.read_table(file).rows == [('["A", "B"]', "7", "NA"), ("", "", "x")]


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe", b"\x1f\x8bnot gzip", gzip.compress(b"abc", mtime=0)[:-4], b"PAR1 not parquet"],
)
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    """The sentence names the file."""
    file = tmp_path / "broken.csv"
    file.write_bytes(content)
    with pytest.raises(UnusableCatalogue, match=r"broken\.csv .*Give a file with one table"):
        catalogue_file.read_table(file)


def test_json_is_served(tmp_path):
    """As `collector import` reads it: a list is one cell of a list."""
    file = tmp_path / "own.json"
    file.write_text('[{"title": "One", "artists": ["A", "B"], "genre": "rock"}]')
    catalogue = SandboxCatalogue(catalogue_file.read_table(file))
    assert catalogue.genres == {"rock": 1}


def test_missing_file_is_refused(tmp_path):
    """The message names the problem and the option."""
    with pytest.raises(UnusableCatalogue, match=r"No such file.*Give a file with one table"):
        catalogue_file.read_table(tmp_path / "none.csv")


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
def test_written_table_reads_the_same(tmp_path, name):
    """Writing and reading changes nothing; the same table gives the same bytes."""
    made = catalogue_file.CatalogueTable(
        ("a", "b"), [("1", 'x"y'), ("", "two\nlines")], "made", ""
    )
    catalogue_file.write_table(made, tmp_path / name)
    again = tmp_path / f"again-{name}"
    catalogue_file.write_table(made, again)
    parsed = catalogue_file.read_table(tmp_path / name)
    assert parsed.columns == made.columns
    assert [tuple(row) for row in parsed.rows] == made.rows
    assert (tmp_path / name).read_bytes() == again.read_bytes()


def test_unwritable_file_is_refused(tmp_path):
    """The message names another location."""
    with pytest.raises(UserError, match="give a file in an existing folder"):
        catalogue_file.write_table(
            catalogue_file.CatalogueTable(("a",), [], "x", ""), tmp_path / "none" / "x.csv"
        )


def test_an_existing_file_is_not_overwritten(tmp_path):
    """The existing file is unchanged."""
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        catalogue_file.write_table(
            catalogue_file.CatalogueTable(("a",), [], "x", ""), tmp_path / "mine.csv"
        )
    assert (tmp_path / "mine.csv").read_text() == "mine"


def test_a_table_without_a_genre_column_needs_a_default(tmp_path):
    """The refusal names the option."""
    file = tmp_path / "tracks.csv"
    file.write_text("title,artist\nOne,Ana\n", encoding="utf-8")
    with pytest.raises(UnusableCatalogue, match="or give --genre"):
        SandboxCatalogue(catalogue_file.read_table(file))
    assert SandboxCatalogue(catalogue_file.read_table(file, "rock")).genres == {"rock": 1}
