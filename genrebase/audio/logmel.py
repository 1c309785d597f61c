"""Log-mel spectrogram as the input of a network, small enough to store for every track.

`frame_features` computes the spectrum, with its FFT and hop length.
"""

from typing import Final

import librosa
import numpy as np

from genrebase.audio import packed_matrices
from genrebase.audio.packed_matrices import PackedMatrix
from genrebase.audio.spectral import FrameArray

KIND: Final = "logmel"
VERSION: Final = 1
"""64 bands (pairs of the 128), four frames a step (46 ms), in dB relative to the maximum."""
N_BANDS: Final = packed_matrices.CHANNELS[KIND]
FRAMES_PER_STEP: Final = 4
MAX_STEPS: Final = 750
"""35 s; with 64 float16 values a step below 100 kB, compressed or not."""
TOP_DB: Final = 80.0
"""Dynamic range in dB: lower values are clipped."""


def pack_logmel(mel: FrameArray) -> PackedMatrix:
    """Return the middle 35 s of a mel spectrum (128, frames) as a matrix (steps, 64) in dB.

    0 is the maximum of these 35 s; values are clipped at -80.
    """
    steps = max(1, mel.shape[1] // FRAMES_PER_STEP)
    whole = mel[:, : steps * FRAMES_PER_STEP]
    if whole.shape[1] < FRAMES_PER_STEP:
        whole = np.pad(mel, ((0, 0), (0, FRAMES_PER_STEP - mel.shape[1])))
    coarse = whole.reshape(N_BANDS, 2, steps, FRAMES_PER_STEP).mean(axis=(1, 3))
    first = max(0, (steps - MAX_STEPS) // 2)
    excerpt = coarse[:, first : first + MAX_STEPS].astype(np.float64)
    decibels = librosa.power_to_db(excerpt, ref=np.max, top_db=TOP_DB)
    return packed_matrices.pack(KIND, VERSION, np.ascontiguousarray(decibels.T))
