"""Matrices in files beside the database: nothing is lost, and nothing stays that no row names."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, delete, insert, select, update

from classifier.data import dataframes, spectrograms
from collector.curation import forget
from genrebase.audio import packed_matrices
from genrebase.errors import UserError
from genrebase.runtime import doctor
from genrebase.store import matrix_files, tables
from genrebase.store.backup import backup
from genrebase.store.copy.copy import copy_database
from genrebase.store.engine import make_engine, read_transaction, transaction
from genrebase.store.matrix_files import MatrixFileMissing, MatrixFolder
from tests import factories as make
from tests.fakes import NOON, FakeClock

N_TRACKS = 5
SHAPE = (7, 64)


def matrix(number: int) -> packed_matrices.PackedMatrix:
    values = np.random.default_rng(number).normal(size=SHAPE)
    return packed_matrices.pack("logmel", 1, values)


@pytest.fixture
def folder(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MatrixFolder:
    """Store five tracks with a matrix in a file each."""
    monkeypatch.setenv("STORE_MATRIX_FOLDER", str(tmp_path / "matrices"))
    fill(engine)
    return MatrixFolder(tmp_path / "matrices")


def fill(engine: Engine) -> None:
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock")
        for number in range(N_TRACKS):
            track = make.add_track(connection, f"Song {number}", genres=[rock])
            packed = matrix(number)
            row = {name: getattr(packed, name) for name in packed.__slots__}
            values = matrix_files.stored(
                connection, [{"track_id": track, "provider": "audio", **row}]
            )
            connection.execute(insert(tables.sound_matrix), values)


def loaded(engine: Engine) -> list[bytes]:
    ids = pd.Series(range(1, N_TRACKS + 1), dtype="Int64")
    with dataframes.few_rows(engine) as source:
        one = spectrograms.load(source, ids)["logmel"].tolist()
    with dataframes.many_rows(engine) as source:
        assert spectrograms.load(source, ids)["logmel"].tolist() == one
    return one


def expected() -> list[bytes]:
    packed = [matrix(number) for number in range(N_TRACKS)]
    return [
        packed_matrices.unpack(one.data, one.steps, one.channels).astype("<f2").tobytes()
        for one in packed
    ]


def stored_data(engine: Engine) -> list[tuple[bytes, str | None]]:
    row = tables.sound_matrix.c
    with read_transaction(engine) as connection:
        query = select(row.data, row.file_sha256).order_by(row.track_id)
        return [(bytes(data), sha256) for data, sha256 in connection.execute(query)]


def files(folder: MatrixFolder) -> list[str]:
    return sorted(name for names in folder.names() for name in names)


def matrices_check(engine: Engine) -> list[doctor.Check]:
    return [*doctor._check_matrices(engine)]


def test_a_matrix_is_read_from_its_file(engine: Engine, folder: MatrixFolder):
    """The row has the name only; the values are the same as from the database."""
    assert all(data == b"" and sha256 for data, sha256 in stored_data(engine))
    assert files(folder) == sorted(str(sha256) for _, sha256 in stored_data(engine))
    assert loaded(engine) == expected()
    (check,) = matrices_check(engine)
    assert (check.ok, check.sentence) == (True, "5 matrices in files, all found.")


def test_matrices_move_into_files_and_back(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Both are repeatable, and change no value."""
    monkeypatch.setattr(matrix_files, "BATCH_ROWS", 2)
    fill(engine)
    before = stored_data(engine)
    assert matrices_check(engine) == []
    with pytest.raises(UserError, match="name it with STORE_MATRIX_FOLDER"):
        matrix_files.move_to_files(engine)
    monkeypatch.setenv("STORE_MATRIX_FOLDER", str(tmp_path / "matrices"))
    assert (matrix_files.move_to_files(engine), matrix_files.move_to_files(engine)) == (5, 0)
    assert loaded(engine) == expected()
    assert matrix_files.move_to_database(engine) == 5
    assert stored_data(engine) == before
    assert matrix_files.delete_unnamed(engine) == 5
    assert files(MatrixFolder(tmp_path / "matrices")) == []


def test_a_relative_folder_begins_beside_the_sqlite_file(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    """Wherever a command is started."""
    monkeypatch.setenv("STORE_MATRIX_FOLDER", "matrices")
    folder = matrix_files.folder_of(sqlite_engine)
    assert folder is not None
    assert folder.path == Path(str(sqlite_engine.url.database)).parent / "matrices"
    monkeypatch.setenv("STORE_MATRIX_FOLDER", "")
    assert matrix_files.folder_of(sqlite_engine) is None


def test_a_damaged_file_is_written_again(engine: Engine, folder: MatrixFolder):
    """Also one of the right size."""
    (data,) = expected()[:1]
    sha256 = folder.write(data)
    file = folder.file(sha256)
    inode = file.stat().st_ino
    assert folder.write(data) == sha256
    assert file.stat().st_ino == inode
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    folder.write(data)
    assert folder.read(sha256) == data


def test_a_missing_or_changed_file_is_named(engine: Engine, folder: MatrixFolder):
    """Where it should be; the doctor counts it."""
    first, second = (str(sha256) for _, sha256 in stored_data(engine)[:2])
    folder.file(first).unlink()
    folder.file(second).write_bytes(b"other")
    with pytest.raises(MatrixFileMissing, match=first):
        folder.read(first)
    with pytest.raises(MatrixFileMissing, match="was changed"):
        folder.read(second)
    (check,) = matrices_check(engine)
    assert not check.ok
    assert "1 file of matrices cannot be found" in check.sentence


def test_the_doctor_names_a_folder_that_is_not_set(
    engine: Engine, folder: MatrixFolder, monkeypatch: pytest.MonkeyPatch
):
    """Rows name files, and the setting is gone."""
    assert files(folder)
    monkeypatch.delenv("STORE_MATRIX_FOLDER")
    (check,) = matrices_check(engine)
    assert not check.ok
    assert "STORE_MATRIX_FOLDER is not set" in check.sentence
    with pytest.raises(UserError, match="STORE_MATRIX_FOLDER"):
        loaded(engine)


def test_forgotten_tracks_lose_their_files(engine: Engine, folder: MatrixFolder):
    """Content that another track has, too, stays."""
    with transaction(engine) as connection:
        row = tables.sound_matrix.c
        shared = connection.scalar(select(row.file_sha256).where(row.track_id == 1))
        connection.execute(
            update(tables.sound_matrix).where(row.track_id == 2).values(file_sha256=shared)
        )
        seen = tables.track.c.last_seen_at
        old = update(tables.track).where(tables.track.c.id.in_([1, 3]))
        connection.execute(old.values({seen: NOON - timedelta(days=90), "origin": "old"}))
    forget.forget(engine, FakeClock(), "old", timedelta(days=30))
    names = {sha256 for _, sha256 in stored_data(engine)}
    assert len(names) == 3
    assert shared in names
    assert set(files(folder)) == names


def test_a_copy_has_files_of_its_own(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """With a relative folder each database has one; a second run copies nothing."""
    monkeypatch.setenv("STORE_MATRIX_FOLDER", "matrices")
    fill(sqlite_engine)
    (tmp_path / "other").mkdir()
    target = make_engine(f"sqlite:///{tmp_path / 'other' / 'copy.db'}")
    copy_database(sqlite_engine, target)
    own = matrix_files.folder_of(target)
    assert own is not None
    assert own.path == tmp_path / "other" / "matrices"
    assert len(files(own)) == N_TRACKS
    assert loaded(target) == expected()
    assert matrix_files.count(target) == matrix_files.MatrixFileCounts(5, 0, 0)
    with read_transaction(sqlite_engine) as connection:
        assert matrix_files.copy_files(connection, sqlite_engine, target) == 0
    target.dispose()


def test_a_backup_holds_the_bytes(
    engine: Engine, folder: MatrixFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It needs no folder; the database keeps its files."""
    backup(engine, tmp_path / "backup.db")
    assert len(files(folder)) == N_TRACKS
    assert all(sha256 for _, sha256 in stored_data(engine))
    monkeypatch.delenv("STORE_MATRIX_FOLDER")
    saved = make_engine(f"sqlite:///{tmp_path / 'backup.db'}")
    assert all(sha256 is None for _, sha256 in stored_data(saved))
    assert loaded(saved) == expected()
    saved.dispose()


def test_a_backup_lacks_what_was_deleted_meanwhile(
    engine: Engine, folder: MatrixFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A file that goes with its rows after the state that is saved does not end the backup."""
    move = matrix_files.move_to_database

    def after_deletion(saved: Engine, origin: Engine) -> int:
        with transaction(engine) as connection:
            gone = tables.sound_matrix.c.track_id == 1
            connection.execute(delete(tables.sound_matrix).where(gone))
        matrix_files.delete_unnamed(engine)
        return move(saved, origin)

    monkeypatch.setattr(matrix_files, "move_to_database", after_deletion)
    result = backup(engine, tmp_path / "backup.db")
    assert result.tables["sound_matrix"] == N_TRACKS - 1
    assert len(files(folder)) == N_TRACKS - 1


@pytest.fixture
def killed(sqlite_url: str, tmp_path: Path) -> Path:
    """Kill a process between the file and the row, and one in the middle of a file."""
    folder = tmp_path / "matrices"
    code = (
        "import os, sys; from genrebase.store import matrix_files; "
        "from genrebase.store.matrix_files import MatrixFolder; from pathlib import Path; "
        f"folder = MatrixFolder(Path({str(folder)!r})); folder.write(b'complete'); "
        "os.fsync = lambda _: os.kill(os.getpid(), 9); folder.write(b'incomplete')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -9
    return folder


def test_a_kill_leaves_files_that_no_row_names(
    sqlite_engine: Engine, killed: Path, monkeypatch: pytest.MonkeyPatch
):
    """The complete one and the unfinished one; they are deleted, and those of rows stay."""
    monkeypatch.setenv("STORE_MATRIX_FOLDER", str(killed))
    folder = MatrixFolder(killed)
    fill(sqlite_engine)
    assert len(files(folder)) == N_TRACKS + 1
    assert len([*folder.unfinished()]) == 1
    (check,) = matrices_check(sqlite_engine)
    assert "no row names 1 file" in check.sentence
    assert matrix_files.delete_unnamed(sqlite_engine) == 1
    assert [*folder.unfinished()] == []
    assert loaded(sqlite_engine) == expected()
