from typing import Any

import pytest

from collector.records import FoundTrack
from collector.sources.spotify_items import SetAside, parse_track
from collector.sources.spotify_playlists import track_in

TRACK = {"id": "3n3Ppam7vgaVa1iaRUc9Lp", "name": "A", "type": "track", "artists": [{"name": "B"}]}


@pytest.mark.parametrize(
    "entry", [{"item": TRACK}, {"track": TRACK}, {"item": TRACK, "track": None, "is_local": False}]
)
def test_finds_the_track_under_either_name(entry: dict[str, Any]) -> None:
    """`item` is its name since 2026, `track` the one before."""
    assert isinstance(parse_track(track_in(entry), 2027), FoundTrack)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"item": None}, SetAside.NOTHING),
        ({"track": None}, SetAside.NOTHING),
        ({}, SetAside.NOTHING),
        (None, SetAside.NOTHING),
        ("x", SetAside.NO_OBJECT),
        ({"item": {**TRACK, "type": "episode"}}, SetAside.NO_TRACK),
        ({"item": {**TRACK, "is_local": True}}, SetAside.LOCAL),
        ({"item": TRACK, "is_local": True}, SetAside.LOCAL),
    ],
)
def test_sets_aside_what_is_no_track(entry: Any, reason: SetAside) -> None:
    """Episodes, files of somebody's own and what is gone have a reason each."""
    assert parse_track(track_in(entry), 2027) is reason
