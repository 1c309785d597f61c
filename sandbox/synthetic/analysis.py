"""Synthetic audio analysis for any track, seeded by its id and typical of its genre. Pure.

Sections follow a key progression that most tracks of a genre share; tempo, key, mode and loudness
are those of the track's audio features where it has them.
"""

from collections.abc import Sequence
from random import Random
from typing import Final

from sandbox import Json
from sandbox.tracks.track_columns import SandboxTrack

_PROGRESSIONS: Final = (
    (0, 7, 9, 5),
    (0, 5, 7, 0),
    (0, 9, 5, 7),
    (0, 0, 5, 0),
    (0, 8, 3, 10),
    (0, 3, 0, 10),
    (0, 2, 7, 0),
    (0,),
)
"""Degrees of the sections, in semitones above the track's key."""
_TYPICAL_SHARE: Final = 0.7
"""Share of tracks that follow the progression of their genre."""
_SECTION_SECONDS: Final = (12.0, 30.0)
_SEGMENT_SECONDS: Final = (0.4, 1.6)
_DEFAULT_SECONDS: Final = 180.0
_BEATS_PER_BAR: Final = 4
_N_TIMBRE: Final = 12
_SAMPLE_RATE: Final = 22_050


def make_analysis(track: SandboxTrack, genre: str) -> Json:
    """Return an audio analysis object; the same for the same track and genre."""
    random = Random(f"analysis {track.id}")
    duration = track.duration_ms / 1_000 or _DEFAULT_SECONDS
    features = track.features
    tempo = features.get("tempo") or random.uniform(70, 170)
    key = int(features.get("key", -1))
    summary = {
        "tempo": round(tempo, 3),
        "key": key if key >= 0 else random.randrange(12),
        "mode": int(features.get("mode", random.randrange(2))),
        "loudness": round(features.get("loudness", random.uniform(-20, -4)), 3),
        "time_signature": int(features.get("time_signature") or _BEATS_PER_BAR),
    }
    sections = _sections(random, duration, summary, _degrees(random, genre))
    return {
        "meta": {"analyzer_version": "4.0.0", "platform": "Linux", "status_code": 0},
        "track": {
            "duration": duration,
            "num_samples": round(duration * _SAMPLE_RATE),
            "analysis_sample_rate": _SAMPLE_RATE,
            "analysis_channels": 1,
            **_with_confidences(random, summary),
        },
        "bars": _intervals(random, duration, _BEATS_PER_BAR * 60 / tempo),
        "beats": _intervals(random, duration, 60 / tempo),
        "tatums": _intervals(random, duration, 30 / tempo),
        "sections": sections,
        "segments": _segments(random, duration, sections, genre),
    }


def _degrees(random: Random, genre: str) -> Sequence[int]:
    typical = Random(f"progression {genre}").choice(_PROGRESSIONS)
    return typical if random.random() < _TYPICAL_SHARE else random.choice(_PROGRESSIONS)


def _sections(
    random: Random, duration: float, summary: Json, degrees: Sequence[int]
) -> list[Json]:
    sections: list[Json] = []
    start = 0.0
    while start < duration:
        length = min(random.uniform(*_SECTION_SECONDS), duration - start)
        degree = degrees[len(sections) % len(degrees)]
        detected = {
            **summary,
            "tempo": round(summary["tempo"] * random.gauss(1, 0.01), 3),
            "key": (summary["key"] + degree) % 12,
            "loudness": round(summary["loudness"] + random.gauss(0, 2), 3),
        }
        interval = _interval(random, start, length)
        sections.append({**interval, **_with_confidences(random, detected)})
        start += length
    return sections


def _segments(random: Random, duration: float, sections: Sequence[Json], genre: str) -> list[Json]:
    genre_random = Random(f"timbre {genre}")
    timbre = [genre_random.gauss(40 if at == 0 else 0, 30) for at in range(_N_TIMBRE)]
    segments: list[Json] = []
    start, section = 0.0, 0
    while start < duration:
        length = min(random.uniform(*_SEGMENT_SECONDS), duration - start)
        while section + 1 < len(sections) and sections[section + 1]["start"] <= start:
            section += 1
        loudness = sections[section]["loudness"] + random.gauss(0, 3)
        segments.append(
            {
                **_interval(random, start, length),
                "loudness_start": round(loudness - 6, 3),
                "loudness_max_time": round(length / 4, 5),
                "loudness_max": round(loudness, 3),
                "loudness_end": 0,
                "pitches": _pitches(random, sections[section]["key"]),
                "timbre": [round(random.gauss(mean, 20), 3) for mean in timbre],
            }
        )
        start += length
    return segments


def _pitches(random: Random, key: int) -> list[float]:
    """Return the strength of each pitch class: the key's own is the strongest, 1."""
    return [1.0 if pitch == key else round(random.uniform(0, 0.8), 3) for pitch in range(12)]


def _intervals(random: Random, duration: float, length: float) -> list[Json]:
    count = max(1, int(duration / length))
    return [_interval(random, number * length, length) for number in range(count)]


def _interval(random: Random, start: float, length: float) -> Json:
    return {
        "start": round(start, 5),
        "duration": round(length, 5),
        "confidence": round(random.random(), 3),
    }


def _with_confidences(random: Random, detected: Json) -> Json:
    """Add a confidence for each value but the loudness, which has none."""
    names = sorted(detected.keys() - {"loudness"})
    return {
        **detected,
        **{f"{name}_confidence": round(random.uniform(0.1, 1), 3) for name in names},
    }
