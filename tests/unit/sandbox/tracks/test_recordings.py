"""The catalogue as MusicBrainz has it."""

import uuid

import pytest

from sandbox.tracks.recordings import (
    MAX_VOTES,
    MERGED_SHARE,
    SECOND_SHARE,
    UNDATED_SHARE,
    UNTAGGED_SHARE,
    VIDEO_SHARE,
)
from tests.recording_catalogues import N_TRACKS, mbid, recordings, tracks_with_mbids

CATALOGUE = recordings()
FIRST = [recording for recording in CATALOGUE.recordings if recording.copy == 0]


def share(chosen, of=FIRST):
    return sum(map(bool, chosen)) / len(of)


def test_every_track_is_a_recording_with_an_mbid():
    """UUIDs of version 5, each once, the same on every run."""
    assert len(FIRST) == N_TRACKS
    mbids = [recording.mbid for recording in CATALOGUE.recordings]
    assert len(set(mbids)) == len(mbids)
    assert {uuid.UUID(mbid).version for mbid in mbids} == {5}
    assert [*recordings().recordings] == [*CATALOGUE.recordings]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ([not recording.tags for recording in FIRST], UNTAGGED_SHARE),
        ([recording.old_mbid for recording in FIRST], MERGED_SHARE),
        ([recording.search_mbid != recording.mbid for recording in FIRST], MERGED_SHARE / 2),
        ([not recording.date for recording in FIRST], UNDATED_SHARE),
        ([recording.copy == 1 for recording in CATALOGUE.recordings], SECOND_SHARE),
        ([recording.is_video for recording in CATALOGUE.recordings], VIDEO_SHARE),
    ],
)
def test_shares_are_those_named(chosen, expected):
    """Untagged, merged, lagging, undated, double, video."""
    assert share(chosen) == pytest.approx(expected, rel=0.35)


def test_votes_are_drawn_per_genre():
    """1 to 12 for genres of the track; 0 and below for some others."""
    votes = [count for recording in FIRST for _, count in recording.tags]
    assert {*range(-2, MAX_VOTES + 1)} == {*votes}
    names = {name for recording in FIRST for name, _ in recording.tags}
    assert {"rock", "indie rock", "seen live", "1990s"} <= names
    assert {"rock", "indie rock"} <= {*CATALOGUE.genres}
    assert not {"seen live", "1990s"} & {*CATALOGUE.genres}


def test_old_ids_lead_to_present_ones():
    """No id is both."""
    assert CATALOGUE.redirects
    assert {*CATALOGUE.redirects.values()} <= {*CATALOGUE.by_mbid}
    assert not {*CATALOGUE.redirects} & {*CATALOGUE.by_mbid}


def test_a_table_with_mbids_is_served_as_it_is():
    """Its ids, dates and genres; nothing is merged, doubled or left without its tags."""
    catalogue = recordings(tracks_with_mbids())
    assert [recording.mbid for recording in catalogue.recordings] == [mbid(1), mbid(2), mbid(3)]
    assert [recording.date for recording in catalogue.recordings] == ["1999-05-06", "2001", ""]
    assert [[name for name, _ in recording.tags] for recording in catalogue.recordings] == [
        ["rock"],
        ["rock"],
        [],
    ]
    assert not catalogue.redirects
    assert catalogue.artists(catalogue.recordings[0]) == [(mbid(91), "Ana")]
    assert len({catalogue.tracks.id_at(recording.row) for recording in catalogue.recordings}) == 2


def test_rows_without_a_genre_get_the_default():
    """A row's own genre stays its only one."""
    catalogue = tracks_with_mbids(default_genre="unsorted")
    assert catalogue.genres == {"rock": 2, "unsorted": 1}
    assert [*recordings(catalogue).genres] == ["rock", "unsorted"]
