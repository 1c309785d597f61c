"""A backup is one consistent, restorable file, also while others write to the database."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner

from collector.catalogue import tracks
from collector.records import ArtistCredit, Provenance, SourceTrack, TrackObservation
from genrebase.cli import app
from genrebase.errors import UserError
from genrebase.store import backup as backups
from genrebase.store import schema_upgrade, tables
from genrebase.store.copy import copy_database, copy_state, snapshots
from genrebase.store.engine import make_engine, read_transaction, transaction
from genrebase.store.errors import SchemaMismatch, StoreError
from tests.consistency import assert_consistent
from tests.fakes import NOON
from tests.filled_database import contents, fill

PAGE = 20


def open_file(file: Path) -> Engine:
    return make_engine(f"sqlite:///{file}")


def test_a_backup_is_the_database(engine: Engine, tmp_path: Path):
    """The file has all rows of all tables, and can be used as a database."""
    fill(engine)
    file = tmp_path / "saved.db"
    result = backups.backup(engine, file)
    expected = contents(engine)
    saved = open_file(file)
    assert contents(saved) == expected
    assert result.tables == {name: len(rows) for name, rows in expected.items()}
    assert (result.rows, result.bytes) == (sum(result.tables.values()), file.stat().st_size)
    with transaction(saved) as connection:
        connection.execute(tables.genre.delete().where(tables.genre.c.id < 0))
    saved.dispose()
    assert sorted(path.name for path in tmp_path.iterdir() if "saved" in path.name) == ["saved.db"]


def test_a_backup_is_taken_while_a_harvest_writes(
    engine: Engine, tmp_path: Path, bare_postgres_url: str
):
    """It has complete steps only, and can be restored into either kind of database."""
    started, stop = Event(), Event()
    file = tmp_path / "saved.db"
    with ThreadPoolExecutor(1) as writer:
        writing = writer.submit(_harvest, engine, started, stop)
        started.wait(30)
        try:
            backups.backup(engine, file)
        finally:
            stop.set()
        written = writing.result()
    saved, restored = open_file(file), make_engine(bare_postgres_url)
    with read_transaction(saved) as connection:
        assert_consistent(connection)
        sightings = connection.execute(
            select(func.count()).select_from(tables.sighting)
        ).scalar_one()
    assert sightings % PAGE == 0
    assert PAGE <= sightings <= written
    copy_database(saved, restored)
    assert contents(restored) == contents(saved)
    saved.dispose()
    restored.dispose()


def _harvest(engine: Engine, started: Event, stop: Event) -> int:
    """Record pages until `stop` is set; return the number of tracks."""
    page = 0
    while not stop.is_set():
        seen = [
            TrackObservation(
                SourceTrack(
                    "spotify", f"{page}x{n}", f"Song {page} {n}", (ArtistCredit(f"B{n}"),)
                ),
                "rock" if page % 2 else "jazz",
                n,
            )
            for n in range(PAGE)
        ]
        with transaction(engine) as connection:
            tracks.record(connection, seen, Provenance("spotify", None), NOON)
        page += 1
        if page == 2:  # so that the backup starts during a harvest
            started.set()
    return page * PAGE


def test_a_file_is_never_replaced(sqlite_engine: Engine, tmp_path: Path):
    """The existing file stays unchanged."""
    file = tmp_path / "precious.txt"
    file.write_text("mine")
    with pytest.raises(UserError, match=r"precious\.txt"):
        backups.backup(sqlite_engine, file)
    assert file.read_text() == "mine"


def test_of_two_backups_to_one_name_one_wins(sqlite_engine: Engine, tmp_path: Path):
    """The later one is refused, and deletes nothing of the other."""
    fill(sqlite_engine)
    file = tmp_path / "saved.db"
    with backups.create_atomically(file) as partial:
        partial.write_text("the other's")
        result = backups.backup(sqlite_engine, file)
        assert partial.read_text() == "the other's"
        partial.unlink()
        partial.write_text("late")
        with pytest.raises(UserError, match="exists already"), backups.create_atomically(file):
            pass
        file.rename(tmp_path / "kept.db")
    assert (tmp_path / "kept.db").stat().st_size == result.bytes


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has no file modes")
def test_files_with_the_whole_database_are_for_their_owner(tmp_path: Path):
    """Databases and backups are private from their first byte on, whatever the umask."""
    before = os.umask(0)
    try:
        url = f"sqlite:///{tmp_path / 'new.db'}"
        schema_upgrade.upgrade(url)
        engine = make_engine(url)
        fill(engine)
        backups.backup(engine, tmp_path / "saved.db")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        engine.dispose()
    finally:
        os.umask(before)
    assert set(modes) >= {"new.db", "saved.db"}
    assert set(modes.values()) == {0o600}


def test_a_full_disk_is_blamed_on_the_new_file(sqlite_engine: Engine, tmp_path: Path):
    """The sentence names the file that cannot be written, not the database that is read."""
    fill(sqlite_engine)
    absent = tmp_path / "absent" / "saved.db"
    with (
        pytest.raises(StoreError, match=r"absent/saved\.db cannot be written.*TMPDIR"),
        read_transaction(sqlite_engine) as connection,
    ):
        snapshots.save(connection, absent)


def test_a_backup_needs_a_folder(sqlite_engine: Engine, tmp_path: Path):
    """A missing folder is not created: it may be a disk that is not mounted."""
    with pytest.raises(UserError, match="no folder"):
        backups.backup(sqlite_engine, tmp_path / "absent" / "saved.db")


def test_a_database_without_the_schema_is_not_backed_up(tmp_path: Path, bare_sqlite_url: str):
    """A database without the schema is refused."""
    engine = make_engine(bare_sqlite_url)
    with pytest.raises(SchemaMismatch):
        backups.backup(engine, tmp_path / "saved.db")
    engine.dispose()


def test_the_backup_of_a_copy_has_no_copy_state(
    sqlite_engine: Engine, other_engine: Engine, postgres_engine: Engine, tmp_path: Path
):
    """A backup of a copy is an ordinary database, without `copy_state`."""
    fill(sqlite_engine, 2)
    copy_database(sqlite_engine, postgres_engine)
    backups.backup(postgres_engine, tmp_path / "saved.db")
    saved = open_file(tmp_path / "saved.db")
    with read_transaction(saved) as connection:
        assert copy_state.read(connection) is None
    saved.dispose()


def test_the_commands_report_json(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """`backup` and `copy` print one JSON document each, and refuse with exit code 2."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    engine = make_engine(sqlite_url)
    fill(engine, 2)
    engine.dispose()
    file, to = tmp_path / "saved.db", f"sqlite:///{tmp_path / 'copy.db'}"
    result = json.loads(invoke("backup", str(file), "--json"))
    assert result["rows"] == sum(result["tables"].values()) > 20
    with pytest.raises(UserError, match="exists already"):
        invoke("backup", str(file))
    copied = json.loads(invoke("copy", f"sqlite:///{file}", to, "--json"))
    in_every_schema = result["tables"]["feature_order"]
    assert copied["rows"] == copied["written"] + in_every_schema == result["rows"]
    assert {one["table"]: one["rows"] for one in copied["tables"]} == result["tables"]
    assert "0 of them written in this run" in invoke("copy", f"sqlite:///{file}", to)
    with pytest.raises(UserError, match="cannot be copied into itself"):
        invoke("copy", to, to)
    with pytest.raises(UserError, match="GENREBASE_COPY_TO"):
        invoke("copy", f"sqlite:///{file}")
    monkeypatch.setenv("GENREBASE_COPY_TO", to)
    assert "0 of them written in this run" in invoke("copy", f"sqlite:///{file}")


def invoke(*arguments: str) -> str:
    """Run a `genrebase` command; return its standard output."""
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None:
        raise result.exception
    return result.stdout
