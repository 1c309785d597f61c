"""`collector import --dry-run`, `--column`, `--unit`, `collector imports`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from classifier.reports import export
from collector.cli import app
from collector.datasets.formats.table import NotADataset
from genrebase.errors import UserError
from genrebase.store import views
from genrebase.store.engine import make_engine, read_transaction
from tests.filled_database import contents

Call = Callable[..., str]

TABLE = """Name of it,artist,genre,Dancy,Speed,Long,mood
One,A,pop,50,120,200,x
Two,B,rock,25,99,180,y
"""
COLUMNS = ("--column", "title=Name of it", "--column", "danceability=Dancy")
OTHERS = ("--column", "tempo=Speed", "--column", "duration=Long", "--unit", "duration=s")


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """The database of the commands."""
    opened = make_engine(sqlite_url)
    yield opened
    opened.dispose()


@pytest.fixture
def collector(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Run a command; return its standard output."""
    monkeypatch.setenv("STORE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text(TABLE)

    def call(*arguments: str) -> str:
        result = CliRunner().invoke(app, arguments)
        if result.exception is not None:
            raise result.exception
        return result.stdout

    return call


def tracks(engine: Engine) -> set[tuple[object, ...]]:
    names = ("title", "label", "danceability", "tempo", "duration_ms")
    with read_transaction(engine) as connection:
        rows = connection.execute(select(*(views.tracks.c[name] for name in names)))
        return {tuple(row) for row in rows}


def test_a_dry_run_writes_nothing(
    engine: Engine, collector: Call, monkeypatch: pytest.MonkeyPatch
):
    """It counts rows, lists columns, and leaves every table as it was, also the digests."""
    before = contents(engine)
    printed = collector("import", "data.csv", *COLUMNS, "--dry-run")
    assert "Dry run, nothing is written: 2 rows: 2 new tracks" in printed
    assert "danceability=Dancy" in printed
    assert "ignored: Speed, Long" in printed
    assert contents(engine) == before
    collector("import", "data.csv", *COLUMNS)
    before = contents(engine)
    monkeypatch.setenv("GENREBASE_DIGESTS_EVERY", "60")  # they are due after the import
    document = json.loads(collector("import", "data.csv", *COLUMNS, "--dry-run", "--json"))
    assert contents(engine) == before
    assert (document["tracks_new"], document["duplicates"], document["dry_run"]) == (0, 2, True)
    assert document["import_id"] is None
    with pytest.raises(UserError, match="--rejected"):
        collector("import", "data.csv", *COLUMNS, "--dry-run", "--rejected", "x.csv")


def test_other_options_correct_the_same_file(engine: Engine, collector: Call):
    """Columns and units that were missed are filled; nothing is counted twice."""
    first = json.loads(collector("import", "data.csv", *COLUMNS, "--json"))
    assert tracks(engine) == {("One", "pop", 0.5, None, None), ("Two", "rock", 0.25, None, None)}
    second = json.loads(collector("import", "data.csv", *COLUMNS, *OTHERS, "--json"))
    assert (first["tracks_new"], second["tracks_new"], second["corrected"]) == (2, 0, 2)
    assert second["corrects"] == [first["import_id"]]
    assert second["columns"]["tempo"] == "Speed"
    assert tracks(engine) == {
        ("One", "pop", 0.5, 120.0, 200_000),
        ("Two", "rock", 0.25, 99.0, 180_000),
    }
    again = json.loads(collector("import", "data.csv", *COLUMNS, *OTHERS, "--json"))
    assert (again["corrected"], again["import_id"]) == (0, second["import_id"])


def test_a_wrong_option_is_refused(collector: Call):
    """With the names there are."""
    with pytest.raises(UserError, match="the fields are: id, title"):
        collector("import", "data.csv", "--column", "dance=Dancy")
    with pytest.raises(UserError, match="There is no column 'Dance'"):
        collector("import", "data.csv", "--column", "danceability=Dance", *COLUMNS[:2])
    with pytest.raises(UserError, match="is not NAME=VALUE"):
        collector("import", "data.csv", "--unit", "duration")


def test_imports_are_listed_and_undone(engine: Engine, collector: Call):
    """With and without `list`; an undone import stays in the list."""
    assert "No import yet" in collector("imports")
    collector("import", "data.csv", *COLUMNS)
    (listed,) = json.loads(collector("imports", "list", "--json"))
    assert (listed["id"], listed["name"], listed["rows"]) == (1, "data.csv", 2)
    assert (listed["tracks_new"], listed["state"]) == (2, "finished")
    assert listed["options"]["columns"] == {"title": "Name of it", "danceability": "Dancy"}
    undone = json.loads(collector("imports", "undo", "1", "--json"))
    assert (undone["tracks"], undone["genres"], undone["stopped"]) == (2, 2, False)
    assert tracks(engine) == set()
    assert "undone" in collector("imports")


@pytest.mark.parametrize("view", ["tracks", "training_tracks", "predictions"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_export_is_not_imported(
    engine: Engine, collector: Call, tmp_path: Path, view: str, kind: str
):
    """No label comes back as data; nothing is written."""
    collector("import", "data.csv", *COLUMNS)
    file = tmp_path / f"export.{kind}"
    names = ["title", "artists", "genre"] if view == "predictions" else None
    export.run(engine, view, file, columns=names)
    before = contents(engine)
    with pytest.raises(NotADataset, match=r"a model predicted|an export of a Genrebase"):
        collector("import", str(file))
    assert contents(engine) == before


ARTISTS = """id,followers,genres,name,popularity
0aaaaaaaaaaaaaaaaaaaa1,10,"['pop']",Ana,3
0aaaaaaaaaaaaaaaaaaaa2,20,"['rock']",Bo,4
"""


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            "track_id,genre\n0aaaaaaaaaaaaaaaaaaaa1,pop\n",
            ("--column", "tempo=Nope"),
            "no column 'Nope'",
        ),
        (
            "track_id,genre\n0aaaaaaaaaaaaaaaaaaaa1,pop\n",
            ("--genre-column", "Nope"),
            "no column 'Nope'",
        ),
        ("track_id,genre\n0aaaaaaaaaaaaaaaaaaaa1,pop\n", (), "collector add"),
        (ARTISTS, (), "table of artists, not of tracks"),
        ("Blue,Ana\nRed,Bo\n", (), "write a line of names above it, such as title,artist"),
        ("#EXTM3U\n#EXTINF:215,Ana - Blue\nblue.mp3\n", (), "M3U.*import-audio"),
        ('<?xml version="1.0"?>\n<plist><dict/></plist>\n', (), "XML.*Export Playlist"),
        ("Read me\nThese are tracks.\n", (), "is text without columns"),
    ],
)
def test_a_refused_table_is_named_as_what_it_is(
    collector: Call, tmp_path: Path, text: str, options: tuple[str, ...], message: str
):
    (tmp_path / "data.csv").write_text(text)

    with pytest.raises(UserError, match=message):
        collector("import", "data.csv", *options)


def test_artists_are_not_fetched_as_tracks(collector: Call, tmp_path: Path):
    (tmp_path / "artists.csv").write_text(ARTISTS)

    with pytest.raises(UserError, match="has no column of them"):
        collector("add", "artists.csv")


def test_commas_of_a_column_of_one_artist_are_counted(collector: Call, tmp_path: Path):
    (tmp_path / "data.csv").write_text('title,artist\nT1,"Ana, Bo"\nT2,Ana\nT3,Bo\n')

    assert "1 cell of artist with a comma" in collector("import", "data.csv", "--dry-run")
    assert "--column artists=artist" in collector("import", "data.csv", "--dry-run")
    corrected = collector("import", "data.csv", "--dry-run", "--column", "artists=artist")
    assert "with a comma" not in corrected
