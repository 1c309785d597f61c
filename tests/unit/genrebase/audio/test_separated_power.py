"""Power of the harmonic and the percussive part of a clip."""

import numpy as np
from scipy.ndimage import median_filter

from genrebase.audio import frame_features


def test_medians_of_long_rows_are_those_of_each() -> None:
    """Rows laid end to end do not touch each other."""
    rows = np.random.default_rng(3).random((5, 40)).astype(np.float32)
    expected = median_filter(rows, size=(1, 31), mode="reflect")
    np.testing.assert_array_equal(frame_features._medians(rows), expected)
