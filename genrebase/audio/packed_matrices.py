"""Serialise matrices over time for the database: half precision, compressed, versioned.

float16 keeps three decimal digits, more than the ear or a network needs, in a quarter of the
space. Rows are steps in temporal order, columns are channels.
"""

import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from genrebase.errors import GenrebaseError, as_clause

FloatArray = NDArray[np.float64]

CHANNELS: Final = {"logmel": 64, "segments": 26}
"""Kinds of matrices, and their channels: mel bands (`logmel`), values of a segment."""
_HALF: Final = np.dtype("<f2")
_MAX_HALF: Final = float(np.finfo(_HALF).max)
_LEVEL: Final = 6
"""zlib's level: higher ones hardly shrink half precision any further."""


class CorruptMatrix(GenrebaseError):
    """A stored matrix is corrupt."""


@dataclass(frozen=True, slots=True)
class PackedMatrix:
    """A packed matrix; the fields are columns of `sound_matrix`."""

    kind: str
    """The meaning of its channels."""
    version: int
    """The version of its computation and packing."""
    steps: int
    channels: int
    data: bytes


def pack(kind: str, version: int, values: FloatArray) -> PackedMatrix:
    """Pack `values`, shaped (steps, channels); values beyond float16's range are clipped."""
    steps, channels = values.shape
    halves = np.clip(values, -_MAX_HALF, _MAX_HALF).astype(_HALF)
    return PackedMatrix(kind, version, steps, channels, zlib.compress(halves.tobytes(), _LEVEL))


def unpack(data: bytes, steps: int, channels: int) -> NDArray[np.float32]:
    """Unpack a matrix shaped (steps, channels).

    Raise `CorruptMatrix` if the bytes are damaged or hold another number of values; no more than
    the expected size is decompressed.
    """
    expected = steps * channels * _HALF.itemsize
    try:
        decompressor = zlib.decompressobj()
        plain = decompressor.decompress(data, expected + 1)
    except zlib.error as error:
        raise CorruptMatrix(f"A stored matrix cannot be unpacked: {as_clause(error)}.") from error
    if len(plain) != expected or not decompressor.eof:
        raise CorruptMatrix(f"A stored matrix does not hold {steps} steps of {channels} values.")
    values: NDArray[Any] = np.frombuffer(plain, _HALF).reshape(steps, channels)
    return values.astype(np.float32)
