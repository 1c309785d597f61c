"""Synthetic audio analyses."""

from itertools import pairwise

import pytest

from sandbox.synthetic import analysis
from sandbox.tracks.track_columns import SandboxTrack

FEATURES = {"key": 4, "mode": 0, "tempo": 100.0, "loudness": -7.5, "time_signature": 3}


def track(number=1, features=FEATURES, duration_ms=200_000):
    return SandboxTrack(
        id=f"{number:022}",
        title="Song",
        artists=("Band",),
        album="",
        album_id="x" * 22,
        release_date="1999",
        duration_ms=duration_ms,
        explicit=False,
        popularity=0,
        isrc=None,
        features=features,
    )


@pytest.mark.parametrize("features", [FEATURES, {"energy": 0.5}, {"key": -1, "tempo": 0.0}])
@pytest.mark.parametrize("duration_ms", [200_000, 0])
def test_sections_and_segments_cover_the_track(features, duration_ms):
    """Sections and segments are contiguous to the end; every value is in its range."""
    made = analysis.make_analysis(track(features=features, duration_ms=duration_ms), "rock")
    assert made == analysis.make_analysis(
        track(features=features, duration_ms=duration_ms), "rock"
    )
    duration = duration_ms / 1_000 or 180.0
    for parts in (made["sections"], made["segments"]):
        for one, following in pairwise(parts):
            assert one["start"] + one["duration"] == pytest.approx(following["start"], abs=1e-3)
        assert parts[-1]["start"] + parts[-1]["duration"] == pytest.approx(duration, abs=1e-3)
    for section in made["sections"]:
        assert section["key"] in range(12)
        assert section["mode"] in (0, 1)
        assert 0 <= section["key_confidence"] <= 1
    for segment in made["segments"]:
        assert len(segment["timbre"]) == len(segment["pitches"]) == 12
        assert max(segment["pitches"]) == 1
    assert made["bars"]
    assert len(made["tatums"]) >= len(made["beats"]) >= len(made["bars"])


def test_features_of_the_track_are_kept():
    """The analysis has the track's own features; its first section has the track's key."""
    made = analysis.make_analysis(track(), "rock")
    assert {name: made["track"][name] for name in FEATURES} == FEATURES
    assert made["sections"][0]["key"] == FEATURES["key"]


def test_most_tracks_of_a_genre_share_a_progression():
    """Most tracks of a genre have the same degrees."""
    degrees = [
        tuple(
            (s["key"] - 4) % 12 for s in analysis.make_analysis(track(n), "jazz")["sections"][:4]
        )
        for n in range(40)
    ]
    assert max(map(degrees.count, degrees)) >= 20
    assert len(set(degrees)) > 2
