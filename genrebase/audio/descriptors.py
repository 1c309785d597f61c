"""Descriptors of a clip: seven statistics per frame feature, tempo, onsets and energies.

The first 518 are the descriptor set of the FMA benchmark (Defferrard et al., "FMA: A Dataset for
Music Analysis", ISMIR 2017), with its column names (`mfcc_mean_01`). The set is versioned by its
name: values stored under one name are comparable.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from genrebase.audio import rhythm
from genrebase.audio.decode import SAMPLE_RATE
from genrebase.audio.frame_features import FEATURE_DIMS, HOP_LENGTH, FrameFeatures
from genrebase.audio.spectral import FrameArray

SCHEMA_NAME: Final = "genrebase-1"
"""The name of the whole set."""
FMA_SCHEMA_NAME: Final = "fma518"
"""The name of its first 518 columns."""

STATISTICS: Final = ("kurtosis", "max", "mean", "median", "min", "skew", "std")
MEL_GROUPS: Final = 32
"""Groups of four of the 128 mel bands."""

FMA_COLUMNS: Final = tuple(
    f"{feature}_{statistic}_{number:02d}"
    for feature, size in FEATURE_DIMS.items()
    for statistic in STATISTICS
    for number in range(1, size + 1)
)
_EXTRA_COLUMNS: Final = (
    *(f"flatness_{statistic}" for statistic in STATISTICS),
    *(f"mel_mean_{number:02d}" for number in range(1, MEL_GROUPS + 1)),
    *(f"mel_std_{number:02d}" for number in range(1, MEL_GROUPS + 1)),
    "harmonic_energy",
    "percussive_energy",
    "harmonic_share",
    "onset_rate",
    "onset_strength_mean",
    "onset_strength_std",
    "tempo",
)
COLUMNS: Final = (*FMA_COLUMNS, *_EXTRA_COLUMNS)
"""All columns in their order: energies in dB, onsets a second, tempo in BPM."""

_ROUNDING: Final = float(np.finfo(np.float64).eps)
"""Deviation relative to the mean below which values count as constant."""
_SILENCE: Final = 1e-10
"""Power of silence: -100 dB."""


def compute_descriptors(
    frames: FrameFeatures, onsets: NDArray[np.float32], tempo: float | None
) -> FrameArray:
    """Return the values of `COLUMNS`, float32; NaN where a statistic is not defined.

    `onsets` is the onset strength per frame (see `rhythm`), `tempo` in BPM.
    """
    rows = [_statistics(frames.fma[name]).reshape(-1) for name in FEATURE_DIMS]
    rows += [_statistics(frames.flatness).reshape(-1), *_mel(frames.mel)]
    total_power = frames.harmonic_power + frames.percussive_power
    seconds = len(onsets) * HOP_LENGTH / SAMPLE_RATE
    n_onsets = len(rhythm.detect_onsets(onsets))
    rows.append(
        np.array(
            [
                _decibels(frames.harmonic_power),
                _decibels(frames.percussive_power),
                frames.harmonic_power / total_power if total_power > _SILENCE else np.nan,
                n_onsets / seconds,
                onsets.mean(),
                onsets.std(),
                np.nan if tempo is None else tempo,
            ]
        )
    )
    return np.concatenate(rows).astype(np.float32)


def _statistics(rows: FrameArray) -> NDArray[np.float64]:
    """Return (statistics, values) over the frames; skew and kurtosis of a constant are NaN."""
    values = rows.astype(np.float64)
    mean = values.mean(axis=1)
    deviation = values - mean[:, np.newaxis]
    square = deviation**2
    variance, fourth = square.mean(axis=1), (square**2).mean(axis=1)
    third = np.multiply(square, deviation, out=deviation).mean(axis=1)
    spread = np.where(np.sqrt(variance) > np.abs(mean) * _ROUNDING, variance, np.nan)
    return np.stack(
        [
            fourth / spread**2 - 3.0,
            values.max(axis=1),
            mean,
            np.median(values, axis=1),
            values.min(axis=1),
            third / spread**1.5,
            np.sqrt(variance),
        ]
    )


def _mel(mel: FrameArray) -> list[NDArray[np.float64]]:
    grouped = mel.reshape(MEL_GROUPS, -1, mel.shape[1]).mean(axis=1, dtype=np.float64)
    decibels = np.log10(np.maximum(grouped, _SILENCE, out=grouped), out=grouped)
    decibels *= 10.0
    return [decibels.mean(axis=1), decibels.std(axis=1)]


def _decibels(power: float) -> float:
    return 10.0 * float(np.log10(max(power, _SILENCE)))
