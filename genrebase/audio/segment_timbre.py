"""Timbre statistics of a track's segments (about a second each), and the segments as a matrix.

Segments are an array shaped (segments, 26): 12 values of timbre, 12 of pitch, loudness in dB,
duration in seconds. Means and deviations are weighted by duration.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from genrebase.audio import packed_matrices
from genrebase.audio.packed_matrices import FloatArray, PackedMatrix

N_PITCHES: Final = 12
TIMBRE: Final = slice(0, 12)
PITCH: Final = slice(12, 24)
LOUDNESS: Final = 24
DURATION: Final = 25
"""The columns."""

KIND: Final = "segments"
N_CHANNELS: Final = packed_matrices.CHANNELS[KIND]
VERSION: Final = 1
MAX_STEPS: Final = 1_900
"""Maximum steps of a matrix: with 26 float16 values each below 100 kB, compressed or not."""


@dataclass(frozen=True, slots=True)
class Timbre:
    """Means and deviations over a track's segments, 12 values each, weighted by duration."""

    segments: int
    timbre_means: tuple[float, ...]
    """Unbounded; the first correlates with loudness."""
    timbre_deviations: tuple[float, ...]
    pitch_means: tuple[float, ...]
    """Strength of each pitch class, C first, 0..1."""
    pitch_deviations: tuple[float, ...]


def summarise_timbre(segments: FloatArray) -> Timbre | None:
    """Return means and deviations of all segments; None without segments.

    The deviation is the population's: the root of the weighted mean square distance
    from the weighted mean.
    """
    if len(segments) == 0:
        return None
    weights = segments[:, DURATION] / segments[:, DURATION].sum()
    values = segments[:, :LOUDNESS]
    # rounding must not move a mean out of the values' range: a constant pitch of 1 has the mean 1
    means = np.clip(weights @ values, values.min(axis=0), values.max(axis=0))
    deviations = np.sqrt(weights @ (values - means) ** 2)
    return Timbre(
        len(segments),
        tuple(means[TIMBRE].tolist()),
        tuple(deviations[TIMBRE].tolist()),
        tuple(means[PITCH].tolist()),
        tuple(deviations[PITCH].tolist()),
    )


def pack_segments(segments: FloatArray) -> PackedMatrix | None:
    """Return the segments in order as a matrix to store; None without segments.

    More than `MAX_STEPS` segments are reduced by merging neighbours: durations are summed, other
    values averaged, weighted by duration.
    """
    if len(segments) == 0:
        return None
    return packed_matrices.pack(KIND, VERSION, _merge_neighbours(segments))


def _merge_neighbours(segments: FloatArray) -> FloatArray:
    group_size = -(-len(segments) // MAX_STEPS)
    if group_size == 1:
        return segments
    first = np.arange(0, len(segments), group_size)
    durations = np.add.reduceat(segments[:, DURATION], first)
    weighted = segments * segments[:, [DURATION]]
    merged: FloatArray = np.add.reduceat(weighted, first) / durations[:, np.newaxis]
    merged[:, DURATION] = durations
    return merged
