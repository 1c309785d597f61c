"""Seen and new artists."""

import numpy as np

from classifier.data.regimes import has_seen_artist, primary_artists, regime_of_side

CREDITS = np.array([(1, 10), (2, 10), (3, 11), (3, 10), (4, 12), (5, 13)])
OWNERS, CREDITED = CREDITS.T


def test_an_artist_is_known_by_another_track_than_the_one_in_question() -> None:
    """Track 1 and 2 know each other's artist; track 4 was learned from, but alone."""
    learned = np.array([1, 4])
    known = has_seen_artist(np.array([1, 2, 3, 4, 5]), OWNERS, CREDITED, learned)
    assert known.tolist() == [False, True, True, False, False]


def test_a_guest_makes_a_track_familiar_too() -> None:
    """Any credited artist counts, not only the first."""
    assert has_seen_artist(np.array([3]), OWNERS, CREDITED, np.array([2])).tolist() == [True]


def test_sides_become_regimes() -> None:
    """New is new; on the seen side an artist without a track to learn from stands apart."""
    sides = np.array(["test_new", "test_seen", "test_seen", "validation_new", "validation_seen"])
    known = np.array([False, True, False, False, True])
    assert regime_of_side(sides, known).tolist() == [
        "new_artist",
        "seen_artist",
        "other",
        "new_artist",
        "seen_artist",
    ]


def test_the_primary_artist_is_the_one_credited_first() -> None:
    """By position, whatever the order of the rows; -1 where nobody is credited."""
    positions = np.array([0, 0, 1, 0, 0, 0])
    found = primary_artists(np.array([3, 1, 99]), OWNERS, CREDITED, positions)
    assert found.tolist() == [10, 10, -1]
