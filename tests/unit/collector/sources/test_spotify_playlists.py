"""The source of Spotify playlists."""

from typing import Any

import pytest

from collector.records import SourceTrack
from collector.sources.item_fields import RejectReason
from collector.sources.spotify_items import parse_track
from collector.sources.spotify_playlists import item_of_entry

TRACK = {"id": "3n3Ppam7vgaVa1iaRUc9Lp", "name": "A", "type": "track", "artists": [{"name": "B"}]}


@pytest.mark.parametrize(
    "entry", [{"item": TRACK}, {"track": TRACK}, {"item": TRACK, "track": None, "is_local": False}]
)
def test_reads_the_track_under_both_keys(entry: dict[str, Any]) -> None:
    """`item` is its name since 2026, `track` the one before."""
    assert isinstance(parse_track(item_of_entry(entry), 2027), SourceTrack)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"item": None}, RejectReason.NOTHING),
        ({"track": None}, RejectReason.NOTHING),
        ({}, RejectReason.NOTHING),
        (None, RejectReason.NOTHING),
        ("x", RejectReason.NO_OBJECT),
        ({"item": {**TRACK, "type": "episode"}}, RejectReason.NO_TRACK),
        ({"item": {**TRACK, "is_local": True}}, RejectReason.LOCAL),
        ({"item": TRACK, "is_local": True}, RejectReason.LOCAL),
    ],
)
def test_rejects_other_items(entry: Any, reason: RejectReason) -> None:
    """Episodes, local files and removed items each have a reason."""
    assert parse_track(item_of_entry(entry), 2027) is reason
