"""Synthetic sound with a given tempo, key and spectrum."""

from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 44_100
Samples = NDArray[np.float32]

_A4 = 440.0
_SCALE = {1: (0, 2, 4, 5, 7, 9, 11), 0: (0, 2, 3, 5, 7, 8, 10)}
"""Semitones of the major and of the natural minor scale above the tonic."""
_CHORDS = (0, 3, 4, 0)
"""I IV V I, as steps of the scale."""


def tone(pitch: float, seconds: float, *, rate: int = RATE) -> Samples:
    """Return a note with six harmonics that fades; `pitch` is in semitones above middle C."""
    hertz = _A4 * 2.0 ** ((pitch - 9) / 12)
    at = np.arange(int(seconds * rate)) / rate
    waves = (np.sin(2 * np.pi * hertz * n * at) / n for n in range(1, 7) if hertz * n < rate / 2)
    return (np.sum(list(waves), axis=0) * np.exp(-2.0 * at)).astype(np.float32)


def clicks(bpm: float, seconds: float, *, rate: int = RATE) -> Samples:
    """Return a beat of short noises."""
    made = np.zeros(int(seconds * rate), dtype=np.float32)
    noise = np.random.default_rng(0).normal(0, 0.3, rate // 50)
    noise *= np.exp(-np.linspace(0, 6, len(noise)))
    for beat in np.arange(0, seconds - 0.1, 60.0 / bpm):
        first = int(beat * rate)
        made[first : first + len(noise)] += noise[: len(made) - first]
    return made


def song(key: int, mode: int, *, bpm: float = 120.0, seconds: float = 12.0) -> Samples:
    """Return chords of a key (0 = C), two beats each, over a beat."""
    beat = 60.0 / bpm
    made = 0.3 * clicks(bpm, seconds)
    scale = _SCALE[mode]
    at, chord = 0.0, 0
    while at + 2 * beat <= seconds:
        step = _CHORDS[chord % len(_CHORDS)]
        for third in (0, 2, 4):
            place = step + third
            pitch = key + scale[place % 7] + 12 * (place // 7)
            sound = 0.15 * tone(pitch, 2 * beat)
            first = int(at * RATE)
            made[first : first + len(sound)] += sound
        at, chord = at + 2 * beat, chord + 1
    return made


def write(path: Path, samples: Samples, *, rate: int = RATE, **options: Any) -> Path:
    """Write samples in the format of the file's suffix."""
    soundfile.write(path, samples, rate, **options)
    return path
