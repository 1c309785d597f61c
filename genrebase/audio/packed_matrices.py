"""Serialise matrices over time for the database: half precision, compressed, versioned.

float16 keeps three decimal digits, which is more than the ear or a network asks for, in a quarter
of the space. Rows are steps in the order of time, columns are channels.
"""

import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from genrebase.errors import GenrebaseError

FloatArray = NDArray[np.float64]
"""An array of numbers."""

_HALF: Final = np.dtype("<f2")
_GREATEST: Final = float(np.finfo(_HALF).max)
_LEVEL: Final = 6
"""Of zlib: half precision hardly shrinks any further."""


class CorruptMatrix(GenrebaseError):
    """A stored matrix is corrupt."""


@dataclass(frozen=True, slots=True)
class PackedMatrix:
    """A packed matrix; the fields are columns of `sound_matrix`."""

    kind: str
    """What its channels are."""
    version: int
    """Of the way it was made and packed."""
    steps: int
    channels: int
    data: bytes


def pack(kind: str, version: int, values: FloatArray) -> PackedMatrix:
    """Pack `values`, shaped (steps, channels); greater ones than halves can be are cut off."""
    steps, channels = values.shape
    halves = np.clip(values, -_GREATEST, _GREATEST).astype(_HALF)
    return PackedMatrix(kind, version, steps, channels, zlib.compress(halves.tobytes(), _LEVEL))


def unpack(data: bytes, steps: int, channels: int) -> NDArray[np.float32]:
    """Return what was packed, shaped (steps, channels).

    Raises `CorruptMatrix` where the bytes are damaged or hold another number of values; no more of
    them is unpacked than there should be.
    """
    expected = steps * channels * _HALF.itemsize
    try:
        unpacking = zlib.decompressobj()
        plain = unpacking.decompress(data, expected + 1)
    except zlib.error as error:
        raise CorruptMatrix(f"A stored matrix cannot be unpacked: {error}.") from error
    if len(plain) != expected or not unpacking.eof:
        raise CorruptMatrix(f"A stored matrix does not hold {steps} steps of {channels} values.")
    found: NDArray[Any] = np.frombuffer(plain, _HALF).reshape(steps, channels)
    return found.astype(np.float32)
