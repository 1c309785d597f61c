"""Packed vectors are unpacked unchanged or refused."""

import numpy as np
import pytest

from genrebase.audio import packed_vectors


def test_values_come_back():
    """Single precision, NaN and infinities included."""
    values = np.array([0.1, -3e30, np.nan, np.inf], dtype=np.float32)
    packed = packed_vectors.pack(values)
    np.testing.assert_array_equal(packed_vectors.unpack(packed, 4), values)
    np.testing.assert_array_equal(packed_vectors.unpack_rows([packed] * 3, 4), [values] * 3)


@pytest.mark.parametrize("count", [3, 5])
def test_another_number_of_values_is_refused(count):
    """A vector of another set is never read as one of this."""
    with pytest.raises(packed_vectors.CorruptVector, match=f"does not hold {count} values"):
        packed_vectors.unpack(packed_vectors.pack([1.0] * 4), count)


def test_damaged_bytes_are_refused():
    """Bytes that are no compressed vector are refused."""
    with pytest.raises(packed_vectors.CorruptVector, match="cannot be unpacked"):
        packed_vectors.unpack(b"damaged", 4)
