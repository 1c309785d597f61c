"""Mel spectrum and MFCC of each short frame, as librosa computes them."""

from functools import cache
from typing import Any, Final

import librosa
import numpy as np

from genrebase.audio.decode import SAMPLE_RATE
from genrebase.audio.spectral import FrameArray

MEL_BANDS: Final = 128
N_COEFFICIENTS: Final = 20


def mel_spectrum(power: FrameArray) -> FrameArray:
    """Return the power in mel bands (128, frames) of a power spectrum (frames, bins)."""
    return np.asarray(_mel_filters(power.shape[1]) @ power.T, np.float32)


def coefficients(mel: FrameArray) -> FrameArray:
    """Return the MFCC (20, frames) of a mel spectrum (128, frames)."""
    feature: Any = librosa.feature
    return np.asarray(feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=N_COEFFICIENTS), np.float32)


@cache
def _mel_filters(bins: int) -> FrameArray:
    size = 2 * (bins - 1)
    filters = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=size, n_mels=MEL_BANDS)
    return np.asarray(filters, np.float32)
