"""Decode text files: byte-order marks, UTF-16 without one, and rows that are not UTF-8."""

import io
from typing import IO, Final

from collector.datasets.formats.table import DEFAULT_ENCODING, NotADataset

_MARKS: Final = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_MIN_NULS: Final = 0.4
"""Minimum share of NUL among the even or odd bytes of UTF-16 text in a European language."""
_HIGH: Final = bytes(range(0x80, 0x100))
UNDECODED: Final = "surrogateescape"
"""The error handler that keeps undecodable bytes as lone surrogates."""


def detect_unicode(head: bytes) -> str | None:
    """Return the encoding if a file's first bytes are UTF-16 or UTF-32; else None."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    for encoding, nuls, others in (
        ("utf-16-le", head[1::2], head[::2]),
        ("utf-16-be", head[::2], head[1::2]),
    ):
        if nuls and nuls.count(0) >= _MIN_NULS * len(nuls) and not others.count(0):
            return encoding
    return None


def is_single_byte(encoding: str) -> bool:
    """Return whether an encoding extends ASCII by one byte per character.

    Raises `NotADataset` for an unknown encoding.
    """
    try:
        return len(_HIGH.decode(encoding, "replace")) == len(_HIGH) and "a,".encode(encoding) == (
            b"a,"
        )
    except LookupError:
        raise NotADataset(f"There is no encoding called {encoding!r}.") from None
    except UnicodeError:
        return False


def open_text(file: io.BufferedReader, head: bytes, encoding: str) -> tuple[IO[str], str, bool]:
    """Return a binary file as text, its encoding, and whether single rows may be in `encoding`.

    A single-byte encoding is used for the rows that are not UTF-8 (see `decode_row`): in text of
    such an encoding, almost no row with a character beyond ASCII is valid UTF-8.
    """
    unicode = detect_unicode(head)
    if unicode is not None:
        return io.TextIOWrapper(file, unicode, "replace", newline=""), unicode, False
    if is_single_byte(encoding):
        return io.TextIOWrapper(file, DEFAULT_ENCODING, UNDECODED, newline=""), encoding, True
    return io.TextIOWrapper(file, encoding, UNDECODED, newline=""), encoding, False


def decode_line(line: str, encoding: str) -> str:
    """Return a line, decoded in `encoding` if it is not UTF-8."""
    return decode_row(line, encoding) if is_undecoded(line) else line


def is_undecoded(text: str) -> bool:
    """Return whether a text holds bytes that could not be decoded."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def decode_row(line: str, encoding: str) -> str:
    """Return a line that is not UTF-8 as text in `encoding`."""
    return line.encode("utf-8", UNDECODED).decode(encoding, UNDECODED)
