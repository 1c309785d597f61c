"""Stream the members of a compressed tar archive; nothing is unpacked to disk."""

import io
import queue
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final

from collector.datasets.formats import tar_members
from collector.datasets.formats.byte_source import DAMAGED, ByteSource
from collector.datasets.formats.table import DamagedFile, NotADataset
from genrebase.errors import as_clause

_BLOCK: Final = 1 << 20
"""Bytes read at a time."""
_BLOCKS_AHEAD: Final = 8
"""Blocks that are decompressed before they are needed."""
_BZIP2: Final = b"BZh"
_PARALLEL_BZIP2: Final = ("lbzip2", "pbzip2")
"""Programs that decompress bz2 on all cores, in order of preference."""


class DamagedDump(DamagedFile):
    """An archive is truncated or corrupt."""

    @classmethod
    def because(cls, name: str, reason: object) -> "DamagedDump":
        """Return the error for an archive that breaks off while its tables are read."""
        return cls(
            f"{name} is damaged: {as_clause(reason)}. Nothing of it is imported; get the whole "
            "file and start again."
        )


def is_tar(path: Path) -> bool:
    """Return whether a file is a tar archive, compressed or not."""
    try:
        return tar_members.is_tar(ByteSource(path).head)
    except (OSError, NotADataset, DamagedFile):
        return False


class DumpArchive:
    """A tar archive of a dump."""

    def __init__(self, path: Path) -> None:
        """Read the first bytes; raises `NotADataset` or `DamagedDump` if that fails."""
        self.path = path
        try:
            self._source = ByteSource(path)
            with path.open("rb") as file:
                self._is_bzip2 = file.read(len(_BZIP2)) == _BZIP2
            self.size = path.stat().st_size
        except OSError as error:
            raise NotADataset(f"{path} cannot be read: {error.strerror}.") from error
        except DamagedFile as error:
            raise DamagedDump.because(str(path), error.__cause__) from error
        self.progress: Callable[[], float] = float
        """Returns the share of the bytes that were read since it was opened, 0 to 1."""

    @contextmanager
    def members(self) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
        """Yield an iterator over the name and content of each file in the archive.

        A content is read before the next one is taken. Raises `DamagedFile`, also while reading.
        """
        try:
            with ExitStack() as stack:
                stream = stack.enter_context(self._decompressed())
                reader = stack.enter_context(_ReadAhead(stream))
                archive = stack.enter_context(
                    tarfile.open(fileobj=reader, mode="r|", bufsize=_BLOCK)
                )
                yield _members(archive)
        except DamagedDump:
            raise
        except DamagedFile as error:
            raise DamagedDump.because(str(self.path), error.__cause__) from error
        except (*DAMAGED, tarfile.TarError) as error:
            raise DamagedDump.because(str(self.path), error) from error

    @contextmanager
    def _decompressed(self) -> Iterator["io.BufferedReader | _Piped"]:
        """Decompress, with a program that uses all cores where there is one."""
        program = next(filter(shutil.which, _PARALLEL_BZIP2), None) if self._is_bzip2 else None
        if program is None:
            with self._source.open() as stream:
                self.progress = self._source.progress
                yield stream
            return
        with (
            self.path.open("rb", buffering=0) as file,
            subprocess.Popen(  # noqa: S603 - one of our own list, found on the path
                [str(shutil.which(program)), "-dc"],
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as process,
        ):
            self.progress = lambda: file.tell() / max(self.size, 1)  # the program shares it
            try:
                yield _Piped(process)
            finally:
                process.kill()


class _Piped(io.RawIOBase):
    """The output of a program; raises `EOFError` at its end if the program failed."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def read(self, size: int = -1) -> bytes:
        if self._process.stdout is None:
            return b""
        data = self._process.stdout.read(size)
        if not data and self._process.wait():
            raise EOFError(f"{self._process.args!r} failed")
        return data


class _ReadAhead(io.RawIOBase):
    """Reads a stream in a thread, a few blocks ahead: decompression and parsing overlap."""

    def __init__(self, stream: "io.BufferedReader | _Piped") -> None:
        self._stream = stream
        self._blocks: queue.Queue[bytes | BaseException] = queue.Queue(_BLOCKS_AHEAD)
        self._stopped = threading.Event()
        self._rest = memoryview(b"")
        self._at_end = False
        self._thread = threading.Thread(target=self._fill, name="read-ahead", daemon=True)
        self._thread.start()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._rest and not self._at_end:
            block = self._blocks.get()
            if isinstance(block, BaseException):
                self._at_end = True
                raise block
            self._at_end = not block
            self._rest = memoryview(block)
        taken = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(taken) :]
        return bytes(taken)

    def close(self) -> None:
        self._stopped.set()
        while self._thread.is_alive():
            while not self._blocks.empty():
                self._blocks.get_nowait()
            self._thread.join(0.05)
        super().close()

    def _fill(self) -> None:
        try:
            while not self._stopped.is_set():
                block = self._stream.read(_BLOCK)
                self._blocks.put(block)
                if not block:
                    return
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that reads
            self._blocks.put(error)


def _members(archive: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    opened: Any = archive
    while (info := archive.next()) is not None:
        opened.members = []  # tarfile would keep all of them in memory
        content: Any = archive.extractfile(info) if info.isfile() else None
        if content is not None:
            yield info.name, content


def published_sha256(path: Path) -> str | None:
    """Return the SHA-256 that a list beside the file gives for it, None without one.

    The lists are `sha256sums`, `SHA256SUMS` and Discogs' `…_CHECKSUM.txt`: lines `HASH  NAME`.
    """
    discogs = f"{path.name.rpartition('_')[0]}_CHECKSUM.txt"
    for name in ("sha256sums", "SHA256SUMS", discogs):
        try:
            lines = (path.parent / name).read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        for line in lines:
            digest, _, named = line.partition(" ")
            if named.strip().lstrip("*") == path.name:
                return digest.lower()
    return None
