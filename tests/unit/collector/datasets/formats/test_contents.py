"""Files of several tables, and files that are recognised by their first bytes."""

import io
import json
import os
import sqlite3
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from collector.datasets import reader
from collector.datasets.formats.table import BrokenRow, NotADataset
from tests.dataset_tables import list_tables, open_table

SHEET = """<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<sheetData>{rows}</sheetData></worksheet>"""
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def cell(value):
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def workbook(sheets):
    """Return the bytes of an xlsx file."""
    listed, links = "", ""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, (name, rows) in enumerate(sheets.items(), 1):
            text = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
            archive.writestr(f"xl/worksheets/sheet{number}.xml", SHEET.format(rows=text))
            listed += f'<sheet name="{name}" sheetId="{number}" r:id="r{number}"/>'
            target = f"worksheets/sheet{number}.xml"
            links += (
                f'<Relationship Id="r{number}" Type="{RELATIONS}/worksheet" Target="{target}"/>'
            )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{listed}</sheets></workbook>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r" Target="xl/workbook.xml" '
            f'Type="{RELATIONS}/officeDocument"/></Relationships>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{PACKAGE}">{links}</Relationships>',
        )
    return buffer.getvalue()


def tables(path):
    """Return header and rows of every table of a file, by name; a refusal as its sentence."""
    contents = {}
    with reader.open_tables(path) as entries:
        for entry in entries:
            try:
                dataset = entry.open()
            except NotADataset as error:
                contents[entry.name] = str(error)
            else:
                rows = [row if isinstance(row, BrokenRow) else list(row) for row in dataset.rows()]
                contents[entry.name] = (list(dataset.header), rows)
    assert list_tables(path) == list(contents)
    return contents


def test_a_workbook_of_one_sheet_is_a_table(tmp_path):
    """Numbers are text as the workbook shows them; rows above the header are no rows."""
    path = tmp_path / "w.csv"
    rows = [["My songs"], ["title", "artist", "tempo"], ["Blue", "Ana", 120.5], ["Red", "Bo", 99]]
    path.write_bytes(workbook({"Songs": [*rows, ["title", "artist", "tempo"]]}))
    expected = [["Blue", "Ana", "120.5"], ["Red", "Bo", "99"], BrokenRow.HEADER]
    assert tables(path) == {"": (["title", "artist", "tempo"], expected)}
    odd = tmp_path / "w\udce4.xlsx"
    odd.write_bytes(path.read_bytes())
    assert tables(odd) == tables(path)


def test_every_sheet_is_a_table(tmp_path):
    """An empty one is refused when it is opened."""
    path = tmp_path / "w.xlsx"
    path.write_bytes(workbook({"A": [["title", "artist"], ["x", "y"]], "B": []}))
    assert tables(path) == {
        "A": (["title", "artist"], [["x", "y"]]),
        "B": f"The sheet 'B' of {path} is empty.",
    }


def test_every_table_of_a_sqlite_file_is_a_table(tmp_path):
    """Whatever the file is called, also in bytes that are not UTF-8."""
    path = tmp_path / "s.db"
    with sqlite3.connect(path) as connection:
        connection.execute('CREATE TABLE "my songs" (title TEXT, artist TEXT, tempo REAL)')
        connection.execute(
            "INSERT INTO \"my songs\" VALUES ('Blue', 'Ana', 120.5), (NULL, x'c3a9', 1)"
        )
        connection.execute('CREATE VIEW other AS SELECT title FROM "my songs"')
    connection.close()
    expected = {
        "my songs": (["title", "artist", "tempo"], [["Blue", "Ana", "120.5"], ["", "é", "1.0"]]),
        "other": (["title"], [["Blue"], [""]]),
    }
    assert tables(path) == expected
    odd = tmp_path / "s\udce4%3f#.db"
    odd.write_bytes(path.read_bytes())
    assert tables(odd) == expected


def test_a_database_of_this_software_is_no_dataset(sqlite_engine):
    """Its tracks are copied, not imported."""
    with pytest.raises(NotADataset, match="genrebase copy"):
        list_tables(Path(sqlite_engine.url.database))


def test_every_member_of_an_archive_is_a_table(tmp_path):
    """Of any format; a member that is none is refused when it is opened, hidden ones are not
    listed."""
    songs = pa.BufferOutputStream()
    parquet.write_table(pa.table({"title": ["Blue"], "artist": [["Ana"]]}), songs)
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/a.csv", "title;artist\nBlue;Ana\n")
        archive.writestr("b.parquet", songs.getvalue().to_pybytes())
        archive.writestr("c.json", '[{"title": "Blue", "artist": "Ana"}]')
        archive.writestr(
            "d.xlsx", workbook({"S": [["title", "artist"], ["Blue", "Ana"]], "T": []})
        )
        archive.writestr("user.json", '{"user": "ana"}')
        archive.writestr("__MACOSX/a.csv", "x")
        archive.writestr(".hidden", "x")
    both = (["title", "artist"], [["Blue", "Ana"]])
    contents = tables(path)
    assert "without a list of tracks" in contents.pop("user.json")
    assert "is empty" in contents.pop("d.xlsx/T")
    assert contents == {
        "data/a.csv": both,
        "b.parquet": (["title", "artist"], [["Blue", '["Ana"]']]),
        "c.json": both,
        "d.xlsx/S": both,
    }
    with open_table(path, "d.xlsx/S") as dataset:
        assert [list(row) for row in dataset.rows()] == [["Blue", "Ana"]]


def test_the_tags_of_mtg_jamendo_are_lists(tmp_path):
    """As many cells as a track has tags; ids stand for the names that the table lacks."""
    path = tmp_path / "autotagging.tsv"
    path.write_text(
        "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n"
        "track_0000241\tartist_000005\talbum_000033\t41/241.mp3\t340.1\tgenre---rock\tgenre---pop"
        "\tinstrument---bass\n"
        "track_0000242\tartist_000005\talbum_000033\t42/242.mp3\t248.5\tmood/theme---calm\n"
        "cut\n"
    )
    header, rows = tables(path)[""]
    assert rows[-1] is BrokenRow.WIDTH
    assert [dict(zip(header, row, strict=True)) for row in rows[:2]] == [
        {
            "track_id": "track_0000241",
            "track_name": "track_0000241",
            "artist_name": "artist_000005",
            "path": "41/241.mp3",
            "duration_s": "340.1",
            "genre": '["rock", "pop"]',
            "instrument": '["bass"]',
            "mood/theme": "",
        },
        {
            "track_id": "track_0000242",
            "track_name": "track_0000242",
            "artist_name": "artist_000005",
            "path": "42/242.mp3",
            "duration_s": "248.5",
            "genre": "",
            "instrument": "",
            "mood/theme": '["calm"]',
        },
    ]


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.zip", b"PK\x05\x06" + b"\0" * 18, "without files"),
        ("b.zip", b"PK\x03\x04 cut", "cannot be read"),
        ("c.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 cut", "workbook that cannot be read"),
        ("d.db", b"SQLite format 3\0 cut", "SQLite file that cannot be read"),
        ("e.tar", b"\0" * 257 + b"ustar\x0000" + b"\0" * 500, "tar archive"),
    ],
)
def test_what_cannot_be_opened_is_named(tmp_path, name, content, match):
    """By what it is, with what to do."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(NotADataset, match=match):
        list_tables(path)


def test_a_pipe_is_refused(tmp_path):
    """Before it is opened, which would wait for a writer."""
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(NotADataset, match="save it to a file"):
        list_tables(tmp_path / "pipe.csv")


def test_a_repeated_header_is_no_row_in_any_format(tmp_path):
    """Tables that were joined before they were saved have it, too."""
    columns = {"title": ["Blue", "Title", "Red"], "artist": ["Ana", "ARTIST", "Bo"]}
    parquet.write_table(pa.table(columns), tmp_path / "a")
    objects = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    (tmp_path / "b").write_text(json.dumps(objects).replace("Title", "title"))
    with sqlite3.connect(tmp_path / "c") as connection:
        connection.execute("CREATE TABLE songs (title, artist)")
        connection.executemany("INSERT INTO songs VALUES (:title, :artist)", objects)
        connection.execute("UPDATE songs SET title = 'TITLE' WHERE title = 'Title'")
    connection.close()
    (tmp_path / "d").write_bytes(
        workbook({"S": [list(columns), *map(list, zip(*columns.values(), strict=False))]})
    )
    expected = [["Blue", "Ana"], BrokenRow.HEADER, ["Red", "Bo"]]
    for name in "abcd":
        assert tables(tmp_path / name)[""] == (["title", "artist"], expected)


def test_a_pdf_is_no_table(tmp_path):
    """Although it begins with a line of text."""
    path = tmp_path / "Read_Me.pdf"
    path.write_bytes(b"%PDF-1.4\n%\xe2\xe3\n")
    with pytest.raises(NotADataset, match="binary file"), reader.open_dataset(path):
        pass
