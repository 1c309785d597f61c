"""Spotify's audio analysis, for credentials that still may ask for it: one track a request."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from collector.errors import UnusableResponse
from collector.providers.values import integer_in_range, number_in_range, parse_number
from collector.records import Account
from collector.sources import spotify_client
from collector.sources.spotify_client import SpotifyClient
from genrebase.audio import analysis, segments
from genrebase.audio.analysis import TrackAnalysis
from genrebase.audio.harmony import DetectedSection, TrackKey
from genrebase.audio.packed_matrices import FloatArray
from genrebase.store.tables import FEATURE_RANGES

MAX_SECTIONS: Final = 1_000
MAX_SEGMENTS: Final = 50_000
"""More than a day of music has; an answer with more is no analysis of a track."""

_SHORTEST, _LONGEST = 0.001, 1e6
"""Seconds that a part of a track lasts."""
_GREATEST_TIMBRE: Final = 10_000.0
_QUIETEST, _LOUDEST = FEATURE_RANGES["loudness"]


class SpotifyAudioAnalysis:
    """Asks `audio-analysis`."""

    name: Final = spotify_client.NAME
    """Whose analysis it is."""
    endpoint: Final = spotify_client.AUDIO_ANALYSIS_ENDPOINT

    def __init__(self, client: SpotifyClient, account: Account) -> None:
        """Ask through `client`, at the expense of `account`."""
        self.account = account
        self._client = client

    def fetch(self, track_id: str) -> TrackAnalysis:
        """Fetch the analysis of one track; raise `UnusableResponse` or `NotFound` where there is none."""
        return parse_analysis(self._client.audio_analysis(track_id))


def parse_analysis(raw: Any) -> TrackAnalysis:
    """Return what is to be stored of `raw`, an audio analysis object.

    What is missing, unreadable or out of its range was not found: key -1, mode -1, tempo 0. A
    section without a place in the track is dropped, and a segment that lacks a value. Raises
    `UnusableResponse` where nothing is left, or where it is too much to be a track.
    """
    if not isinstance(raw, Mapping):
        raise UnusableResponse("The analysis is no object.")
    track = raw.get("track")
    heard = _each(raw, "sections", MAX_SECTIONS, _section)
    rows = _each(raw, "segments", MAX_SEGMENTS, _segment)
    if not heard and not rows:
        raise UnusableResponse("The analysis has neither sections nor segments.")
    heard.sort(key=lambda section: section.start)
    rows.sort(key=lambda row: row[0])
    sounds: FloatArray = np.array([row[1:] for row in rows], dtype=np.float64)
    return analysis.build_analysis(
        _whole_track(track if isinstance(track, Mapping) else {}),
        heard,
        sounds.reshape(len(rows), segments.N_CHANNELS),
    )


def _each(
    raw: Mapping[str, Any], name: str, most: int, read: Callable[[Mapping[str, Any]], Any]
) -> list[Any]:
    parts = raw.get(name)
    if not isinstance(parts, list):
        return []
    if len(parts) > most:
        raise UnusableResponse(f"The analysis has {len(parts):,} {name}.")
    found = (read(part) for part in parts if isinstance(part, Mapping))
    return [one for one in found if one is not None]


def _whole_track(raw: Mapping[str, Any]) -> TrackKey:
    return TrackKey(
        key=integer_in_range(raw.get("key"), 0, 11),
        mode=integer_in_range(raw.get("mode"), 0, 1),
        key_confidence=number_in_range(raw.get("key_confidence"), 0, 1),
        mode_confidence=number_in_range(raw.get("mode_confidence"), 0, 1),
        tempo=number_in_range(raw.get("tempo"), *FEATURE_RANGES["tempo"]),
    )


def _section(raw: Mapping[str, Any]) -> DetectedSection | None:
    start = number_in_range(raw.get("start"), 0, _LONGEST)
    duration = number_in_range(raw.get("duration"), _SHORTEST, _LONGEST)
    if start is None or duration is None:
        return None
    return DetectedSection(
        start=start,
        duration=duration,
        confidence=number_in_range(raw.get("confidence"), 0, 1),
        key=integer_in_range(raw.get("key"), 0, 11),
        mode=integer_in_range(raw.get("mode"), 0, 1),
        key_confidence=number_in_range(raw.get("key_confidence"), 0, 1),
        mode_confidence=number_in_range(raw.get("mode_confidence"), 0, 1),
        tempo=number_in_range(raw.get("tempo"), *FEATURE_RANGES["tempo"]),
        tempo_confidence=number_in_range(raw.get("tempo_confidence"), 0, 1),
        loudness=number_in_range(raw.get("loudness"), _QUIETEST, _LOUDEST),
    )


def _segment(raw: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Return start, timbre, pitches, loudness and duration of a segment that has them all."""
    start = number_in_range(raw.get("start"), 0, _LONGEST)
    duration = number_in_range(raw.get("duration"), _SHORTEST, _LONGEST)
    loudness = parse_number(raw.get("loudness_max"))
    timbre = _twelve(raw.get("timbre"), -_GREATEST_TIMBRE, _GREATEST_TIMBRE)
    pitches = _twelve(raw.get("pitches"), 0, 1)
    if timbre is None or pitches is None or start is None or duration is None or loudness is None:
        return None
    return (start, *timbre, *pitches, min(max(loudness, _QUIETEST), _LOUDEST), duration)


def _twelve(values: Any, low: float, high: float) -> list[float] | None:
    if not isinstance(values, list) or len(values) != segments.TWELVE:
        return None
    found = [one for value in values if (one := number_in_range(value, low, high)) is not None]
    return found if len(found) == segments.TWELVE else None
