"""Metadata comes from the tags, else from the file name."""

import pytest

from collector.audio import metadata
from genrebase.audio.records import AudioAnalysis
from genrebase.audio.tags import AudioTags


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("Björk - Jóga", ("Björk", "Jóga")),
        ("01 - Björk - Jóga", ("Björk", "Jóga")),
        ("01. Björk - Jóga", ("Björk", "Jóga")),
        ("Kevin_MacLeod_-_Vibe_Ace", ("Kevin MacLeod", "Vibe Ace")),
        ("Miles Davis – So What", ("Miles Davis", "So What")),
        ("Björk - Jóga - Live", ("Björk", "Jóga - Live")),
        ("07 - Intro", ("", "Intro")),
        ("AC-DC", ("", "AC-DC")),
        ("000002", ("", "000002")),
        ("311 - Down - Live - 1996", ("311", "Down - Live - 1996")),
        (" - ", ("", "-")),
        ("_", ("", "_")),
    ],
)
def test_a_file_name_has_artist_and_title(stem: str, expected: tuple[str, str]) -> None:
    """In `Artist - Title` a leading track number is removed; any other name is a title."""
    assert metadata.parse_file_name(stem) == expected


def tags_of(**tags: object) -> AudioAnalysis:
    return AudioAnalysis("ab12", 29.9767, AudioTags(**tags), None)  # type: ignore[arg-type]


def test_tags_come_before_the_file_name() -> None:
    """Everything that is tagged is taken; duration and id are the sound's."""
    tags = {"title": "Jóga", "artists": ("Björk", "Guest"), "album": "Homogenic"}
    track = metadata.to_track(
        "01 x", tags_of(**tags, date="1997-09-22", isrc="gb-ayc9700104"), 2030
    )
    assert (track.source, track.source_id, track.duration_ms) == ("audio", "ab12", 29977)
    assert [artist.name for artist in track.artists] == ["Björk", "Guest"]
    assert (track.title, track.album, track.isrc) == ("Jóga", "Homogenic", "GBAYC9700104")
    assert (track.release_date, track.release_year) == ("1997-09-22", 1997)
    assert track.match_by_name


def test_half_tagged_is_not_completed_by_guessing() -> None:
    """A tagged title with another's artist would be another recording."""
    track = metadata.to_track("Somebody - Else", tags_of(title="Jóga"), 2030)
    assert (track.title, track.artists[0].name, track.match_by_name) == ("Jóga", "", False)
    track = metadata.to_track("Somebody - Else", tags_of(artists=("Björk",)), 2030)
    assert (track.title, track.artists[0].name, track.match_by_name) == ("Else", "Björk", True)


def test_nonsense_in_tags_is_nothing() -> None:
    """A year and an ISRC that are none are left out."""
    track = metadata.to_track("x", tags_of(date="last year", isrc="?"), 2030)
    assert (track.release_date, track.release_year, track.isrc) == (None, None, None)
