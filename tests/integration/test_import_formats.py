"""Importing the files that people have, in all formats."""

import csv
import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from collector.catalogue import imported_files
from collector.cli import app
from collector.datasets.formats.table import NotADataset
from collector.imports.fma import import_fma
from collector.imports.records import ImportResult
from genrebase.store import tables
from genrebase.store.engine import read_transaction
from tests.import_runs import context_of, run_dataset


def run(engine: Engine, path: Path, **options: object) -> ImportResult:
    return run_dataset(engine, path, **options)


def stored(engine: Engine) -> set[tuple[str, str, str | None]]:
    """Title, artists and genre of all tracks."""
    track, genre = tables.track, tables.genre
    query = select(track.c.title, track.c.artists, genre.c.name).outerjoin(
        genre, genre.c.id == track.c.genre_id
    )
    with read_transaction(engine) as connection:
        return {(title, artists, name) for title, artists, name in connection.execute(query)}


def spotify_id(number: int) -> str:
    return f"0aaaaaaaaaaaaaaaaaa{number:03d}"


def write_privacy_export(path: Path) -> None:
    """Write the account data that Spotify sends, invented."""
    history = [
        {"endTime": "2024-01-01 10:00", "artistName": "Ana", "trackName": "Blue", "msPlayed": 9},
        {"endTime": "2024-01-01 10:04", "artistName": "Ana", "trackName": "Blue", "msPlayed": 8},
        {"endTime": "2024-01-01 10:09", "artistName": "Bo", "trackName": "Rot", "msPlayed": 7},
    ]
    podcasts = [{"endTime": "2024-01-01", "podcastName": "P", "episodeName": "E", "msPlayed": 1}]
    library = {
        "tracks": [
            {
                "artist": "Cy",
                "album": "Tiles",
                "track": "Tan",
                "uri": f"spotify:track:{spotify_id(1)}",
            }
        ],
        "albums": [{"artist": "Cy", "album": "Tiles", "uri": "spotify:album:x"}],
        "shows": [{"name": "S", "publisher": "P", "uri": "spotify:show:x"}],
    }
    listened = {
        "ts": "2024-01-01T10:00:00Z",
        "ms_played": 200_000,
        "master_metadata_track_name": "Lime",
        "master_metadata_album_artist_name": "Di",
        "master_metadata_album_album_name": "Fruit",
        "spotify_track_uri": f"spotify:track:{spotify_id(2)}",
        "episode_name": None,
    }
    podcast = dict.fromkeys(listened, None) | {"ts": "2024-01-02", "episode_name": "E"}
    item = {
        "track": {
            "trackName": "Grey",
            "artistName": "Ed",
            "albumName": "G",
            "trackUri": f"spotify:track:{spotify_id(3)}",
        },
        "episode": None,
        "addedDate": "2024-01-01",
    }
    documents = {
        "StreamingHistory_music_0.json": history,
        "StreamingHistory_podcast_0.json": podcasts,
        "YourLibrary.json": library,
        "Streaming_History_Audio_2024_1.json": [listened, podcast],
        "Playlist1.json": {"playlists": [{"name": "Mine", "items": [item]}]},
        "Userdata.json": {"username": "ana", "country": "DE"},
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, document in documents.items():
            archive.writestr(f"Spotify Account Data/{name}", json.dumps(document, indent=1))
        archive.writestr("Spotify Account Data/Read_Me_First.pdf", b"%PDF-1.4\n\0\1\2")


def test_a_privacy_export_is_imported_as_it_comes(engine: Engine, tmp_path: Path):
    """Each member that holds tracks, one after the other; the others are named."""
    path = tmp_path / "my_spotify_data.zip"
    write_privacy_export(path)
    rejects = tmp_path / "rejects.csv"
    result = run(engine, path, rejected=rejects)
    assert stored(engine) == {
        ("Blue", "Ana", None),
        ("Rot", "Bo", None),
        ("Tan", "Cy", None),
        ("Lime", "Di", None),
        ("Grey", "Ed", None),
    }
    assert (result.rows, result.tracks_new, result.duplicates, result.rejected) == (7, 5, 1, 1)
    assert result.reasons == {"no name": 1}
    folder = "Spotify Account Data"
    assert {name: counts["rows"] for name, counts in result.tables.items()} == {
        f"{folder}/StreamingHistory_music_0.json": 3,
        f"{folder}/YourLibrary.json": 1,
        f"{folder}/Streaming_History_Audio_2024_1.json": 2,
        f"{folder}/Playlist1.json": 1,
    }
    assert set(result.passed_over) == {
        f"{folder}/StreamingHistory_podcast_0.json",
        f"{folder}/Userdata.json",
        f"{folder}/Read_Me_First.pdf",
    }
    assert "Lists without tracks were passed over: albums, shows." in result.warnings
    with rejects.open() as file:
        assert list(csv.reader(file)) == [
            ["row", "reason", "table"],
            ["2", "no name", f"{folder}/Streaming_History_Audio_2024_1.json"],
        ]
    aliases = select(tables.track_alias.c.source_id).where(
        tables.track_alias.c.source == "spotify"
    )
    with read_transaction(engine) as connection:
        assert sorted(connection.scalars(aliases)) == [spotify_id(1), spotify_id(2), spotify_id(3)]
    again = run(engine, path)
    assert (again.rows, again.tracks_new, again.rejected) == (7, 0, 1)


def test_the_same_table_in_all_formats_is_the_same(sqlite_engine: Engine, tmp_path: Path):
    """Ids, names and genres are equal, so that every import after the first brings duplicates."""
    rows = [
        [spotify_id(n), f"Song {n}", f"Artist {n}", "pop" if n % 2 else "rock"] for n in range(9)
    ]
    header = ["track_id", "track_name", "artist_name", "genre"]
    objects = [dict(zip(header, row, strict=True)) for row in rows]
    lines = [";".join(row) for row in [header, *rows]]
    texts = {
        "a.csv": "\n".join(lines),
        "b.tsv": "\n".join(line.replace(";", "\t") for line in lines),
        "c.txt": "\n".join('"' + line.replace(";", '", "') + '"' for line in lines),
        "d.json": json.dumps(objects),
        "e.jsonl": "\n".join(map(json.dumps, objects)),
        "f.json": json.dumps({"info": {}, "playlists": [{"name": "x", "tracks": objects}]}),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    first, *others = [run(sqlite_engine, tmp_path / name) for name in texts]
    assert (first.tracks_new, first.rejected) == (9, 0)
    assert [(o.rows, o.tracks_new, o.rejected) for o in others] == [(9, 0, 0)] * 5
    assert stored(sqlite_engine) == {(row[1], row[2], row[3]) for row in rows}


def test_rows_that_are_not_utf8_do_not_spoil_the_others(sqlite_engine: Engine, tmp_path: Path):
    """The hint names what another encoding would spoil; followed, it adds no track twice."""
    path = tmp_path / "mx.csv"
    path.write_bytes(
        b"track_name,artist_name,genre\n"
        + "Café,Ana,pop\n".encode()
        + "Café Noir,Bo,pop\n".encode("latin-1")
        + "Fréd,Cy,pop\n".encode()
    )
    [hint] = [s for s in run(sqlite_engine, path).warnings if "UTF-8" in s]
    assert "1 row is not valid UTF-8" in hint
    assert "another encoding would spoil the other 2 rows" in hint
    run(sqlite_engine, path, encoding="latin-1")
    names = {title for title, _, _ in stored(sqlite_engine)}
    assert names == {"Café", "Café Noir", "Fréd"}


def test_a_repeated_header_is_counted(sqlite_engine: Engine, tmp_path: Path):
    """As the reason of a rejected row."""
    path = tmp_path / "cat.csv"
    header = "track_id,track_name,artist_name,genre\n"
    path.write_text(f"{header}x1,Blue,Ana,pop\n{header}x2,Red,Bo,rock\n")
    assert run(sqlite_engine, path).reasons == {"the header again": 1}
    assert stored(sqlite_engine) == {("Blue", "Ana", "pop"), ("Red", "Bo", "rock")}


@pytest.mark.parametrize("name", [b"da\xe4ta.csv", b"\xff.json", b"b\xfcro.zip"])
def test_a_file_name_that_is_not_utf8(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: bytes
):
    """It is shown with escape sequences."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    path = tmp_path / os.fsdecode(name)
    text = '[{"track_name": "Blue", "artist_name": "Ana"}]'
    if name.endswith(b"zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.json", text)
    else:
        path.write_text("track_name,artist_name\nBlue,Ana\n" if b"csv" in name else text)
    result = CliRunner().invoke(app, ["import", str(path)])
    assert (result.exit_code, result.exception) == (0, None)
    assert "1 new track" in result.output


FMA_TRACKS = """,album,artist,set,set,track,track,track
,title,name,split,subset,genre_top,genres_all,title
track_id,,,,,,,
2,Way,Ana,training,small,Hip-Hop,[21],Food
3,Way,Ana,training,medium,Hip-Hop,[21],Bread
"""


@pytest.mark.parametrize("name", ["tracks.csv", "fma_tracks.csv"])
def test_the_tracks_of_fma_alone(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    """The file is read as its folder is, whatever it is called."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    path = tmp_path / name
    path.write_text(FMA_TRACKS)
    result = CliRunner().invoke(app, ["import", str(path)])
    assert result.exit_code == 0
    assert "2 rows: 2 new tracks" in result.output


def test_the_tracks_of_fma_among_others(sqlite_engine: Engine, tmp_path: Path):
    """In an archive, their rows are never taken for tracks of a plain table."""
    path = tmp_path / "fma.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tracks.csv", FMA_TRACKS)
    with pytest.raises(NotADataset, match="FMA's table of tracks"):
        run(sqlite_engine, path)
    (tmp_path / "tracks.csv").write_text(FMA_TRACKS)
    assert import_fma(context_of(sqlite_engine), tmp_path / "tracks.csv").tracks_new == 2


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (
            '[{"endTime": "x", "episodeName": "E"}]',
            "is JSON without a list of tracks: its objects",
        ),
        ('{"username": "ana"}', "is JSON without a list of tracks: it is an object with username"),
        ("track_uri,genre\nspotify:track:{0},pop\n", "collector add '[^']*my table"),
        (
            '{"track_id": {"0": 2, "1": 3}, "energy": {"0": 0.5, "1": 0.25}}',
            "is JSON without a list of tracks: its objects hold track_id, energy",
        ),
        ('[{{"id": "{0}", "energy": 0.5}}]', "Spotify ids in the column 'id'"),
    ],
)
def test_a_table_without_names_is_told_what_to_do(
    sqlite_engine: Engine, tmp_path: Path, text: str, match: str
):
    """The sentence says what the file is, or the command to run."""
    path = tmp_path / "my table"
    path.write_text(text.format(spotify_id(1)) if "{0}" in text else text)
    with pytest.raises(NotADataset, match=match) as refusal:
        run(sqlite_engine, path)
    assert "Rename" not in str(refusal.value)
    assert stored(sqlite_engine) == set()


def test_mtg_jamendo_brings_genres(sqlite_engine: Engine, tmp_path: Path):
    """The first tag of a track is its genre; ids stand for the names."""
    path = tmp_path / "autotagging_genre.tsv"
    path.write_text(
        "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n"
        "track_1\tartist_5\talbum_3\t1/1.mp3\t340.1\tgenre---rock\tgenre---pop\n"
        "track_2\tartist_5\talbum_3\t1/2.mp3\t248.5\tgenre---pop\n"
    )
    run(sqlite_engine, path)
    assert stored(sqlite_engine) == {
        ("track_1", "artist_5", "rock"),
        ("track_2", "artist_5", "pop"),
    }


def test_genres_of_several_tables_are_counted_together(sqlite_engine: Engine, tmp_path: Path):
    """A genre of two tables counts once; spellings are compared across tables."""
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "title,artist,genre\nBlue,Ana,pop\nRed,Bo,rock\n")
        archive.writestr("b.csv", "title,artist,genre\nTan,Ana,Pop\nLime,Bo,rock\nTeal,Cy,jazz\n")
    planned = run(sqlite_engine, path, dry_run=True)
    done = run(sqlite_engine, path)
    for result in (planned, done):
        assert (result.genres, result.similar_genres) == (4, [["Pop", "pop"]])


@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
def test_tables_of_a_folder_or_an_archive(sqlite_engine: Engine, tmp_path: Path, kind: str):
    """What is no table is named with the reason; repeated, nothing changes."""
    files = {
        "README.txt": "All of it, by Ana, is in the tables.\n",
        "one.csv": "track_name,artist_name,genre\nBlue,Ana,pop\n",
        "more/two.csv": "track_name,artist_name,genre\nRed,Bo,rock\n",
    }
    folder = tmp_path / "files"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    path = folder
    if kind != "folder":
        archive = {"zip": "zip", "tar.gz": "gztar"}[kind]
        path = Path(shutil.make_archive(str(tmp_path / "data"), archive, folder))
    first, again = run(sqlite_engine, path), run(sqlite_engine, path)
    assert (first.tracks_new, again.tracks_new, again.duplicates) == (2, 0, 2)
    assert sorted(first.tables) == ["more/two.csv", "one.csv"]
    assert first.passed_over == {"README.txt": "about the data, no table."}
    assert {title for title, _, _ in stored(sqlite_engine)} == {"Blue", "Red"}
    with read_transaction(sqlite_engine) as connection:
        assert len(imported_files.load_imports(connection)) == 2


def test_a_table_of_pandas_with_columns_of_two_levels(sqlite_engine: Engine, tmp_path: Path):
    """The levels are one header."""
    path = tmp_path / "data.csv"
    path.write_text(
        ",track,track,artist\n,title,genre,name\ntrack_id,,,\n7,Blue,pop,Ana\n8,Red,rock,Bo\n"
    )
    assert run(sqlite_engine, path).tracks_new == 2
    assert {title for title, _, _ in stored(sqlite_engine)} == {"Blue", "Red"}


def test_misread_text_is_reported(sqlite_engine: Engine, tmp_path: Path):
    """`CafÃ©` was UTF-8; names that only look so are not reported."""
    path = tmp_path / "data.csv"
    path.write_text("title,artist\nCafÃ©,Björk\nÄrger,Zoë\n", encoding="utf-8")
    result = run_dataset(sqlite_engine, path)
    [warning] = result.warnings
    assert warning.startswith("title has texts such as 'CafÃ©', which should be 'Café'")
    assert "(1 of the first 2)" in warning


def test_a_header_that_is_not_utf8_names_the_option(sqlite_engine: Engine, tmp_path: Path):
    """Its names cannot be recognised."""
    path = tmp_path / "data.csv"
    path.write_bytes("Titel;Künstler\nBlau;Ana\n".encode("cp1252"))
    with pytest.raises(NotADataset, match="--encoding cp1252"):
        run_dataset(sqlite_engine, path)
