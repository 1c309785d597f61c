"""Create output files exclusively: an existing file is never overwritten.

Text, CSV and binary files are opened in mode `x`; `create_atomically` publishes a finished file
through a hard link. Files with the whole database are made for their owner alone.
"""

import csv
import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Final

from genrebase.errors import UserError
from genrebase.spreadsheet_cells import SpreadsheetWriter

DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system reports where a disk, a quota or the size of a file is exhausted."""


def create_text(path: Path) -> IO[str]:
    """Open a new text file for writing; raise `UserError` if the file exists."""
    try:
        return path.open("x", encoding="utf-8", newline="")
    except OSError as error:
        raise _refusal(path, error) from error


@contextmanager
def create_csv(
    path: Path | None, columns: Sequence[str], *, for_spreadsheets: bool = False
) -> Iterator[Any]:
    """Open a new CSV file, write its header and yield the writer; None discards all rows.

    With `for_spreadsheets`, no cell can be executed. Raises `UserError` if the file exists.
    """
    if path is None:
        with Path(os.devnull).open("w", encoding="utf-8") as nothing:
            yield csv.writer(nothing)
        return
    with naming_the_full_file(path), create_text(path) as file:
        writer: Any = csv.writer(file)
        if for_spreadsheets:
            writer = SpreadsheetWriter(writer)
        writer.writerow(columns)
        yield writer


@contextmanager
def naming_the_full_file(path: Path) -> Iterator[None]:
    """Name `path` in an error by a full disk: the system does not say which file was written."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL and error.filename is None:
            error.filename = str(path)
        raise


def create_binary(path: Path, content: bytes) -> None:
    """Write a new file; raise `UserError` if the file exists."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise _refusal(path, error) from error


def refuse_existing(path: Path) -> None:
    """Raise `UserError` if `path` cannot be created; call this before long work begins."""
    if path.exists() or path.is_symlink():
        raise _refusal(path, FileExistsError())
    if not path.parent.is_dir():
        raise UserError(f"There is no folder {path.parent}: create it first.")


@contextmanager
def create_atomically(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; when the block succeeds, it becomes `path`.

    A failing block leaves no file. Raises `UserError` if `path` exists by then.
    """
    refuse_existing(path)
    try:
        folder = TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _refusal(path, error) from error
    with folder as name:
        temporary = Path(name) / path.name
        with naming_the_full_file(path):
            yield temporary
        try:
            _publish(temporary, path)
        except OSError as error:
            raise _refusal(path, error) from None


def _publish(temporary: Path, path: Path) -> None:
    """Give a finished file its name; raise `FileExistsError` if another file has it."""
    try:
        os.link(temporary, path)  # unlike a rename it never replaces a file
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: reserve the name, then replace our own
        create_private(path)
        temporary.replace(path)


def create_private(path: Path) -> None:
    """Create an empty file that its owner alone may read; raise `FileExistsError`, `OSError`."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _refusal(path: Path, error: OSError) -> UserError:
    if isinstance(error, FileExistsError):
        return UserError(f"{path} exists already: choose another name, or remove it.")
    reason = error.strerror or type(error).__name__
    return UserError(f"{path} cannot be written ({reason}): give a file in an existing folder.")
