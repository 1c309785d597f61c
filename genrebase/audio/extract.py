"""Feature extraction from an audio file: descriptors, estimates, analysis, spectrogram."""

import numpy as np

from genrebase.audio import (
    analysis,
    decode,
    descriptors,
    frame_features,
    keys,
    logmel,
    loudness,
    packed_vectors,
    rhythm,
)
from genrebase.audio.frame_features import FrameFeatures
from genrebase.audio.harmony import TrackKey
from genrebase.audio.records import PackedFeatures
from genrebase.audio.segment_timbre import N_CHANNELS

_QUIET_LUFS, _LOUD_LUFS = -45.0, -5.0
"""Loudness in LUFS of energy 0 and of energy 1."""


def extract_clip(clip: decode.AudioClip) -> PackedFeatures:
    """Return all features of a clip."""
    features = frame_features.compute_frames(clip.samples)
    onsets = rhythm.onset_strength(features.mel)
    tempo = rhythm.estimate_tempo(onsets)
    track_key = keys.estimate_track_key(features, tempo)
    no_segments = np.zeros((0, N_CHANNELS))
    values = descriptors.compute_descriptors(features, onsets, tempo)
    return PackedFeatures(
        packed_vectors.pack(values),
        estimate_features(clip, features, track_key),
        analysis.build_analysis(track_key, keys.detect_sections(features), no_segments),
        logmel.pack_logmel(features.mel),
    )


def estimate_features(
    clip: decode.AudioClip, features: FrameFeatures, track_key: TrackKey
) -> dict[str, float | int | None]:
    """Return estimates of the catalogue's features from a clip.

    They are this project's estimates, not the catalogue's: the scales differ, and
    `provider = audio` marks them.

    - `tempo`: BPM, see `rhythm.estimate_tempo`.
    - `key` (0 = C), `mode` (1 major): see `keys.estimate_key`.
    - `loudness`: dB relative to full scale, ITU-R BS.1770-4, see `loudness.integrated_loudness`.
    - `energy`: that loudness, -45 LUFS as 0 and -5 LUFS as 1.
    - `acousticness`: harmonic power / (harmonic + percussive power), see `frame_features`.
    - `danceability`: see `rhythm.danceability`.
    """
    lufs = loudness.integrated_loudness(clip.samples)
    total_power = features.harmonic_power + features.percussive_power
    return {
        "tempo": track_key.tempo,
        "key": track_key.key,
        "mode": track_key.mode,
        "loudness": lufs,
        "energy": None
        if lufs is None
        else float(np.clip((lufs - _QUIET_LUFS) / (_LOUD_LUFS - _QUIET_LUFS), 0, 1)),
        "acousticness": features.harmonic_power / total_power
        if lufs is not None and total_power > 0
        else None,
        "danceability": rhythm.danceability(clip.samples),
    }
