"""Open the bytes of a file, or of a member of an archive, any number of times, decompressed."""

import bz2
import gzip
import io
import lzma
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final

from collector.datasets.formats.table import DamagedFile, NotADataset
from genrebase.errors import as_clause
from genrebase.new_file import naming_the_full_file

_BUFFER: Final = 1 << 18
_HEAD: Final = 4_096
"""Leading bytes by which a format is recognised."""
_MAX_RATIO: Final = 200
"""Maximum ratio of decompressed to compressed size: tables have about 20, bombs 1,000 and more."""
_FREE_BYTES: Final = 1 << 28
"""Up to this size, any ratio is accepted."""
DAMAGED: Final = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
"""Exceptions of reading a truncated or corrupt stream."""


def _zstd(raw: IO[bytes]) -> IO[bytes]:
    import pyarrow as pa  # slow to import (0.25 s), and few files need it

    stream: IO[bytes] = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")
    return stream


_DECOMPRESSORS: Final[dict[bytes, Callable[[Any], Any]]] = {
    b"\x1f\x8b": lambda raw: gzip.GzipFile(fileobj=raw),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
    b"\x28\xb5\x2f\xfd": _zstd,
}


class _LimitedStream(io.RawIOBase):
    """A decompressed stream that ends with an error at an implausible compression ratio."""

    def __init__(self, stream: IO[bytes], name: str, size: int) -> None:
        self._stream, self._name = stream, name
        self._read, self._limit = 0, max(_FREE_BYTES, _MAX_RATIO * size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(len(buffer))
        except OSError as error:
            if error.errno is not None:
                raise
            raise EOFError(str(error)) from error  # a corrupt stream, not a failing disk
        self._read += len(data)
        if self._read > self._limit:
            raise NotADataset(
                f"{self._name} expands to more than {_MAX_RATIO} times its size, as no table "
                "does: decompress it first if it is what you mean."
            )
        buffer[: len(data)] = data
        return len(data)


class ByteSource:
    """The bytes of one file, read from the start by each `open`."""

    def __init__(self, path: Path, member: str | None = None, *, name: str | None = None) -> None:
        """Read a file on disk, or a member of the zip archive that it is.

        `name` is for messages, where it is another than that of the file.
        """
        self.path, self._member = path, member
        self.name = name or (str(path) if member is None else f"{path}/{member}")
        """The name for messages."""
        self._decompress: Callable[[Any], Any] | None = None
        self._size = self._packed_size = 0
        self._raw: Any = None
        with self.open() as file:
            start = file.read(_HEAD)
        self._decompress = next(
            (make for magic, make in _DECOMPRESSORS.items() if start.startswith(magic)), None
        )
        self.head = start
        """The first bytes, decompressed."""
        if self._decompress is not None:
            with self.open() as file:
                self.head = file.read(_HEAD)

    @property
    def is_plain_file(self) -> bool:
        """Whether the bytes are a file on disk as they are."""
        return self._decompress is None and self._member is None

    @contextmanager
    def open(self) -> Iterator[io.BufferedReader]:
        """Open at the start; raises `NotADataset` or `DamagedFile`, also during reading."""
        try:
            with ExitStack() as stack:
                raw: Any = self._open_raw(stack)
                self._raw = raw
                stream = raw if self._decompress is None else self._decompress(raw)
                if not self.is_plain_file:
                    stream = _LimitedStream(stream, self.name, self._packed_size)
                yield stack.enter_context(io.BufferedReader(stream, _BUFFER))
        except DAMAGED as error:
            raise DamagedFile.because(self.name, error) from error

    def _open_raw(self, stack: ExitStack) -> IO[bytes]:
        if self._member is None:
            self._size = self._packed_size = self.path.stat().st_size
            return stack.enter_context(self.path.open("rb"))
        archive = stack.enter_context(zipfile.ZipFile(self.path))
        info = archive.getinfo(self._member)
        self._size, self._packed_size = info.file_size, info.compress_size
        try:
            return stack.enter_context(archive.open(info))
        except (RuntimeError, NotImplementedError) as error:  # a password, an unknown method
            raise NotADataset(
                f"{self.name} cannot be read: {as_clause(error)}. Unpack it first."
            ) from error

    def progress(self) -> float:
        """Return the share of the bytes that the latest `open` has read, 0 to 1."""
        raw = self._raw
        if raw is None or raw.closed or not self._size:
            return 1.0
        return float(raw.tell() / self._size)

    def estimate(self, done: int) -> float | None:
        """Estimate how many records there are from how many are `done`; None if unknown."""
        share = self.progress()
        return done / share if share else None

    @contextmanager
    def as_path(self) -> Iterator[Path]:
        """Yield a file on disk that holds the bytes; a temporary one if needed."""
        if self.is_plain_file:
            yield self.path
            return
        with tempfile.NamedTemporaryFile(prefix="genrebase-") as copy:
            with naming_the_full_file(Path(copy.name)), self.open() as file:
                shutil.copyfileobj(file, copy, _BUFFER)
                copy.flush()
            yield Path(copy.name)
