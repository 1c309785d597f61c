"""Serialise descriptor vectors for the database: compressed float32, 2 kB for 600 values."""

import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genrebase.errors import GenrebaseError, as_clause

_SINGLE: Final = np.dtype("<f4")
_LEVEL: Final = 6


class CorruptVector(GenrebaseError):
    """A stored vector is corrupt."""


def pack(values: ArrayLike) -> bytes:
    """Pack a row of numbers; NaN marks a missing value."""
    return zlib.compress(np.asarray(values, _SINGLE).tobytes(), _LEVEL)


def unpack(data: bytes, count: int) -> NDArray[np.float32]:
    """Unpack `count` values.

    Raise `CorruptVector` if the bytes are damaged or hold another number of values; no more than
    the expected size is decompressed.
    """
    expected = count * _SINGLE.itemsize
    try:
        decompressor = zlib.decompressobj()
        plain = decompressor.decompress(data, expected + 1)
    except zlib.error as error:
        raise CorruptVector(f"Stored values cannot be unpacked: {as_clause(error)}.") from error
    if len(plain) != expected or not decompressor.eof:
        raise CorruptVector(f"A stored vector does not hold {count} values.")
    return np.frombuffer(plain, _SINGLE).astype(np.float32)


def unpack_rows(rows: Sequence[bytes], count: int) -> NDArray[np.float32]:
    """Return the values of several rows, shaped (rows, count)."""
    values = np.empty((len(rows), count), dtype=np.float32)
    for index, data in enumerate(rows):
        values[index] = unpack(data, count)
    return values
