"""Count the damaged pages of an Ogg file (Vorbis, Opus, FLAC in Ogg), which decoders drop."""

import mmap
import zlib
from pathlib import Path
from typing import Final

from genrebase.counts import counted

_MARK: Final = b"OggS"
_HEADER_BYTES: Final = 27
_LAST_PAGE: Final = 4
"""Flag of the last page of a stream."""
_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def find_damage(path: Path) -> tuple[str, ...]:
    """Return remarks on damaged pages of an Ogg file; () for other files."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:4] != _MARK:
            return ()
        position = damaged = flags = 0
        whole = True
        while 0 <= position < len(data):
            end = _page_end(data, position)
            if end is None:
                damaged += 1
                position = data.find(_MARK, position + 1)
                whole = position >= 0
                continue
            flags, position = data[position + 5], end
    remarks = []
    if skipped := damaged - (not whole):
        pages = counted(skipped, "damaged page")
        remarks.append(f"{pages} of the Ogg stream were skipped")
    if not whole or not flags & _LAST_PAGE:
        remarks.append("the file breaks off: the last page of the Ogg stream is missing")
    return tuple(remarks)


def _page_end(data: mmap.mmap, position: int) -> int | None:
    """Return the end of the page that begins at `position`, None if it is damaged."""
    header = data[position : position + _HEADER_BYTES]
    if len(header) < _HEADER_BYTES or header[:4] != _MARK:
        return None
    table_end = position + _HEADER_BYTES + header[26]
    end = table_end + sum(data[position + _HEADER_BYTES : table_end])
    if end > len(data):
        return None
    page = data[position:end]
    stored = int.from_bytes(page[22:26], "little")
    return end if _checksum(page[:22] + bytes(4) + page[26:]) == stored else None


def _checksum(page: bytes) -> int:
    """Return the CRC-32 of Ogg: zlib's polynomial, bits in the other order, no inversion."""
    reflected = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)
