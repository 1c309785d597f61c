"""From a sound file to everything that is stored of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genrebase.audio import (
    analysis,
    decode,
    descriptors,
    frame_features,
    keys,
    logmel,
    loudness,
    rhythm,
)
from genrebase.audio.analysis import Analysis
from genrebase.audio.frame_features import Frames
from genrebase.audio.packed_matrices import Matrix
from genrebase.audio.segments import CHANNELS

_SOFT, _LOUD = -45.0, -5.0
"""LUFS of an energy of 0 and of 1."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What was heard in one file."""

    digest: str
    """Of the decoded sound: the file's id."""
    seconds: float
    descriptors: NDArray[np.float32]
    """The values of `descriptors.COLUMNS`."""
    estimates: dict[str, float | int | None]
    """Some of the 12 features, computed; see `estimate`."""
    analysis: Analysis
    spectrum: Matrix


def listen(path: Path) -> Sound:
    """Return everything that is heard in a file; raise `decode.Unreadable`."""
    return hear(decode.load(path))


def hear(clip: decode.Clip) -> Sound:
    """Return everything that is heard in a clip."""
    seen = frame_features.look(clip.samples)
    onsets = rhythm.onset_strength(seen.mel)
    beat = rhythm.tempo(onsets)
    heard = analysis.analyse(keys.whole(seen, beat), keys.sections(seen), np.zeros((0, CHANNELS)))
    return Sound(
        digest=clip.digest,
        seconds=clip.seconds,
        descriptors=descriptors.describe(seen, onsets, beat),
        estimates=estimate(clip, seen, beat),
        analysis=heard,
        spectrum=logmel.pack(seen.mel),
    )


def estimate(
    clip: decode.Clip, seen: Frames, tempo: float | None
) -> dict[str, float | int | None]:
    """Return what can be said of a clip in the words of the catalogue's features.

    They are this project's own measures, not the catalogue's: the scales differ, and
    `provider = audio` marks them.

    - `tempo`: BPM, see `rhythm.tempo`.
    - `key` (0 = C), `mode` (1 major): see `keys.find`.
    - `loudness`: dB below full scale, ITU-R BS.1770-4, see `loudness.integrated`.
    - `energy`: that loudness, -45 LUFS as 0 and -5 LUFS as 1.
    - `acousticness`: harmonic power / (harmonic + percussive power), see `frame_features`.
    - `danceability`: see `rhythm.danceability`.
    """
    loud = loudness.integrated(clip.samples)
    found = keys.whole(seen, tempo)
    both = seen.harmonic + seen.percussive
    return {
        "tempo": tempo,
        "key": found.key,
        "mode": found.mode,
        "loudness": loud,
        "energy": None if loud is None else float(np.clip((loud - _SOFT) / (_LOUD - _SOFT), 0, 1)),
        "acousticness": seen.harmonic / both if loud is not None and both > 0 else None,
        "danceability": rhythm.danceability(clip.samples),
    }
