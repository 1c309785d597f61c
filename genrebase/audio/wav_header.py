"""Read the header of a WAV, AIFF or AU file, and correct fields that are wrong.

A recorder that could not go back writes 0 or FFFFFFFF as the size of the audio; libsndfile then
reads nothing. A truncated file declares more bytes than it has.
"""

import io
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from genrebase.counts import counted

MIN_RATE, MAX_RATE = 1_000, 1_600_000
"""Plausible sample rates in Hz: with others, a header is wrong."""

_UNKNOWN_SIZE: Final = 0xFFFFFFFF
_NO_SIZE: Final = "the header gives no size: read to the end of the file"
_AU_HEADER_BYTES: Final = 24
_MAX_CHUNKS: Final = 1_000
_MAX_PADDING: Final = 16
"""Tolerance in bytes: some programs write a slightly wrong size of an AIFF file."""
_PCM_FORMATS: Final = frozenset({1, 3, 0xFFFE})
"""Formats whose frames have a constant size: integers, floating point, extensible."""
_FORMAT: Final = struct.Struct("<HHIIHH")
"""Format, channels, rate, bytes a second, bytes a frame, bits a sample."""


@dataclass(frozen=True, slots=True)
class HeaderFix:
    """The corrections of a header."""

    patches: dict[int, bytes] = field(default_factory=dict)
    """Bytes to read instead of the file's, by position."""
    remarks: tuple[str, ...] = ()


class PatchedFile(io.FileIO):
    """A file opened for reading, with some bytes replaced."""

    def __init__(self, path: Path, patches: dict[int, bytes]) -> None:
        """Open `path`; `patches` holds the replacements by position."""
        super().__init__(path, "r")
        self._patches = patches

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer, as `io.FileIO` does."""
        start = self.tell()
        size = super().readinto(buffer)
        view = memoryview(buffer).cast("B")
        for position, replacement in self._patches.items():
            for index, byte in enumerate(replacement, position - start):
                if 0 <= index < size:
                    view[index] = byte
        return size


def check_header(path: Path) -> HeaderFix:
    """Return the corrections of a file's header; none for files of other formats."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        if start[:4] == b"FORM" and start[8:] in (b"AIFF", b"AIFC"):
            declared = int.from_bytes(start[4:8], "big") + 8
            if declared - size > _MAX_PADDING and declared != _UNKNOWN_SIZE + 8:
                text = f"the file breaks off: {size:,} of {counted(declared, 'byte')}"
                return HeaderFix(remarks=(text,))
        if start[:4] == b".snd" and start[8:] == bytes(4) and size > _AU_HEADER_BYTES:
            return HeaderFix({8: b"\xff\xff\xff\xff"}, (_NO_SIZE,))
        if start[:4] not in (b"RIFF", b"RF64") or start[8:] != b"WAVE":
            return HeaderFix()
        return _HeaderParser(file, size).parse()


class _HeaderParser:
    def __init__(self, file: io.BufferedReader, size: int) -> None:
        self._file, self._size = file, size
        self._patches: dict[int, bytes] = {}
        self._remarks: list[str] = []
        self._bytes_per_second = self._frame_size = 0
        self._long_size: int | None = None
        """The position of the size of an RF64 file's audio, in eight bytes."""

    def parse(self) -> HeaderFix:
        position = 12
        for _ in range(_MAX_CHUNKS):
            self._file.seek(position)
            header = self._file.read(8)
            if len(header) < 8:
                break
            name, length = header[:4], int.from_bytes(header[4:], "little")
            if name == b"fmt ":
                self._check_format(position + 8)
            elif name == b"ds64":
                self._long_size = position + 16
            elif name == b"data":
                self._check_data(position, self._declared_size(length))
                break
            position += 8 + length + length % 2
        return HeaderFix(self._patches, tuple(self._remarks))

    def _check_format(self, position: int) -> None:
        fields = self._file.read(_FORMAT.size)
        if len(fields) < _FORMAT.size:
            return
        kind, channels, rate, per_second, frame_size, bits = _FORMAT.unpack(fields)
        if kind not in _PCM_FORMATS:
            return
        self._frame_size = frame_size
        sample_size = bits // 8
        if channels == 0 and sample_size and frame_size and frame_size % sample_size == 0:
            channels = frame_size // sample_size
            self._patches[position + 2] = struct.pack("<H", channels)
            self._remarks.append(f"the header has no channels: its frame size gives {channels}")
        if not MIN_RATE <= rate <= MAX_RATE and frame_size:
            other = per_second // frame_size
            if MIN_RATE <= other <= MAX_RATE:
                self._patches[position + 4] = struct.pack("<I", other)
                self._remarks.append(
                    f"the header gives a sample rate of {rate:,} Hz: its bytes per second give "
                    f"{other:,} Hz"
                )
                rate = other
        self._bytes_per_second = rate * frame_size

    def _declared_size(self, length: int) -> int:
        """Return the size of the audio; `length` is that of the chunk's header."""
        if self._long_size is None or length != _UNKNOWN_SIZE:
            return length
        self._file.seek(self._long_size)
        return int.from_bytes(self._file.read(8), "little")

    def _check_data(self, position: int, declared: int) -> None:
        present = self._size - position - 8
        if declared == _UNKNOWN_SIZE or (declared == 0 and not self._chunk_follows(position + 8)):
            if present > 0:
                self._read_to_the_end(position, present)
                self._remarks.append(_NO_SIZE)
        elif declared > present:
            self._remarks.append(f"the file breaks off: {self._seconds(present, declared)}")
        elif self._is_too_small(position, declared, present):
            self._read_to_the_end(position, present)
            self._remarks.append(
                "the header gives too small a size: read to the end of the file "
                f"({self._seconds(declared, present)} by the header)"
            )

    def _is_too_small(self, position: int, declared: int, present: int) -> bool:
        """Return whether the file has far more audio than declared, and no other chunk."""
        rest = present - declared
        return (
            0 < self._bytes_per_second <= rest
            and rest > declared
            and not self._chunk_follows(position + 8 + declared + declared % 2)
        )

    def _read_to_the_end(self, position: int, present: int) -> None:
        if self._frame_size:
            present -= present % self._frame_size
        if self._long_size is not None:
            self._patches[self._long_size] = struct.pack("<Q", present)
            return
        self._patches[position + 4] = struct.pack("<I", min(present, _UNKNOWN_SIZE))
        self._patches[4] = struct.pack("<I", min(self._size - 8, _UNKNOWN_SIZE))

    def _chunk_follows(self, position: int) -> bool:
        """Return whether a chunk that fits into the file begins here, or the file ends."""
        if position >= self._size:
            return True
        self._file.seek(position)
        header = self._file.read(8)
        name, length = header[:4], int.from_bytes(header[4:], "little")
        is_name = len(header) == 8 and all(32 <= byte < 127 for byte in name)
        return is_name and position + 8 + length <= self._size

    def _seconds(self, kept: int, whole: int) -> str:
        if not self._bytes_per_second:
            return f"{kept:,} of {counted(whole, 'byte')}"
        per_second = self._bytes_per_second
        return f"{kept / per_second:.1f} of {whole / per_second:.1f} s"
