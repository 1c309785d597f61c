"""Finding a track by what a person types, on both databases."""

import pytest

from genrebase.store.engine import read_transaction, transaction
from genrebase.store.find import AmbiguousTrack, find_track
from tests import factories as make

ID = "6f807x0ima9a1j3VPbc7VN"
DIGITS = "1234567890123456789012"
"""Also 22 characters of base 62."""


@pytest.fixture
def filled(engine):
    """Insert three tracks: 1 with Spotify ids; 2 called 1 and `a7` by sources; 3 called `a7`."""
    with transaction(engine) as connection:
        for number in (1, 2, 3):
            assert make.add_track(connection, f"Song {number}") == number
        for track, source_id, source in (
            (1, ID, "spotify"),
            (1, DIGITS, "spotify"),
            (2, ID, "shop"),
            (2, "1", "fma"),
            (2, "a7", "csv:songs.csv"),
            (3, "a7", "shop"),
            (3, "b:8", "shop"),
            (3, "c9", "shop"),
            (3, "c9", "fma"),
        ):
            make.add_alias(connection, track, source_id, source)
    return engine


@pytest.mark.parametrize(
    ("text", "track"),
    [
        (ID, 1),
        (f" {ID} ", 1),
        (DIGITS, 1),
        (f"spotify:track:{ID}", 1),
        (f"https://open.spotify.com/track/{ID}?si=x", 1),
        (f"https://open.spotify.com/intl-de/track/{ID}", 1),
        (f"spotify:{ID}", 1),
        (f"shop:{ID}", 2),
        (" 1 ", 1),
        ("3", 3),
        ("fma:1", 2),
        ("csv:songs.csv:a7", 2),
        ("shop:a7", 3),
        ("b:8", 3),
        ("c9", 3),
    ],
)
def test_a_track_has_several_names(filled, text, track):
    """`source:id`, a Spotify id, URI or URL, `track.id`, or an id that only one track has."""
    with read_transaction(filled) as connection:
        assert find_track(connection, text) == track


def test_an_id_of_two_tracks_is_refused(filled):
    """The message lists what to type instead."""
    with (
        read_transaction(filled) as connection,
        pytest.raises(AmbiguousTrack, match=r"csv:songs\.csv:a7 or shop:a7"),
    ):
        find_track(connection, "a7")


@pytest.mark.parametrize(
    "text",
    ["", "0", "99", "9" * 18, "9" * 30, "-7", "x", "0" * 22, "²", "spotify:track:short", "fma:2"],
)
def test_an_unknown_track(filled, text):
    """A number is never a source's id, and the id of one source never another's."""
    with read_transaction(filled) as connection:
        assert find_track(connection, text) is None
