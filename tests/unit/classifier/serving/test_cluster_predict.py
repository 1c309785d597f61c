"""Ranges of track ids, the tasks of a prediction on a cluster."""

import numpy as np

from classifier.serving.cluster_predict import (
    LARGE_DATABASE_IDS,
    LARGE_RANGE_IDS,
    RANGE_IDS,
    range_size,
    ranges_of,
)


def test_ranges_hold_all_tracks_and_no_others() -> None:
    """A range without a track is no task."""
    tracks = np.array([0, 3, 9, 10, 45], dtype=np.int64)
    assert list(ranges_of(tracks, 10)) == [((0, 9), 3), ((10, 19), 1), ((40, 49), 1)]


def test_two_runs_have_the_same_ranges() -> None:
    """One finds more new tracks than the other: leases are still of the same ranges."""
    some, more = np.array([12, 33]), np.array([5, 12, 31, 33, 58])
    assert {ids for ids, _ in ranges_of(some, 10)} <= {ids for ids, _ in ranges_of(more, 10)}


def test_a_large_database_has_larger_ranges() -> None:
    """They are worth reading as Arrow batches."""
    assert range_size(LARGE_DATABASE_IDS - 1) == RANGE_IDS
    assert range_size(LARGE_DATABASE_IDS) == LARGE_RANGE_IDS
