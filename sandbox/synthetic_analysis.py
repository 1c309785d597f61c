"""An audio analysis for any track: made of its id, in the manner of its genre. Pure.

Sections follow a progression of keys that most tracks of a genre share; tempo, key, mode and
loudness are the track's own where its audio features tell them.
"""

from collections.abc import Sequence
from random import Random
from typing import Any, Final

from sandbox.track_columns import SandboxTrack

Json = dict[str, Any]

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
_OF_ITS_GENRE: Final = 0.7
"""Share of the tracks that follow the progression of their genre."""
_SECTION_SECONDS: Final = (12.0, 30.0)
_SEGMENT_SECONDS: Final = (0.4, 1.6)
_UNKNOWN_SECONDS: Final = 180.0
_BEATS_A_BAR: Final = 4
_TIMBRE: Final = 12
_RATE: Final = 22_050


def make_analysis(track: SandboxTrack, genre: str) -> Json:
    """Return an audio analysis object; the same for the same track and genre."""
    draw = Random(f"analysis {track.id}")
    duration = track.duration_ms / 1_000 or _UNKNOWN_SECONDS
    known = track.features
    tempo = known.get("tempo") or draw.uniform(70, 170)
    key = int(known.get("key", -1))
    whole = {
        "tempo": round(tempo, 3),
        "key": key if key >= 0 else draw.randrange(12),
        "mode": int(known.get("mode", draw.randrange(2))),
        "loudness": round(known.get("loudness", draw.uniform(-20, -4)), 3),
        "time_signature": int(known.get("time_signature") or _BEATS_A_BAR),
    }
    sections = _sections(draw, duration, whole, _degrees(draw, genre))
    return {
        "meta": {"analyzer_version": "4.0.0", "platform": "Linux", "status_code": 0},
        "track": {
            "duration": duration,
            "num_samples": round(duration * _RATE),
            "analysis_sample_rate": _RATE,
            "analysis_channels": 1,
            **_sure(draw, whole),
        },
        "bars": _marks(draw, duration, _BEATS_A_BAR * 60 / tempo),
        "beats": _marks(draw, duration, 60 / tempo),
        "tatums": _marks(draw, duration, 30 / tempo),
        "sections": sections,
        "segments": _segments(draw, duration, sections, genre),
    }


def _degrees(draw: Random, genre: str) -> Sequence[int]:
    usual = Random(f"progression {genre}").choice(_PROGRESSIONS)
    return usual if draw.random() < _OF_ITS_GENRE else draw.choice(_PROGRESSIONS)


def _sections(draw: Random, duration: float, whole: Json, degrees: Sequence[int]) -> list[Json]:
    made: list[Json] = []
    start = 0.0
    while start < duration:
        length = min(draw.uniform(*_SECTION_SECONDS), duration - start)
        degree = degrees[len(made) % len(degrees)]
        heard = {
            **whole,
            "tempo": round(whole["tempo"] * draw.gauss(1, 0.01), 3),
            "key": (whole["key"] + degree) % 12,
            "loudness": round(whole["loudness"] + draw.gauss(0, 2), 3),
        }
        made.append({**_mark(draw, start, length), **_sure(draw, heard)})
        start += length
    return made


def _segments(draw: Random, duration: float, sections: Sequence[Json], genre: str) -> list[Json]:
    usual = Random(f"timbre {genre}")
    timbre = [usual.gauss(40 if at == 0 else 0, 30) for at in range(_TIMBRE)]
    made: list[Json] = []
    start, section = 0.0, 0
    while start < duration:
        length = min(draw.uniform(*_SEGMENT_SECONDS), duration - start)
        while section + 1 < len(sections) and sections[section + 1]["start"] <= start:
            section += 1
        loudness = sections[section]["loudness"] + draw.gauss(0, 3)
        made.append(
            {
                **_mark(draw, start, length),
                "loudness_start": round(loudness - 6, 3),
                "loudness_max_time": round(length / 4, 5),
                "loudness_max": round(loudness, 3),
                "loudness_end": 0,
                "pitches": _pitches(draw, sections[section]["key"]),
                "timbre": [round(draw.gauss(mean, 20), 3) for mean in timbre],
            }
        )
        start += length
    return made


def _pitches(draw: Random, key: int) -> list[float]:
    """Return how strong each pitch class is: the key's own is the strongest, 1."""
    return [1.0 if pitch == key else round(draw.uniform(0, 0.8), 3) for pitch in range(12)]


def _marks(draw: Random, duration: float, every: float) -> list[Json]:
    count = max(1, int(duration / every))
    return [_mark(draw, number * every, every) for number in range(count)]


def _mark(draw: Random, start: float, length: float) -> Json:
    return {
        "start": round(start, 5),
        "duration": round(length, 5),
        "confidence": round(draw.random(), 3),
    }


def _sure(draw: Random, heard: Json) -> Json:
    """Add how sure the analysis is of each, and of the loudness nothing."""
    unsure = {name for name in heard if name != "loudness"}
    sure = {f"{name}_confidence": round(draw.uniform(0.1, 1), 3) for name in sorted(unsure)}
    return {**heard, **sure}
