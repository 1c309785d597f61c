"""Parsing of Spotify's tracks."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.records import ArtistCredit, SourceTrack
from collector.sources.item_fields import RejectReason
from collector.sources.spotify_items import parse_track

ID = "3n3Ppam7vgaVa1iaRUc9Lp"
ARTIST_ID = "0C0XlULifJtAgn6ZNCW2eu"
NEXT_YEAR = 2027


def item(**more: Any) -> dict[str, Any]:
    return {
        "id": ID,
        "name": "Mr. Brightside",
        "type": "track",
        "artists": [{"id": ARTIST_ID, "name": "The Killers"}],
        "album": {"name": "Hot Fuss", "release_date": "2004-06-15"},
        "duration_ms": 222_200,
        "explicit": False,
        "popularity": 73,
        "external_ids": {"isrc": "GBFFP0300052"},
        **more,
    }


def parsed(**more: Any) -> SourceTrack:
    track = parse_track(item(**more), NEXT_YEAR)
    assert isinstance(track, SourceTrack), track
    return track


def test_parses_a_complete_track() -> None:
    """All fields of a track are kept."""
    assert parsed() == SourceTrack(
        source="spotify",
        source_id=ID,
        title="Mr. Brightside",
        artists=(ArtistCredit("The Killers", ARTIST_ID),),
        album="Hot Fuss",
        release_date="2004-06-15",
        release_year=2004,
        duration_ms=222_200,  # type: ignore[arg-type]  # a number of milliseconds
        explicit=False,
        popularity=73,
        isrc="GBFFP0300052",
    )


def test_parses_a_track_of_development_mode() -> None:
    """Fields that newer apps do not get are None."""
    bare = {"id": ID, "name": "Mr. Brightside", "artists": [{"name": "The Killers"}]}
    track = parse_track(bare, NEXT_YEAR)
    assert isinstance(track, SourceTrack)
    assert track.artists == (ArtistCredit("The Killers"),)
    assert (track.popularity, track.release_year, track.isrc) == (None, None, None)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"popularity": "91.0"}, {"popularity": 91}),
        ({"popularity": 101}, {"popularity": None}),
        ({"popularity": True}, {"popularity": None}),
        ({"popularity": [1]}, {"popularity": None}),
        ({"duration_ms": 0}, {"duration_ms": None}),
        ({"duration_ms": 10**400}, {"duration_ms": None}),
        ({"duration_ms": float("inf")}, {"duration_ms": None}),
        ({"duration_ms": 200_000.4}, {"duration_ms": 200_000}),
        ({"explicit": "true"}, {"explicit": True}),
        ({"explicit": "perhaps"}, {"explicit": None}),
        ({"external_ids": {"isrc": "gb-ffp-03-00052"}}, {"isrc": "GBFFP0300052"}),
        ({"external_ids": {"isrc": "x" * 10_000_000}}, {"isrc": None}),
        ({"external_ids": None}, {"isrc": None}),
        ({"album": None}, {"album": None, "release_date": None, "release_year": None}),
        ({"album": "Hot Fuss"}, {"album": None}),
        ({"album": {"name": "x" * 10_000_000}}, {"album": None}),
        ({"album": {"release_date": "0000"}}, {"release_date": None, "release_year": None}),
        ({"album": {"release_date": "2028"}}, {"release_date": None, "release_year": None}),
        ({"album": {"release_date": "2027"}}, {"release_date": "2027", "release_year": 2027}),
        ({"album": {"release_date": "1899"}}, {"release_date": None, "release_year": None}),
        ({"album": {"release_date": "1994-00"}}, {"release_date": "1994", "release_year": 1994}),
        ({"album": {"release_date": 1994}}, {"release_date": "1994", "release_year": 1994}),
    ],
)
def test_an_unreadable_optional_field_is_none(
    more: dict[str, Any], expected: dict[str, Any]
) -> None:
    """An optional field is parsed or becomes None; the track is kept."""
    table = parsed(**more)
    assert {name: getattr(table, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (None, RejectReason.NOTHING),
        ("a track", RejectReason.NO_OBJECT),
        (item(type="episode"), RejectReason.NO_TRACK),
        (item(is_local=True), RejectReason.LOCAL),
        (item(id=None), RejectReason.NO_ID),
        (item(id=7), RejectReason.NO_ID),
        (item(id="short"), RejectReason.NO_ID),
        (item(id="é" * 22), RejectReason.NO_ID),
        (item(name=None), RejectReason.NO_TITLE),
        (item(name=["x"]), RejectReason.NO_TITLE),
        (item(artists=None), RejectReason.NO_ARTIST),
        (item(artists=[]), RejectReason.NO_ARTIST),
        (item(artists=[None]), RejectReason.NO_ARTIST),
        (item(artists=[{"name": None}, {"name": "B"}]), RejectReason.NO_ARTIST),
        (item(name="", artists=[{"name": ""}]), RejectReason.NO_NAME),
        (item(name="NA", artists=[{"name": "NA"}]), RejectReason.NO_NAME),
        (item(name="x" * 10_000_000), RejectReason.TOO_LONG),
        (item(name="音" * 1_000), RejectReason.TOO_LONG),
        (item(artists=[{"name": "x" * 10_000_000}]), RejectReason.TOO_LONG),
    ],
)
def test_rejects_other_items(broken: Any, reason: RejectReason) -> None:
    """A missing required field rejects the item, with the reason."""
    assert parse_track(broken, NEXT_YEAR) is reason


def test_text_is_not_interpreted() -> None:
    """A track may be called NA, null or None; NUL and lone surrogates are removed."""
    for title in ("NA", "null", "None", ""):
        assert parsed(name=title).title == title
    assert parsed(name="a\0b\ud800c").title == "abc"


def test_keeps_the_readable_credits() -> None:
    """A broken further artist is left out; one that is named twice is credited once."""
    killers = {"id": ARTIST_ID, "name": "The Killers"}
    table = parsed(artists=[killers, None, {"id": 5, "name": "B"}, killers, {"name": "x" * 9_999}])
    assert table.artists == (ArtistCredit("The Killers", ARTIST_ID), ArtistCredit("B"))


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([ID, ARTIST_ID, "track", "0000", "91.0", "2004-06-15", "x" * 5_000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    [
        "id",
        "name",
        "type",
        "is_local",
        "artists",
        "album",
        "duration_ms",
        "explicit",
        "popularity",
        "external_ids",
    ]
)
artists = st.lists(
    st.fixed_dictionaries({}, optional={"id": anything, "name": st.text() | anything}), max_size=3
)


@settings(max_examples=200, deadline=None)
@given(broken=anything | st.dictionaries(fields, anything | artists).map(lambda d: item(**d)))
def test_never_raises(broken: Any) -> None:
    """Every item becomes a track that the database accepts, or is rejected."""
    track = parse_track(broken, NEXT_YEAR)
    if isinstance(track, RejectReason):
        return
    assert track.artists
    assert "\0" not in track.title
    track.title.encode()
    assert track.popularity is None or 0 <= track.popularity <= 100
    assert track.duration_ms is None or 0 < track.duration_ms < 2**31
    assert track.release_year is None or 1900 <= track.release_year <= NEXT_YEAR
