"""Layouts that people have: archives, folders, lists of files, headers of several rows."""

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from collector.datasets import reader
from collector.datasets.formats.table import BrokenRow, NotADataset
from tests.dataset_tables import list_tables, open_table

TABLE = "title,artist,genre\nBlue,Ana,pop\nRed,Bo,rock\n"
ROWS = [["Blue", "Ana", "pop"], ["Red", "Bo", "rock"]]


def rows_of(path: Path, table: str | None = None) -> list[list[str]]:
    with open_table(path, table) as dataset:
        return [list(row) for row in dataset.rows() if not isinstance(row, BrokenRow)]


def header_of(path: Path) -> list[str]:
    with reader.open_dataset(path) as dataset:
        return list(dataset.header)


def write_tar(path: Path, files: dict[str, str], mode: str) -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]  # a plain str
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("link.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return path


@pytest.mark.parametrize(
    ("suffix", "mode"), [("tar", "w"), ("tar.gz", "w:gz"), ("tar.bz2", "w:bz2"), ("txz", "w:xz")]
)
def test_tables_of_a_tar_archive(tmp_path: Path, suffix: str, mode: str):
    """Compressed or not; links, hidden files and names that lead outside change nothing."""
    files = {"../a.csv": TABLE, "b/two.csv": TABLE, "b/.hidden.csv": TABLE}
    path = write_tar(tmp_path / f"data.{suffix}", files, mode)
    assert list_tables(path) == ["b/two.csv"]
    assert rows_of(path, "b/two.csv") == ROWS
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_tar_archive_that_breaks_off(tmp_path: Path):
    """It is refused."""
    whole = write_tar(tmp_path / "whole.tar", {"a.csv": TABLE * 1_000}, "w").read_bytes()
    path = tmp_path / "cut.tar"
    path.write_bytes(whole[:5_000])
    with pytest.raises(NotADataset, match=r"cut\.tar"):
        list_tables(path)


def test_an_archive_in_an_archive_is_passed_over(tmp_path: Path):
    """The other members are read."""
    inner = write_tar(tmp_path / "inner.tar", {"a.csv": TABLE}, "w")
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(inner, "inner.tar")
        archive.writestr("b.csv", TABLE)
    with reader.open_tables(path) as entries:
        assert [entry.name for entry in entries] == ["inner.tar", "b.csv"]
        with pytest.raises(NotADataset, match="archive inside an archive"):
            entries[0].open()


@pytest.mark.parametrize("name", ["README.txt", "readme", "LICENSE", "licence.txt", "notes.md"])
@pytest.mark.parametrize("kind", ["zip", "tar", "folder"])
def test_a_text_about_the_data_is_no_second_table(tmp_path: Path, kind: str, name: str):
    """Commands that take one table take the other one; an import names what it passed over."""
    files = {name: "Blue, red, and green: colours, by Ana.\n", "tracks.csv": TABLE}
    path = tmp_path / f"data.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for member, text in files.items():
                archive.writestr(member, text)
    elif kind == "tar":
        write_tar(path, files, "w")
    else:
        path.mkdir()
        for member, text in files.items():
            (path / member).write_text(text)
    assert rows_of(path) == ROWS
    with reader.open_tables(path) as entries:
        assert sorted(entry.name for entry in entries) == sorted(files)
        (about,) = [entry for entry in entries if entry.name == name]
        with pytest.raises(NotADataset, match="about the data"):
            about.open()


def test_an_unpacked_privacy_export(tmp_path: Path):
    """Its folder is read as the archive is."""
    folder = tmp_path / "Spotify Account Data"
    folder.mkdir()
    plays = [{"endTime": "2024-01-01 10:00", "artistName": "Ana", "trackName": "Blue"}]
    (folder / "StreamingHistory_music_0.json").write_text(json.dumps(plays))
    library = {"tracks": [{"artist": "Bo", "track": "Red", "uri": "spotify:track:x"}]}
    (folder / "YourLibrary.json").write_text(json.dumps(library))
    (folder / "Identity.json").write_text(json.dumps({"displayName": "me"}))
    (folder / "ReadMeFirst.pdf").write_bytes(b"%PDF-1.4")
    names = list_tables(folder)
    assert "StreamingHistory_music_0.json" in names
    assert "YourLibrary.json" in names
    assert rows_of(folder, "StreamingHistory_music_0.json") == [
        ["2024-01-01 10:00", "Ana", "Blue"]
    ]


def test_a_folder_of_audio_files_is_none_of_tables(tmp_path: Path):
    """The command that imports it is named."""
    (tmp_path / "a.mp3").write_bytes(b"ID3")
    with pytest.raises(NotADataset, match="collector import-audio"):
        list_tables(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "music/a.mp3\nmusic/b.flac\n",
        "# my list\nC:\\Music\\One, two.MP3\n\nC:\\Music\\b.wav\n",
        "a.m4a",
        "#EXTM3U\n#EXTINF:1,Ana - Blue\na.mp3\n",
        "[playlist]\nFile1=a.mp3\nTitle1=Blue\n",
    ],
)
def test_a_list_of_audio_files_is_no_table(tmp_path: Path, text: str):
    """M3U with and without its first line, and PLS."""
    path = tmp_path / "list.m3u"
    path.write_text(text)
    with pytest.raises(NotADataset, match="collector import-audio"):
        list_tables(path)


def test_a_table_of_audio_files_is_a_table(tmp_path: Path):
    """Its first line names a column."""
    path = tmp_path / "files.csv"
    path.write_text("filename\na.mp3\nb.mp3\n")
    assert rows_of(path) == [["a.mp3"], ["b.mp3"]]


def multi_index() -> pd.DataFrame:
    columns = pd.MultiIndex.from_tuples(
        [("track", "title"), ("track", "genre"), ("artist", "name"), ("audio", "tempo")]
    )
    return pd.DataFrame(
        [["Blue", "pop", "Ana", 120.5], ["Red", "rock", "Bo", 90.0]], columns=columns
    )


NAMES = ["track_title", "genre", "artist_name", "tempo"]


def test_columns_of_several_levels(tmp_path: Path):
    """Of pandas, with and without its index, named or not."""
    frame, path = multi_index(), tmp_path / "data.csv"
    rows = [["Blue", "pop", "Ana", "120.5"], ["Red", "rock", "Bo", "90.0"]]
    frame.to_csv(path, index=False)
    assert (header_of(path), rows_of(path)) == (NAMES, rows)
    frame.to_csv(path)
    assert header_of(path) == ["", *NAMES]
    assert [row[1:] for row in rows_of(path)] == rows
    frame.rename_axis("track_id").to_csv(path)
    assert header_of(path) == ["track_id", *NAMES]
    assert rows_of(path) == [["0", *rows[0]], ["1", *rows[1]]]


def test_three_levels(tmp_path: Path):
    """The level above a general name is part of it."""
    path = tmp_path / "data.csv"
    frame = multi_index()
    frame.columns = pd.MultiIndex.from_tuples([("data", *levels) for levels in frame.columns])
    frame.to_csv(path, index=False)
    assert header_of(path) == NAMES


@pytest.mark.parametrize(
    "text",
    [
        "artist,artist,title\nAna,Bo,Blue\nCy,Di,Red\n",
        "title,artist,tag,tag\nBlue,Ana,pop,rock\n",
        "a,a,b\nBlue,Ana,pop\n",
    ],
)
def test_other_headers_have_one_row(tmp_path: Path, text: str):
    """A repeated name alone is no level."""
    path = tmp_path / "data.csv"
    path.write_text(text)
    assert header_of(path) == text.splitlines()[0].split(",")
