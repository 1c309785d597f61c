"""Sums over the other tracks of an artist."""

import numpy as np

from classifier.evaluation.sibling_sums import NO_ARTIST, SiblingSums

ARTISTS = np.array([5, 2, 5, NO_ARTIST, 5, NO_ARTIST, 2, 9])
ORDER = np.array([3, 1, 1, 1, 2, 1, 2, 1])
"""The tracks of artist 5 in order: 2, 4, 0; of artist 2: 1, 6."""
VALUES = (2.0 ** np.arange(8)).astype(np.float32)[:, np.newaxis]
SUMS = SiblingSums(ARTISTS, ORDER, VALUES)


def test_all_siblings_are_the_other_tracks_of_the_artist() -> None:
    """A track alone, and one without credits, has none."""
    sums, counts = SUMS.first()
    assert sums[:, 0].tolist() == [4 + 16, 64, 1 + 16, 0, 1 + 4, 0, 2, 0]
    assert counts.tolist() == [2, 1, 2, 0, 2, 0, 1, 0]


def test_the_first_siblings_are_taken_by_the_order_without_the_track_itself() -> None:
    """A track with fewer has all of them."""
    sums, counts = SUMS.first(1)
    assert sums[:, 0].tolist() == [4, 64, 16, 0, 4, 0, 2, 0]
    assert counts.tolist() == [1, 1, 1, 0, 1, 0, 1, 0]
    assert not SUMS.first(0)[1].any()
    assert not SUMS.first(0)[0].any()
    assert np.array_equal(SUMS.first(100)[0], SUMS.first()[0])


def test_siblings_with_a_property_of_the_track_are_left_out() -> None:
    """Of artist 5 track 2 has the second property, and tracks 0 and 4 the first."""
    has = np.zeros((8, 2), dtype=bool)
    codes = np.array([0, 0, 1, 0, 0, 0, 0, 0])
    has[np.arange(8), codes] = True
    sums, counts = SUMS.without(codes, has)
    assert sums[:, 0].tolist() == [4, 0, 1 + 16, 0, 4, 0, 0, 0]
    assert counts.tolist() == [1, 0, 2, 0, 1, 0, 0, 0]
