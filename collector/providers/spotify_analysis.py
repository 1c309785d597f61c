"""Spotify's audio analysis, for credentials that still have access: one track per request."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from collector.errors import UnusableResponse
from collector.providers.feature_values import integer_in_range, number_in_range, parse_number
from collector.sources import spotify_client
from collector.sources.spotify_client import SpotifyService
from genrebase.audio import analysis, segment_timbre
from genrebase.audio.analysis import TrackAnalysis
from genrebase.audio.harmony import DetectedSection, TrackKey
from genrebase.audio.packed_matrices import FloatArray
from genrebase.store.tables import FEATURE_RANGES

MAX_SECTIONS: Final = 1_000
MAX_SEGMENTS: Final = 50_000
"""More than a day of music has; a response with more is no analysis of a track."""

_DURATION_RANGE: Final = (0.001, 1e6)
"""Seconds of a section or segment."""
_MAX_TIMBRE: Final = 10_000.0
_MIN_LOUDNESS, _MAX_LOUDNESS = FEATURE_RANGES["loudness"]


class SpotifyAudioAnalysis(SpotifyService):
    """Provides audio analyses."""

    name: Final = spotify_client.NAME
    endpoint: Final = spotify_client.AUDIO_ANALYSIS_ENDPOINT

    def fetch(self, track_id: str) -> TrackAnalysis:
        """Fetch one analysis; raise `UnusableResponse` or `NotFound` where there is none."""
        return parse_analysis(self._client.audio_analysis(track_id))


def parse_analysis(raw: Any) -> TrackAnalysis:
    """Return the stored form of `raw`, an audio analysis object.

    Missing, unreadable and out-of-range values are None, placeholders included: key -1, mode -1,
    tempo 0. Sections without a position and incomplete segments are dropped. Raises
    `UnusableResponse` where nothing is left, or where it is too much to be a track.
    """
    if not isinstance(raw, Mapping):
        raise UnusableResponse("The analysis is no object.")
    track = raw.get("track")
    sections = _parse_parts(raw, "sections", MAX_SECTIONS, _section)
    segment_rows = _parse_parts(raw, "segments", MAX_SEGMENTS, _segment)
    if not sections and not segment_rows:
        raise UnusableResponse("The analysis has neither sections nor segments.")
    sections.sort(key=lambda section: section.start)
    segment_rows.sort(key=lambda row: row[0])
    channels: FloatArray = np.array([row[1:] for row in segment_rows], dtype=np.float64)
    return analysis.build_analysis(
        TrackKey(**_key_fields(track if isinstance(track, Mapping) else {})),
        sections,
        channels.reshape(len(segment_rows), segment_timbre.N_CHANNELS),
    )


def _parse_parts(
    raw: Mapping[str, Any], name: str, max_parts: int, parse: Callable[[Mapping[str, Any]], Any]
) -> list[Any]:
    parts = raw.get(name)
    if not isinstance(parts, list):
        return []
    if len(parts) > max_parts:
        raise UnusableResponse(f"The analysis has {len(parts):,} {name}.")
    parsed = (parse(part) for part in parts if isinstance(part, Mapping))
    return [part for part in parsed if part is not None]


def _key_fields(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "key": integer_in_range(raw.get("key"), 0, 11),
        "mode": integer_in_range(raw.get("mode"), 0, 1),
        "key_confidence": number_in_range(raw.get("key_confidence"), 0, 1),
        "mode_confidence": number_in_range(raw.get("mode_confidence"), 0, 1),
        "tempo": number_in_range(raw.get("tempo"), *FEATURE_RANGES["tempo"]),
    }


def _position(raw: Mapping[str, Any]) -> tuple[float, float] | None:
    start = number_in_range(raw.get("start"), 0, _DURATION_RANGE[1])
    duration = number_in_range(raw.get("duration"), *_DURATION_RANGE)
    return None if start is None or duration is None else (start, duration)


def _section(raw: Mapping[str, Any]) -> DetectedSection | None:
    position = _position(raw)
    if position is None:
        return None
    return DetectedSection(
        start=position[0],
        duration=position[1],
        confidence=number_in_range(raw.get("confidence"), 0, 1),
        tempo_confidence=number_in_range(raw.get("tempo_confidence"), 0, 1),
        loudness=number_in_range(raw.get("loudness"), _MIN_LOUDNESS, _MAX_LOUDNESS),
        **_key_fields(raw),
    )


def _segment(raw: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Return start, timbre, pitches, loudness and duration of a complete segment."""
    position = _position(raw)
    loudness = parse_number(raw.get("loudness_max"))
    timbre = _twelve(raw.get("timbre"), -_MAX_TIMBRE, _MAX_TIMBRE)
    pitches = _twelve(raw.get("pitches"), 0, 1)
    if timbre is None or pitches is None or position is None or loudness is None:
        return None
    start, duration = position
    loudness = min(max(loudness, _MIN_LOUDNESS), _MAX_LOUDNESS)
    return (start, *timbre, *pitches, loudness, duration)


def _twelve(values: Any, low: float, high: float) -> list[float] | None:
    if not isinstance(values, list) or len(values) != segment_timbre.N_PITCHES:
        return None
    numbers = [number_in_range(value, low, high) for value in values]
    return None if None in numbers else [number for number in numbers if number is not None]
