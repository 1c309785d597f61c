"""Files that we make: what is there already is somebody's, and is never overwritten."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from genrebase.errors import UserError


def create_text(path: Path) -> IO[str]:
    """Open a new text file for writing; raise `UserError` where there is one already."""
    try:
        return path.open("x", encoding="utf-8", newline="")
    except OSError as error:
        raise _refusal(path, error) from error


@contextmanager
def create_csv(path: Path | None, columns: Sequence[str]) -> Iterator[Any]:
    """Open a new CSV file for rows of these columns; without a path, rows go nowhere.

    Raises `UserError` where there is such a file already.
    """
    if path is None:
        yield csv.writer(_Nowhere())
        return
    with create_text(path) as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        yield writer


class _Nowhere:
    def write(self, text: str) -> int:
        """Forget what is written."""
        return len(text)


def create_binary(path: Path, content: bytes) -> None:
    """Write a new file; raise `UserError` where there is one already."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise _refusal(path, error) from error


def _refusal(path: Path, error: OSError) -> UserError:
    if isinstance(error, FileExistsError):
        return UserError(f"{path} exists already: choose another name, or remove it.")
    why = error.strerror or type(error).__name__
    return UserError(f"{path} cannot be written ({why}): give a file in an existing folder.")
