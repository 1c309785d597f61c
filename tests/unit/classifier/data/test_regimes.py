"""Seen and unseen artists."""

import numpy as np
import pandas as pd

from classifier.data.regimes import has_seen_artist, primary_artists, regime_of_side

CREDITS = pd.DataFrame(
    [(1, 10, 0), (2, 10, 0), (3, 11, 1), (3, 10, 0), (4, 12, 0), (5, 13, 0)],
    columns=["track_id", "artist_id", "position"],
)


def test_only_another_training_track_makes_an_artist_seen() -> None:
    """Tracks 1 and 2 share an artist; the artist of training track 4 has no other track."""
    learned = np.array([1, 4])
    existing = has_seen_artist(np.array([1, 2, 3, 4, 5]), CREDITS, learned)
    assert existing.tolist() == [False, True, True, False, False]


def test_a_guest_artist_counts_as_seen() -> None:
    """Any credited artist counts, not only the first."""
    assert has_seen_artist(np.array([3]), CREDITS, np.array([2])).tolist() == [True]


def test_sides_become_regimes() -> None:
    """On a seen side, tracks of an artist without a training track are `other`."""
    sides = np.array(["test_new", "test_seen", "test_seen", "validation_new", "validation_seen"])
    existing = np.array([False, True, False, False, True])
    assert regime_of_side(sides, existing).tolist() == [
        "new_artist",
        "seen_artist",
        "other",
        "new_artist",
        "seen_artist",
    ]


def test_the_primary_artist_is_the_first_credit() -> None:
    """Positions decide, not the order of the rows; a track without credits has -1."""
    result = primary_artists(np.array([3, 1, 99]), CREDITS)
    assert result.tolist() == [10, 10, -1]
