"""The folder of downloads: limited in size, with partial files that a later run continues.

A file has the same name in every run, a hash of source, item and name, so that nothing is
downloaded twice after a kill. Files that belong to no waiting download are deleted.
"""

import hashlib
import os
from collections.abc import Callable, Collection
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, Self

from collector.errors import CollectorError, StopRequested
from genrebase.audio.file_suffixes import SUFFIXES
from genrebase.errors import UserError
from genrebase.new_file import DISK_FULL

PARTIAL: Final = ".part"
"""Added to the name of a file that is not complete."""
_NAME_LENGTH: Final = 32
_OTHER_SUFFIX: Final = ".audio"


class DiskFull(CollectorError):
    """The disk is full."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"{folder} cannot take the next audio file ({reason}). What was analysed is recorded. "
            "Free some space, or name another folder in COLLECTOR_DOWNLOADS; then run it again."
        )


class FileTooLong(CollectorError):
    """The file is longer than its source says, or than it may be."""


class TooManyBytes(CollectorError):
    """The bytes that may come are used up, by parts of the file that had to be dropped."""


class PartialFile:
    """A file that is being downloaded; it is open inside its block."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self.path = folder / name
        """Its path once it is complete."""
        self._partial = folder / f"{name}{PARTIAL}"
        self._file: BinaryIO | None = None
        self.max_size = 0
        """Maximum bytes that it may have."""
        self.received = 0
        """Bytes written, also those that were dropped again."""
        self.max_received: int | None = None
        """Maximum bytes that may come, those of an earlier run not included; None: any number."""
        self._before = 0
        self.stop_requested: Callable[[], bool] = lambda: False

    def __enter__(self) -> Self:
        """Open the file; bytes of an earlier run stay, and count as received."""
        try:
            self._file = self._partial.open("ab", buffering=0)
        except OSError as error:
            raise self._translated(error) from error
        self.received = self._before = self.size
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._file = None

    @property
    def _open(self) -> BinaryIO:
        assert self._file is not None  # noqa: S101 - used inside its block only
        return self._file

    @property
    def size(self) -> int:
        """Size of the file so far, in bytes."""
        return os.fstat(self._open.fileno()).st_size

    def restart(self) -> None:
        """Truncate the file."""
        self._open.truncate(0)

    def write(self, chunk: bytes) -> None:
        """Append bytes; raise `StopRequested`, `FileTooLong`, `TooManyBytes` or `DiskFull`."""
        if self.stop_requested():
            raise StopRequested
        if self.size + len(chunk) > self.max_size:
            raise FileTooLong
        coming = self.received - self._before + len(chunk)
        if self.max_received is not None and coming > self.max_received:
            raise TooManyBytes
        rest = memoryview(chunk)
        while rest:
            try:
                written = self._open.write(rest)
            except OSError as error:
                raise self._translated(error) from error
            rest = rest[written:]
            self.received += written

    def digest(self) -> str:
        """Return the file's MD5 in hexadecimal digits, as archives state it."""
        with self._partial.open("rb") as file:
            return hashlib.file_digest(
                file, lambda: hashlib.md5(usedforsecurity=False)
            ).hexdigest()

    def missing(self, size: int) -> int:
        """Return how many bytes it needs besides those on the disk to have `size`, or less."""
        if self.path.exists():
            return 0
        return max(0, size - (self._partial.stat().st_size if self._partial.exists() else 0))

    def complete(self) -> None:
        """Rename the file to its final name."""
        self._partial.replace(self.path)

    def remove(self) -> None:
        """Delete it; inside its block it is empty then."""
        if self._file is not None:
            self.restart()
        self._partial.unlink(missing_ok=True)

    def _translated(self, error: OSError) -> Exception:
        if error.errno not in DISK_FULL:
            return UserError(f"{self._folder} cannot be written to: {error.strerror}.")
        self.remove()  # the database may need the space
        return DiskFull(self._folder, error.strerror or "no space left")


class DownloadFolder:
    """The files of one database's downloads."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        """Use `folder`, created if missing, for at most `max_bytes` of files."""
        self._folder, self.max_bytes = folder, max_bytes
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"The folder for downloads, {folder}, cannot be made ({error.strerror}): name "
                "another in COLLECTOR_DOWNLOADS."
            ) from error

    def file(self, source: str, item_id: str, name: str) -> PartialFile:
        """Return a file, which may already exist completely or in part."""
        return PartialFile(self._folder, _local_name(source, item_id, name))

    def used(self) -> int:
        """Return the bytes of all files, partial ones included."""
        return sum(path.stat().st_size for path in self._folder.iterdir() if path.is_file())

    def delete_others(self, keep: Collection[tuple[str, str, str]]) -> int:
        """Delete all files but these (source, item, name), complete or not; return how many."""
        names = {_local_name(*one) for one in keep}
        others = [
            path
            for path in self._folder.iterdir()
            if path.is_file() and path.name.removesuffix(PARTIAL) not in names
        ]
        for path in others:
            path.unlink(missing_ok=True)
        return len(others)


def _local_name(source: str, item_id: str, name: str) -> str:
    """Return a file's name on this disk: a hash, and its suffix if that is an audio file's."""
    digest = hashlib.sha256(f"{source}\0{item_id}\0{name}".encode()).hexdigest()
    suffix = PurePosixPath(name).suffix.lower()
    return f"{digest[:_NAME_LENGTH]}{suffix if suffix in SUFFIXES else _OTHER_SUFFIX}"


def folder_for(base: Path | None, database: str) -> Path:
    """Return the folder of a database's downloads: below `base`, or the user's cache folder."""
    parent = base or Path.home() / ".cache" / "genrebase" / "downloads"
    return parent / hashlib.sha256(database.encode()).hexdigest()[:12]
