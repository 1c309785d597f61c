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
from genrebase.audio.analysis import TrackAnalysis
from genrebase.audio.frame_features import FrameFeatures
from genrebase.audio.packed_matrices import PackedMatrix
from genrebase.audio.segments import N_CHANNELS

_SOFT, _LOUD = -45.0, -5.0
"""LUFS of an energy of 0 and of 1."""


@dataclass(frozen=True, slots=True)
class ClipFeatures:
    """What was heard in one file."""

    digest: str
    """Of the decoded sound: the file's id."""
    seconds: float
    descriptors: NDArray[np.float32]
    """The values of `descriptors.COLUMNS`."""
    estimates: dict[str, float | int | None]
    """Some of the 12 features, computed; see `estimate_features`."""
    analysis: TrackAnalysis
    logmel: PackedMatrix


def extract_file(path: Path) -> ClipFeatures:
    """Return everything that is heard in a file; raise `decode.UndecodableAudio`."""
    return extract_clip(decode.decode_file(path))


def extract_clip(clip: decode.AudioClip) -> ClipFeatures:
    """Return everything that is heard in a clip."""
    seen = frame_features.compute_frames(clip.samples)
    onsets = rhythm.onset_strength(seen.mel)
    beat = rhythm.estimate_tempo(onsets)
    heard = analysis.build_analysis(
        keys.estimate_track_key(seen, beat), keys.detect_sections(seen), np.zeros((0, N_CHANNELS))
    )
    return ClipFeatures(
        digest=clip.digest,
        seconds=clip.seconds,
        descriptors=descriptors.compute_descriptors(seen, onsets, beat),
        estimates=estimate_features(clip, seen, beat),
        analysis=heard,
        logmel=logmel.pack_logmel(seen.mel),
    )


def estimate_features(
    clip: decode.AudioClip, seen: FrameFeatures, tempo: float | None
) -> dict[str, float | int | None]:
    """Return what can be said of a clip in the words of the catalogue's features.

    They are this project's own measures, not the catalogue's: the scales differ, and
    `provider = audio` marks them.

    - `tempo`: BPM, see `rhythm.estimate_tempo`.
    - `key` (0 = C), `mode` (1 major): see `keys.estimate_key`.
    - `loudness`: dB below full scale, ITU-R BS.1770-4, see `loudness.integrated_loudness`.
    - `energy`: that loudness, -45 LUFS as 0 and -5 LUFS as 1.
    - `acousticness`: harmonic power / (harmonic + percussive power), see `frame_features`.
    - `danceability`: see `rhythm.danceability`.
    """
    loud = loudness.integrated_loudness(clip.samples)
    found = keys.estimate_track_key(seen, tempo)
    both = seen.harmonic_power + seen.percussive_power
    return {
        "tempo": tempo,
        "key": found.key,
        "mode": found.mode,
        "loudness": loud,
        "energy": None if loud is None else float(np.clip((loud - _SOFT) / (_LOUD - _SOFT), 0, 1)),
        "acousticness": seen.harmonic_power / both if loud is not None and both > 0 else None,
        "danceability": rhythm.danceability(clip.samples),
    }
