"""Parsing of MusicBrainz' recordings."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.records import ArtistCredit, GenreVote, Level, SourceTrack
from collector.sources.item_fields import RejectReason
from collector.sources.musicbrainz_items import (
    Recording,
    parse_recording,
    parse_tag,
)

MBID = "5935ec91-8124-42ff-937f-f31a20ffe58f"
OLD_MBID = "0c7d2f4a-1b89-4d0e-9c8a-2f4a1b894d0e"
BAND_ID = "66c662b6-6e2f-4930-8610-912e24c63ed1"
GUEST_ID = "d87e52c5-bb8d-4da8-b941-9f4928627dc8"
NEXT_YEAR = 2027


def release(title: str, **more: Any) -> dict[str, Any]:
    return {"id": MBID, "title": title, "status": "Official", **more}


def hit(**more: Any) -> dict[str, Any]:
    """A recording as a search returns it."""
    return {
        "id": MBID,
        "score": 97,
        "title": "Don’t Look Back",
        "length": 222_000,
        "video": None,
        "artist-credit": [
            {
                "name": "The Band!",
                "joinphrase": " feat. ",
                "artist": {"id": BAND_ID, "name": "The Band", "sort-name": "Band, The"},
            },
            {"artist": {"id": GUEST_ID, "name": "A Guest", "sort-name": "Guest, A"}},
        ],
        "first-release-date": "2004-06-15",
        "releases": [release("Again", date="2010"), release("First", date="2004-06-15")],
        "isrcs": ["GBFFP0300053", "GB-FFP-03-00052"],
        "tags": [{"count": 2, "name": "rock"}, {"count": 5, "name": "indie rock"}],
        **more,
    }


def parsed(**more: Any) -> Recording:
    recording = parse_recording(hit(**more), NEXT_YEAR)
    assert isinstance(recording, Recording), recording
    return recording


def test_parses_a_search_result() -> None:
    """All fields of a search result are kept; typographic punctuation becomes plain."""
    assert parsed().track == SourceTrack(
        source="musicbrainz",
        source_id=MBID,
        title="Don't Look Back",
        artists=(ArtistCredit("The Band", BAND_ID), ArtistCredit("A Guest", GUEST_ID)),
        album="First",
        release_date="2004-06-15",
        release_year=2004,
        duration_ms=222_000,  # type: ignore[arg-type]  # a number of milliseconds
        isrc="GBFFP0300052",
    )
    assert parsed().genres == (
        GenreVote("indie rock", 5, Level.RECORDING),
        GenreVote("rock", 2, Level.RECORDING),
    )


def test_parses_a_lookup() -> None:
    """A lookup's genres are its tags, once each; a merged MBID is kept beside the new one."""
    document = hit(
        genres=[{"id": MBID, "name": "rock", "count": 2, "disambiguation": ""}],
        tags=[{"name": "rock", "count": 2}, {"name": "seen live", "count": 1}],
        video=False,
        disambiguation="",
    )
    recording = parse_recording(document, NEXT_YEAR, requested=OLD_MBID)
    assert isinstance(recording, Recording)
    assert recording.track.merged_ids == (OLD_MBID,)
    assert [(vote.name, vote.votes) for vote in recording.genres] == [
        ("rock", 2),
        ("seen live", 1),
    ]
    same = parse_recording(document, NEXT_YEAR, requested=MBID.upper())
    assert isinstance(same, Recording)
    assert same.track.merged_ids == ()


def test_parses_a_bare_recording() -> None:
    """Without optional fields a recording has a title, an artist, and no genre."""
    bare = {"id": MBID, "title": "Song", "artist-credit": [{"name": "Band"}]}
    recording = parse_recording(bare, NEXT_YEAR)
    assert recording == (SourceTrack("musicbrainz", MBID, "Song", (ArtistCredit("Band"),)), ())


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"length": None}, {"duration_ms": None}),
        ({"length": 0}, {"duration_ms": None}),
        ({"length": "222000"}, {"duration_ms": 222_000}),
        ({"first-release-date": ""}, {"release_date": None, "release_year": None}),
        ({"first-release-date": "1994"}, {"release_date": "1994", "release_year": 1994}),
        ({"first-release-date": "1994-03"}, {"release_date": "1994-03", "release_year": 1994}),
        ({"first-release-date": "1860-04-09"}, {"release_date": None, "release_year": None}),
        ({"first-release-date": "2028"}, {"release_date": None, "release_year": None}),
        ({"first-release-date": ["1994"]}, {"release_date": None, "release_year": None}),
        ({"isrcs": None}, {"isrc": None}),
        ({"isrcs": [7, "x", "GBFFP0300052"]}, {"isrc": "GBFFP0300052"}),
        ({"releases": None}, {"album": None}),
        ({"releases": ["x", {"title": ""}]}, {"album": None}),
        ({"releases": [release("B", date=""), release("A", date="1990")]}, {"album": "A"}),
        ({"releases": [release("Bootleg", status="Bootleg", date="1980")]}, {"album": "Bootleg"}),
        (
            {"releases": [release("C"), release("Pseudo", status="Pseudo-Release", date="1980")]},
            {"album": "C"},
        ),
        ({"video": False}, {"source_id": MBID}),
        ({"id": MBID.upper()}, {"source_id": MBID}),
    ],
)
def test_an_unreadable_optional_field_is_none(
    more: dict[str, Any], expected: dict[str, Any]
) -> None:
    """An optional field is parsed or becomes None; the recording is kept."""
    track = parsed(**more).track
    assert {name: getattr(track, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (None, RejectReason.NOTHING),
        ([], RejectReason.NO_OBJECT),
        (hit(video=True), RejectReason.VIDEO),
        (hit(video="true"), RejectReason.VIDEO),
        (hit(id="3n3Ppam7vgaVa1iaRUc9Lp"), RejectReason.NO_ID),
        (hit(id=5), RejectReason.NO_ID),
        (hit(title=None), RejectReason.NO_TITLE),
        (hit(title="x" * 10_000_000), RejectReason.TOO_LONG),
        (hit(**{"artist-credit": None}), RejectReason.NO_ARTIST),
        (hit(**{"artist-credit": [{"joinphrase": " & "}]}), RejectReason.NO_ARTIST),
        (hit(**{"artist-credit": [{"name": "A"}] * 501}), RejectReason.TOO_MANY_ARTISTS),
        (hit(title="", **{"artist-credit": [{"name": ""}]}), RejectReason.NO_NAME),
        (hit(tags=[{"name": "rock", "count": 1}] * 1_001), RejectReason.TOO_MANY_GENRES),
    ],
)
def test_rejects_other_items(broken: Any, reason: RejectReason) -> None:
    """A missing required field rejects the item, with the reason."""
    assert parse_recording(broken, NEXT_YEAR) is reason


def test_a_tag_without_a_vote_is_none() -> None:
    """Tags below one vote, and what is no tag, are left out; one spelled twice counts once."""
    tags = [
        {"name": "pop", "count": 0},
        {"name": "jazz", "count": -3},
        {"name": "soul", "count": None},
        {"name": "", "count": 4},
        {"name": "x" * 500, "count": 4},
        None,
        {"name": "Hip  Hop", "count": "3"},
        {"name": "hip hop", "count": 1},
        {"name": "hip-hop", "count": 1},
    ]
    assert [(vote.name, vote.votes) for vote in parsed(tags=tags).genres] == [
        ("hip hop", 3),
        ("hip-hop", 1),
    ]


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("Drum & Bass", "drum & bass"),
        ("Nu Me\u0301tal", "nu m\u00e9tal"),
        ("シティ\nポップ", "シティ ポップ"),
        ("r\0b", "rb"),
        ("unknown", ""),
        ("?!", ""),
        (None, ""),
    ],
)
def test_tags_are_spelled_as_genres(tag: Any, name: str) -> None:
    """A tag is NFC, in small letters and on one line; placeholders are no genre."""
    assert parse_tag(tag) == name


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([MBID, "2004-06-15", "Official", "x" * 5_000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(hit())), anything)
def test_never_raises(field: str, value: Any) -> None:
    """Any value in any field makes a track or a reason."""
    assert isinstance(parse_recording(hit(**{field: value}), NEXT_YEAR), Recording | RejectReason)
