"""Parsing of audio features."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.providers.feature_values import parse_audio_features
from collector.records import AudioFeatures
from genrebase.store.tables import CATEGORICAL_FEATURES, FEATURE_RANGES, FEATURES

WHOLE: dict[str, Any] = {
    "danceability": 0.5,
    "energy": 0.6,
    "key": 7,
    "loudness": -5.0,
    "mode": 1,
    "speechiness": 0.05,
    "acousticness": 0.1,
    "instrumentalness": 0.0,
    "liveness": 0.2,
    "valence": 0.3,
    "tempo": 120.5,
    "time_signature": 4,
}


def read(**more: Any) -> AudioFeatures:
    features = parse_audio_features({**WHOLE, **more})
    assert features is not None
    return features


def test_parses_complete_features() -> None:
    """Values in range are kept unchanged."""
    assert read() == AudioFeatures(**WHOLE)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"key": -1}, {"key": None, "mode": 1}),
        ({"mode": -1}, {"mode": None, "key": 7}),
        ({"time_signature": 0}, {"time_signature": None, "tempo": 120.5, "danceability": 0.5}),
        (
            {"tempo": 0, "danceability": 0, "valence": 0, "time_signature": 0, "speechiness": 0},
            dict.fromkeys(
                ["tempo", "danceability", "valence", "time_signature", "speechiness"], None
            ),
        ),
        ({"tempo": 0.0}, {"tempo": None, "danceability": None, "speechiness": 0.05}),
        ({"tempo": None}, {"tempo": None, "danceability": 0.5}),
        ({"tempo": "120.5"}, {"tempo": 120.5}),
        ({"key": 7.0}, {"key": 7}),
        ({"key": 7.5}, {"key": None}),
        ({"energy": 1.2}, {"energy": None}),
        ({"energy": float("nan")}, {"energy": None}),
        ({"energy": True}, {"energy": None}),
        ({"loudness": 1.5}, {"loudness": 1.5}),
        ({"loudness": 10**400}, {"loudness": None}),
    ],
)
def test_placeholders_become_none(more: dict[str, Any], expected: dict[str, Any]) -> None:
    """Missing, unreadable and out-of-range values become None, and only those."""
    parsed = read(**more)
    assert {name: getattr(parsed, name) for name in expected} == expected


@pytest.mark.parametrize("raw", [None, [], {}, "x", {"id": "x"}, {"energy": "loud"}])
def test_a_document_without_features_is_none(raw: Any) -> None:
    """A document without any feature means that there are no features."""
    assert parse_audio_features(raw) is None


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just([1])


@given(st.dictionaries(st.sampled_from(FEATURES), values))
def test_parsed_features_satisfy_the_schema(raw: dict[str, Any]) -> None:
    """For any document, the parsed values satisfy the checks of the schema."""
    features = parse_audio_features(raw)
    for name in FEATURES if features else ():
        value = getattr(features, name)
        low, high = FEATURE_RANGES[name]
        assert value is None or low <= value <= high
        assert value is None or isinstance(value, int if name in CATEGORICAL_FEATURES else float)
