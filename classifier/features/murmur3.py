"""MurmurHash3 (32 bits, seed 0) of many short slices of bytes at once, with numpy.

The algorithm is Austin Appleby's MurmurHash3_x86_32; the values are those of scikit-learn's
`murmurhash3_32`.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_C1, _C2, _ADDED = np.uint32(0xCC9E2D51), np.uint32(0x1B873593), np.uint32(0xE6546B64)
_BLOCK: Final = 4
"""Bytes of a block."""

Words = NDArray[np.uint32]


def hash_slices(
    data: NDArray[np.uint8], begin: NDArray[np.int64], end: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Return the hash of `data[begin[i]:end[i]]` for each i.

    The slices are to be short: the time grows with the longest of them.
    """
    size = end - begin
    longest = int(size.max(initial=0))
    padded = np.append(data, np.zeros(longest + _BLOCK, dtype=np.uint8))
    hashes = np.zeros(len(begin), dtype=np.uint32)
    for offset in range(0, longest, _BLOCK):
        block = _blocks(padded, begin + offset, np.clip(size - offset, 0, _BLOCK))
        mixed = hashes ^ (_rotate(block * _C1, 15) * _C2)
        whole = size >= offset + _BLOCK
        has_tail = (size > offset) & ~whole
        hashes = np.where(has_tail, mixed, hashes)
        hashes = np.where(whole, _rotate(mixed, 13) * np.uint32(5) + _ADDED, hashes)
    hashes ^= size.astype(np.uint32)
    hashes ^= hashes >> np.uint32(16)
    hashes *= np.uint32(0x85EBCA6B)
    hashes ^= hashes >> np.uint32(13)
    hashes *= np.uint32(0xC2B2AE35)
    hashes ^= hashes >> np.uint32(16)
    return hashes.view(np.int32)


def _blocks(data: NDArray[np.uint8], begin: NDArray[np.int64], size: NDArray[np.int64]) -> Words:
    """Return up to four bytes from each place as little-endian numbers; 0 beyond `size`."""
    numbers = np.zeros(len(begin), dtype=np.uint32)
    for place in range(_BLOCK):
        values = np.where(size > place, data[np.minimum(begin + place, len(data) - 1)], 0)
        numbers |= values.astype(np.uint32) << np.uint32(8 * place)
    return numbers


def _rotate(values: Words, bits: int) -> Words:
    return (values << np.uint32(bits)) | (values >> np.uint32(32 - bits))
