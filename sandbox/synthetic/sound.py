"""Small sounds for tracks: chords of the track's key over a beat of its tempo. Deterministic.

They need numpy and soundfile (the extra `audio`), which are imported where sound is made.
"""

import io
from collections.abc import Mapping
from functools import lru_cache
from random import Random
from typing import Any, Final

SECONDS: Final = 4.0
RATE: Final = 22_050
"""Samples per second."""
_CHORDS: Final = {1: (0, 4, 7), 0: (0, 3, 7)}
"""Major and minor triads, in semitones above the root."""
_STEPS: Final = (0, 5, 7, 0)
"""The roots of the chords, in semitones above the tonic."""
_MIDDLE_C: Final = 261.63
_CACHED: Final = 64
"""Encoded sounds that are kept: a client asks for an item's sizes, then for its files."""


def encode_sound(track_id: str, features: Mapping[str, float], kind: str) -> bytes:
    """Return the sound of a track as a file; `kind` is `flac` or `wav`. Equal on every call."""
    tempo = features.get("tempo") or 120.0
    return _encode(
        track_id,
        min(max(tempo, 40.0), 220.0),
        int(features.get("key") or 0),
        int(features.get("mode") or 0),
        kind,
    )


@lru_cache(maxsize=_CACHED)
def _encode(track_id: str, tempo: float, key: int, mode: int, kind: str) -> bytes:
    import soundfile  # an extra, as is numpy's use here; see above

    file = io.BytesIO()
    samples = _synthesise(track_id, tempo, key, mode)
    soundfile.write(file, samples, RATE, format=kind.upper(), subtype="PCM_16")
    return file.getvalue()


def _synthesise(track_id: str, tempo: float, key: int, mode: int) -> Any:
    import numpy as np  # slow to import: the other services need none

    random = np.random.default_rng(Random(track_id).randrange(2**32))
    at = np.arange(int(SECONDS * RATE)) / RATE
    made = np.zeros_like(at)
    part = SECONDS / len(_STEPS)
    detune = 1 + random.uniform(-0.003, 0.003)
    for number, step in enumerate(_STEPS):
        inside = (at >= number * part) & (at < (number + 1) * part)
        for third in _CHORDS[mode]:
            hertz = _MIDDLE_C * detune * 2 ** ((key + step + third) / 12)
            for overtone, strength in ((1, 0.2), (2, 0.08), (3, 0.04)):
                made[inside] += strength * np.sin(2 * np.pi * hertz * overtone * at[inside])
    beat = 60.0 / tempo
    made += random.normal(0, 0.25, len(at)) * np.exp(-30 * (at % beat))
    return np.clip(made * random.uniform(0.4, 0.8), -1, 1).astype(np.float32)
