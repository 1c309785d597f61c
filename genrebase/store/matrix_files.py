"""Keep the bytes of matrices in files beside the database, named by their SHA-256.

A file is complete and on the disk before a row names it, and is deleted only in a transaction that
excludes all that write such rows: whatever is killed, no row names a file that is missing. Files
that no row names are left by a kill or by the deletion of tracks; `delete_unnamed` removes them.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, func, select, update

from genrebase.errors import UserError
from genrebase.store import bulk, tables
from genrebase.store.engine import read_transaction, transaction
from genrebase.store.errors import StoreError
from genrebase.store.settings import StoreSettings

BATCH_ROWS: Final = 100
"""Rows that are moved in one transaction: some 6 MB."""
_PREFIX: Final = 3
"""Digits of the hash that name the subfolder: at most 4,096 of them."""
_SUFFIX: Final = ".z"
_UNFINISHED: Final = "unfinished-"
"""How files begin that are not complete."""

_rows = tables.sound_matrix.c
_KEY: Final = tuple(tables.sound_matrix.primary_key)


class MatrixFileMissing(StoreError):
    """A matrix cannot be read from its file."""


@dataclass(frozen=True, slots=True)
class MatrixFolder:
    """A folder of files, each named by the SHA-256 of its bytes."""

    path: Path

    def file(self, sha256: str) -> Path:
        """Return the path of a file."""
        return self.path / sha256[:_PREFIX] / f"{sha256}{_SUFFIX}"

    def write(self, data: bytes) -> str:
        """Store bytes durably and return their SHA-256; a file that has them is left."""
        sha256 = hashlib.sha256(data).hexdigest()
        file = self.file(sha256)
        if _holds(file, sha256):
            return sha256
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=file.parent)
        try:
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(data)
                opened.flush()
                os.fsync(opened.fileno())
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        for folder in (file.parent, self.path):
            _sync(folder)
        return sha256

    def read(self, sha256: str) -> bytes:
        """Return the bytes of a file; raise `MatrixFileMissing` if it is gone or was changed."""
        file = self.file(sha256)
        try:
            data = file.read_bytes()
        except OSError as error:
            raise MatrixFileMissing(
                f"The file {file} of a matrix cannot be read ({error.strerror}): put it back from "
                "a backup, or name the folder that has it (STORE_MATRIX_FOLDER)."
            ) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise MatrixFileMissing(
                f"The file {file} of a matrix was changed: put it back from a backup."
            )
        return data

    def names(self) -> Iterator[list[str]]:
        """Yield the SHA-256 of all files, subfolder by subfolder."""
        for folder in sorted(self.path.glob("?" * _PREFIX)):
            yield sorted(file.name[: -len(_SUFFIX)] for file in folder.glob(f"*{_SUFFIX}"))

    def unfinished(self) -> Iterator[Path]:
        """Yield the files that a kill left incomplete, and those that are being written."""
        return self.path.glob(f"{'?' * _PREFIX}/{_UNFINISHED}*")


@dataclass(frozen=True, slots=True)
class MatrixFileCounts:
    """The comparison of rows and files."""

    rows: int
    """Rows whose bytes are in a file."""
    missing: int
    """Files that a row names and the folder lacks."""
    unnamed: int
    """Files that no row names."""


def folder_of(engine: Engine) -> MatrixFolder | None:
    """Return the folder of `STORE_MATRIX_FOLDER`; None where bytes are in the database.

    A relative path begins at the folder of the SQLite file, or else at the working folder.
    """
    configured = StoreSettings.load().matrix_folder
    if configured is None:
        return None
    database = engine.url.database if engine.dialect.name == "sqlite" else None
    begin = Path(database).absolute().parent if database else Path.cwd()
    return MatrixFolder(begin / configured)


def stored(connection: Connection, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of `sound_matrix` as they are to be stored, the bytes in files if so configured.

    Call this in the transaction that writes the rows.
    """
    folder = folder_of(connection.engine)
    if folder is None:
        return list(rows)
    return [{**row, "data": b"", "file_sha256": folder.write(row["data"])} for row in rows]


def data_of(folder: MatrixFolder | None, data: bytes, sha256: str | None) -> bytes:
    """Return the bytes of a row; `folder` has the files of the rows' database.

    Raises `MatrixFileMissing` if their file cannot be read, `UserError` without a folder.
    """
    return data if sha256 is None else _required(folder).read(sha256)


def move_to_files(engine: Engine) -> int:
    """Move the bytes of all rows into files of the folder; return of how many."""
    folder, moved = _required(folder_of(engine)), 0
    while True:
        with bulk.exclusive_transaction(engine) as connection:
            query = select(*_KEY, _rows.data).where(_rows.file_sha256.is_(None))
            rows = connection.execute(query.limit(BATCH_ROWS)).all()
            for row in rows:
                values = {"data": b"", "file_sha256": folder.write(row.data)}
                connection.execute(update(tables.sound_matrix).where(*_is(row)).values(**values))
        moved += len(rows)
        if not rows:
            return moved


def move_to_database(engine: Engine, files_of: Engine | None = None) -> int:
    """Move the bytes of all rows from files into the database; return of how many.

    `files_of` is the database whose folder has the files, if `engine` is a copy of it. Rows of the
    copy whose file is gone, because its tracks were deleted since, are deleted. Raises
    `MatrixFileMissing`. The files stay.
    """
    folder, moved = folder_of(files_of or engine), 0
    while True:
        with transaction(engine) as connection:
            query = select(*_KEY, _rows.file_sha256).where(_rows.file_sha256.is_not(None))
            rows = connection.execute(query.limit(BATCH_ROWS)).all()
            for row in rows:
                of_row = _is(row)
                try:
                    data = _required(folder).read(row.file_sha256)
                except MatrixFileMissing:
                    if files_of is None or _is_named(files_of, row.file_sha256):
                        raise
                    connection.execute(delete(tables.sound_matrix).where(*of_row))
                else:
                    values = {"data": data, "file_sha256": None}
                    connection.execute(update(tables.sound_matrix).where(*of_row).values(**values))
        moved += len(rows)
        if not rows:
            return moved


def copy_files(rows: Connection, source: Engine, target: Engine) -> int:
    """Copy the files that `rows` (a state of `source`) names to the folder of `target`."""
    copied, after = 0, ""
    origin, folder = folder_of(source), folder_of(target)
    while names := _names_after(rows, after):
        origin, folder = _required(origin), _required(folder)
        for sha256 in names:
            if folder.path != origin.path and not folder.file(sha256).exists():
                folder.write(origin.read(sha256))
                copied += 1
        after = names[-1]
    return copied


def delete_unnamed(engine: Engine) -> int:
    """Delete the files that no row names; return how many. Nothing is done without a folder."""
    folder, deleted = folder_of(engine), 0
    if folder is None:
        return 0
    for names in folder.names():
        with bulk.exclusive_transaction(engine) as connection:
            for sha256 in set(names) - _named(connection, names):
                folder.file(sha256).unlink(missing_ok=True)
                deleted += 1
    with bulk.exclusive_transaction(engine):
        for file in folder.unfinished():
            file.unlink(missing_ok=True)
    return deleted


def count(engine: Engine) -> MatrixFileCounts:
    """Compare the rows with the files."""
    folder = folder_of(engine)
    with read_transaction(engine) as connection:
        of_files = select(func.count(), func.count(_rows.file_sha256.distinct()))
        rows, expected = connection.execute(of_files.where(_rows.file_sha256.is_not(None))).one()
        found = unnamed = 0
        for names in () if folder is None else folder.names():
            named = len(_named(connection, names))
            found, unnamed = found + named, unnamed + len(names) - named
    return MatrixFileCounts(rows, expected - found, unnamed)


def _required(folder: MatrixFolder | None) -> MatrixFolder:
    if folder is None:
        raise UserError(
            "The folder of the files of matrices is needed: name it with STORE_MATRIX_FOLDER."
        )
    return folder


def _is_named(engine: Engine, sha256: str) -> bool:
    with read_transaction(engine) as connection:
        return bool(_named(connection, [sha256]))


def _named(connection: Connection, names: Sequence[str]) -> set[str]:
    """Return those of the files that a row names."""
    query = (
        "SELECT DISTINCT m.file_sha256 FROM {values}"
        " JOIN sound_matrix AS m ON m.file_sha256 = listed.value"
    )
    return {row[0] for row in bulk.select_in(connection, query, names)}


def _names_after(connection: Connection, after: str) -> list[str]:
    name = _rows.file_sha256
    query = select(name).where(name > after).distinct().order_by(name).limit(BATCH_ROWS)
    return list(connection.scalars(query))


def _is(row: Any) -> list[Any]:
    return [column == getattr(row, column.name) for column in _KEY]


def _holds(file: Path, sha256: str) -> bool:
    """Return whether a file has the bytes that its name says: a damaged one is written again."""
    with suppress(OSError):
        return hashlib.sha256(file.read_bytes()).hexdigest() == sha256
    return False


def _sync(folder: Path) -> None:
    """Write the names of a folder to the disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
