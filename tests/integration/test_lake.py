"""A lake: Parquet files of all tables and views, replaced in one step."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, delete, make_url, select, update

from genrebase.errors import UserError
from genrebase.lake import version_writer
from genrebase.lake.arrow_types import arrow_schema
from genrebase.lake.build import LakeResult, build_lake
from genrebase.lake.folder import open_folder, read_manifest
from genrebase.lake.reading import open_lake
from genrebase.lake.relations import ROW_WISE, lake_relations
from genrebase.lake.tables_to_arrow import arrow_reader
from genrebase.store import tables, views
from genrebase.store.engine import make_engine, transaction
from genrebase.store.settings import DEFAULT_FEATURE_ORDER
from tests import factories as make
from tests.fakes import FakeClock
from tests.filled_database import fill, fill_varied
from tests.kill_lake import RANGE_TRACKS
from tests.postgres import MigratedDatabases, PostgresServer

RELATIONS = lake_relations(DEFAULT_FEATURE_ORDER)
TRACKS = 60
"""Of three ranges."""
NAMES = (*RELATIONS.tables, *RELATIONS.views)


@dataclass(frozen=True)
class FilledLake:
    """A database with rows in every table, and a lake of it."""

    engine: Engine
    folder: Path
    result: LakeResult
    restore: Callable[[], None]
    """Make the database and the lake what they were at first."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lake"


@pytest.fixture(scope="module")
def filled_sqlite(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FilledLake]:
    """Yield a lake of a SQLite database, shared by the tests of this module."""
    now = tmp_path_factory.mktemp("filled") / "now"
    now.mkdir()
    shutil.copyfile(migrated_sqlite, now / "genrebase.db")
    engine = make_engine(f"sqlite:///{now / 'genrebase.db'}")
    fill_varied(engine, TRACKS)
    result = build(engine, now / "lake")
    engine.dispose()
    shutil.copytree(now, now.with_name("first"), symlinks=True)

    def restore() -> None:
        engine.dispose()
        shutil.rmtree(now)
        shutil.copytree(now.with_name("first"), now, symlinks=True)

    yield FilledLake(engine, now / "lake", result, restore)
    engine.dispose()


@pytest.fixture(scope="module")
def filled_postgres(
    migrated_postgres: MigratedDatabases,
    postgres_server: PostgresServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[FilledLake]:
    """Yield a lake of a PostgreSQL database, shared by the tests of this module."""
    now = tmp_path_factory.mktemp("filled") / "lake"
    url = migrated_postgres.acquire()
    engine = make_engine(url)
    fill_varied(engine, TRACKS)
    result = build(engine, now)
    engine.dispose()
    shutil.copytree(now, now.with_name("first"), symlinks=True)
    first = postgres_server.create(template=url)

    def restore() -> None:
        engine.dispose()
        shutil.rmtree(now)
        shutil.copytree(now.with_name("first"), now, symlinks=True)
        postgres_server.drop(url)
        postgres_server.create(template=first, name=make_url(url).database)

    yield FilledLake(engine, now, result, restore)
    engine.dispose()
    postgres_server.drop(first)
    migrated_postgres.release(url)


@pytest.fixture(params=["sqlite", "postgres"])
def filled(request: pytest.FixtureRequest) -> FilledLake:
    """Return a lake of a database of each kind, to read."""
    lake: FilledLake = request.getfixturevalue(f"filled_{request.param}")
    return lake


@pytest.fixture
def changeable(filled: FilledLake) -> Iterator[FilledLake]:
    """Yield a lake of a database of each kind, to change."""
    yield filled
    filled.restore()


@pytest.fixture
def changeable_sqlite(filled_sqlite: FilledLake) -> Iterator[FilledLake]:
    """Yield a lake of a SQLite database, to change."""
    yield filled_sqlite
    filled_sqlite.restore()


def build(engine, folder):
    return build_lake(engine, folder, FakeClock(), range_tracks=RANGE_TRACKS)


def in_order(rows):
    return sorted((tuple(row.items()) for row in rows), key=repr)


def contents(folder):
    """Return all rows of a lake."""
    return {name: in_order(pq.read_table(folder / name).to_pylist()) for name in NAMES}


def stored(engine):
    """Return the same rows of the database."""
    rows = {}
    with arrow_reader(engine) as reader:
        for name in NAMES:
            is_table = name in RELATIONS.tables
            relation = tables.metadata.tables[name] if is_table else views.ALL[name].table
            columns = RELATIONS.tables.get(name, relation.c.keys())
            query = select(*(relation.c[column] for column in columns))
            rows[name] = in_order(reader.query(query).read_all().to_pylist())
    return rows


def change(engine):
    """Change rows of every kind: new, other and deleted ones."""
    with transaction(engine) as connection:
        ids = connection.execute(select(tables.track.c.id).order_by(tables.track.c.id)).scalars()
        first, *others, last = ids.all()
        rock = connection.execute(select(tables.genre.c.id)).scalars().first()
        name = f"Quite new, number {len(others)}"
        new = make.add_track(connection, name, ["Nobody"], genres=[rock])
        make.add_features(connection, new, energy=0.75)
        make.add_verdict(connection, first, rock, name)
        connection.execute(
            update(tables.track).where(tables.track.c.id == first).values(title=name)
        )
        connection.execute(delete(tables.sighting).where(tables.sighting.c.track_id == last))


def test_every_table_and_view_equals_the_database(filled: FilledLake):
    """All rows, on both engines, with the types of the Arrow batches."""
    rows = contents(filled.folder)
    assert rows == stored(filled.engine)
    for name in RELATIONS.views:
        schema = pq.read_schema(next((filled.folder / name).iterdir()))
        assert schema.equals(arrow_schema(views.ALL[name].table.columns)), name
    counts = {one.name: one.rows for one in filled.result.relations}
    assert counts == {name: len(of_name) for name, of_name in rows.items()}
    assert filled.result.left_out == ["sound_matrices", "track_descriptors", "model.artifact"]


def test_row_wise_views_have_every_row_of_a_range(filled_sqlite: FilledLake):
    """A file has the rows of its range of tracks, and no others."""
    manifest = read_manifest(filled_sqlite.folder)
    assert manifest is not None
    for relation in manifest["relations"]:
        if relation["name"] not in ROW_WISE:
            continue
        for part in relation["parts"]:
            rows = pq.read_table(filled_sqlite.folder / relation["name"] / part["file"])
            assert rows.num_rows == part["rows"]
            assert {one // RANGE_TRACKS for one in rows["track_id"].to_pylist()} <= {
                part["number"]
            }


def test_an_empty_database_has_all_columns(engine: Engine, folder: Path):
    """Every table and view can be read, without rows."""
    build(engine, folder)
    for name in RELATIONS.views:
        frame = pd.read_parquet(folder / name)
        assert list(frame.columns) == views.ALL[name].table.c.keys()
    with open_lake(folder) as connection:
        assert connection.sql("SELECT count(*) FROM tracks").fetchall() == [(0,)]


def test_the_manifest_says_what_it_is_a_copy_of(filled: FilledLake):
    """The database, its revision, when, and the files with their ranges."""
    manifest = json.loads((filled.folder / "manifest.json").read_text())
    assert manifest["as_of"] == FakeClock().now().isoformat()
    assert (manifest["version"], manifest["revision"]) == (1, filled.result.revision)
    assert "***" not in manifest["database"]
    assert datetime.fromisoformat(manifest["as_of"]).tzinfo == UTC
    listed = {
        (relation["name"], part["file"])
        for relation in manifest["relations"]
        for part in relation["parts"]
    }
    current = (filled.folder / "current").resolve()
    assert listed == {(path.parent.name, path.name) for path in current.glob("*/*")}


def test_an_incremental_copy_equals_a_full_one(changeable: FilledLake, tmp_path: Path):
    """Only what changed is written, and all files are those of a lake made anew."""
    engine, folder, first = changeable.engine, changeable.folder, changeable.result
    assert first.files_written == first.files
    assert build(engine, folder).files_written == 0
    change(engine)
    second = build(engine, folder)
    assert 0 < second.files_written < first.files / 2
    assert contents(folder) == stored(engine)
    build(engine, tmp_path / "anew")
    assert files_of(folder) == files_of(tmp_path / "anew")


def files_of(folder):
    current = (folder / "current").resolve()
    return {path.relative_to(current): path.read_bytes() for path in current.glob("*/*.parquet")}


def test_files_of_unchanged_ranges_are_the_same_files(changeable_sqlite: FilledLake):
    """Versions share them; the rows of a genre's counters touch no view of tracks."""
    engine, folder = changeable_sqlite.engine, changeable_sqlite.folder
    before = {path.name: path.stat().st_ino for path in (folder / "tracks").iterdir()}
    with transaction(engine) as connection:
        connection.execute(update(tables.genre).values(sightings=1000))
        make.add_track(connection, "Quite new", ["Nobody"])
    build(engine, folder)
    after = {path.name: path.stat().st_ino for path in (folder / "tracks").iterdir()}
    changed = set(after.items()) - set(before.items())
    assert len(changed) == 1
    assert len(before) == 3


def test_a_reader_of_the_version_before_can_finish(changeable_sqlite: FilledLake):
    """It sees its own version to the end, all of it."""
    engine, folder = changeable_sqlite.engine, changeable_sqlite.folder
    with open_lake(folder) as connection:
        change(engine)
        build(engine, folder)
        assert connection.sql("SELECT count(*) FROM tracks").fetchall() == [(TRACKS,)]
    with open_lake(folder) as connection:
        assert connection.sql("SELECT count(*) FROM tracks").fetchall() == [(TRACKS + 1,)]
    build(engine, folder)
    assert len(list((folder / "versions").iterdir())) == 2


@pytest.mark.processes
def test_killed_at_any_point(sqlite_engine: Engine, folder: Path, tmp_path: Path):
    """The old copy stays as it was, whenever the process is killed; the next run completes."""
    kills_leave_a_copy(sqlite_engine, folder, tmp_path, random.Random(1), kills=3)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_killed_at_many_points(sqlite_engine: Engine, folder: Path, tmp_path: Path):
    """Hundreds of kills."""
    kills_leave_a_copy(sqlite_engine, folder, tmp_path, random.Random(99), kills=200)


def kills_leave_a_copy(engine, folder, tmp_path, chance, kills):
    fill(engine)
    build(engine, folder)
    old = files_of(folder)
    change(engine)
    shutil.copytree(folder, tmp_path / "measured", symlinks=True)
    changes = run_process(engine, tmp_path / "measured", 0)
    killed = 0
    while killed < kills:
        if run_process(engine, folder, chance.randint(1, changes)) is not None:
            old = files_of(folder)  # it needed fewer changes: an earlier run had finished files
            change(engine)
            continue
        killed += 1
        now = files_of(folder)
        if now != old:  # killed after the one step
            old = now
            assert contents(folder) == stored(engine)
            change(engine)
        with open_lake(folder) as connection:
            connection.sql("SELECT * FROM tracks").fetchall()
    build(engine, folder)
    assert contents(folder) == stored(engine)
    build(engine, tmp_path / "anew")
    assert files_of(folder) == files_of(tmp_path / "anew")
    assert not list((folder / "versions").glob("*.partial"))


def run_process(engine, folder, kill_at):
    """Copy in a process; return its number of changes, or None if it was killed."""
    url = engine.url.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-m", "tests.kill_lake", url, str(folder), str(kill_at)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return int(done.stdout)
    assert done.returncode == -9, done.stderr
    return None


def test_an_interrupted_run_is_continued(sqlite_engine: Engine, folder: Path, monkeypatch):
    """The files that it finished are not written again."""
    fill(sqlite_engine)
    written = []
    original = version_writer.write_parquet

    def write(rows, file):
        if len(written) == 30:
            raise KeyboardInterrupt
        written.append(file.name)
        original(rows, file)

    monkeypatch.setattr(version_writer, "write_parquet", write)
    with pytest.raises(KeyboardInterrupt):
        build(sqlite_engine, folder)
    assert read_manifest(folder) is None
    monkeypatch.setattr(version_writer, "write_parquet", original)
    result = build(sqlite_engine, folder)
    assert result.files_written == result.files - 30


def test_files_of_another_format_are_not_used(sqlite_engine: Engine, folder: Path, monkeypatch):
    """Whether an interrupted run or a complete one left them."""
    fill(sqlite_engine)
    with monkeypatch.context() as patch:
        patch.setattr(version_writer, "_FORMAT_LINE", '{"format": 0}')
        patch.setattr(version_writer, "write_parquet", interrupt)
        with pytest.raises(KeyboardInterrupt):
            build(sqlite_engine, folder)
    (journal,) = folder.glob(f"versions/*/{version_writer.JOURNAL}")
    part = version_writer.LakePart("track", 0, "inputs", "part.parquet", 1, 1)
    with journal.open("a") as opened:
        opened.write(json.dumps(asdict(part)) + "\n")
    assert list(version_writer.read_journal(journal.parent)) == []
    result = build(sqlite_engine, folder)
    assert result.files_written == result.files


def interrupt(rows, file):
    raise KeyboardInterrupt


def test_a_full_disk_is_a_sentence(changeable_sqlite: FilledLake, tmp_path: Path):
    """The earlier copy stays, and the message names the file."""
    engine, folder = changeable_sqlite.engine, changeable_sqlite.folder
    before = files_of(folder)
    change(engine)
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000));"
        "sys.argv = ['genrebase', 'lake', sys.argv[1]];"
        "from genrebase.cli import main; main()"
    )
    environment = {
        **os.environ,  # noqa: TID251 - of a process
        "STORE_URL": engine.url.render_as_string(),
        "TMPDIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-B", "-c", script, str(folder)],  # a bytecode file would be cut off
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 1, done.stderr
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert files_of(folder) == before


def test_another_folder_is_refused(sqlite_engine: Engine, tmp_path: Path):
    """Nothing is changed in a folder with other files, nor in a file's place."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(UserError, match="not empty"):
        build(sqlite_engine, tmp_path / "mine")
    with pytest.raises(UserError, match="is a file"):
        build(sqlite_engine, tmp_path / "mine" / "thesis.txt")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    with pytest.raises(UserError, match="no lake"), open_lake(tmp_path / "mine"):
        pass


def test_a_lake_of_another_database_is_refused(filled_sqlite: FilledLake, other_engine: Engine):
    """It is not replaced by mistake."""
    with pytest.raises(UserError, match=r"is a copy of sqlite:///.*genrebase.db, not of"):
        build(other_engine, filled_sqlite.folder)


def test_two_runs_at_once(changeable_sqlite: FilledLake):
    """The second one is refused."""
    engine, folder = changeable_sqlite.engine, changeable_sqlite.folder
    with open_folder(folder), pytest.raises(UserError, match="Another process"):
        build(engine, folder)
    assert build(engine, folder).version == 2
