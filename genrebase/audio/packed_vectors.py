"""Serialise descriptor vectors for the database.

float32 compressed: about 2 kB for 600 values.
"""

import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genrebase.errors import GenrebaseError

_SINGLE: Final = np.dtype("<f4")
_LEVEL: Final = 6


class CorruptVector(GenrebaseError):
    """A stored vector is corrupt."""


def pack(values: ArrayLike) -> bytes:
    """Pack a row of numbers; NaN where one is not known."""
    return zlib.compress(np.asarray(values, _SINGLE).tobytes(), _LEVEL)


def unpack(data: bytes, count: int) -> NDArray[np.float32]:
    """Return the `count` values that were packed.

    Raises `CorruptVector` where the bytes are damaged or hold another number of values; no more of
    them is unpacked than there should be.
    """
    expected = count * _SINGLE.itemsize
    try:
        unpacking = zlib.decompressobj()
        plain = unpacking.decompress(data, expected + 1)
    except zlib.error as error:
        raise CorruptVector(f"Stored values cannot be unpacked: {error}.") from error
    if len(plain) != expected or not unpacking.eof:
        raise CorruptVector(f"What is stored does not hold {count} values.")
    return np.frombuffer(plain, _SINGLE).astype(np.float32)


def unpack_rows(rows: Sequence[bytes], count: int) -> NDArray[np.float32]:
    """Return the values of several rows, shaped (rows, count)."""
    found = np.empty((len(rows), count), dtype=np.float32)
    for place, data in enumerate(rows):
        found[place] = unpack(data, count)
    return found
