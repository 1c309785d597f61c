"""Pitch features of each short frame: tuning, constant-Q transform, chroma.

The figures are librosa's (see `frames`), at a smaller price. Tuning is looked for only at the
peaks among the frequencies that count. Every octave of the constant-Q transform is the octave
above it at half the rate, so that the filters of one serve for all; and since what librosa drops
of their spectra is dropped here, too, a product of matrices over the samples is the same as its
product over their spectrum.
"""

from typing import Any, Final

import librosa
import numpy as np
from numpy.typing import NDArray

from genrebase.audio.decode import SAMPLE_RATE, Samples

FrameArray = NDArray[np.float32]

OCTAVES: Final = 7
"""Of the constant-Q transform, from C1."""
SEMITONES: Final = 12 * OCTAVES

_LOWEST, _HIGHEST = 150.0, 4_000.0
"""Hz between which a tuning is looked for: librosa's own, as everything below."""
_PEAK: Final = 0.1
"""Of a frame's greatest value: less is no peak."""
_SPARSE: Final = 0.01
"""Share of a filter's spectrum, the least of it, that is dropped."""
_WIDTH: Final = (2 ** (2 / 12) - 1) / (2 ** (2 / 12) + 1)
"""Of a semitone, relative to its frequency."""
_EARLY: Final = 2
"""The highest note lies so low that half the rate is enough."""


def estimate_tuning(spectrum: FrameArray) -> float:
    """Return how far the peaks of a spectrum (frames, bins) lie from A = 440 Hz, in semitones.

    -0.5..0.5; 0 where nothing sounds.
    """
    size = 2 * (spectrum.shape[1] - 1)
    hertz = librosa.fft_frequencies(sr=SAMPLE_RATE, n_fft=size)
    first, last = np.searchsorted(hertz, [_LOWEST, _HIGHEST])
    least = _PEAK * spectrum.max(axis=1, keepdims=True)
    left, middle, right = (spectrum[:, first + step : last + step] for step in (-1, 0, 1))
    at = np.nonzero((middle > least) & (middle > left) & (middle >= right))
    if not len(at[0]):
        return 0.0
    before, peak, after = left[at], middle[at], right[at]
    slope, bend = (after - before) / 2, after + before - 2 * peak
    within = np.abs(slope) < np.abs(bend)  # else the summit lies beyond the neighbours
    shift = np.divide(-slope, bend, out=np.zeros_like(slope), where=within)
    height = peak + np.float32(0.5) * slope * shift
    pitch = ((first + at[1] + shift) * float(SAMPLE_RATE) / size).astype(np.float32)
    return float(librosa.pitch_tuning(pitch[height >= np.median(height)]))


def constant_q(samples: Samples, hop: int, tuned: float) -> FrameArray:
    """Return the magnitude of each semitone from C1 upwards, (84, frames)."""
    kernel = _kernel(SAMPLE_RATE / _EARLY, tuned)
    size, heard, step = kernel.shape[1], samples, hop // _EARLY
    octaves: list[FrameArray] = []
    for octave in range(OCTAVES):
        heard = _halved(heard)
        padded = np.pad(heard, size // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, size)[:: step >> octave]
        both = kernel @ np.ascontiguousarray(frames).T
        octaves.append(np.hypot(both[:12], both[12:]))
    count = min(rows.shape[1] for rows in octaves)
    return np.concatenate([rows[:, :count] for rows in reversed(octaves)])


def chroma_stft(power: FrameArray) -> FrameArray:
    """Return how strong each pitch class is in a spectrum (frames, bins), C first: 0..1."""
    size = 2 * (power.shape[1] - 1)
    bank = librosa.filters.chroma(
        sr=SAMPLE_RATE, n_fft=size, tuning=estimate_tuning(power), n_chroma=12
    )
    return np.asarray(librosa.util.normalize(bank @ power.T, axis=0), np.float32)


def _halved(samples: Samples) -> Samples:
    halved: Any = librosa.resample(samples, orig_sr=2, target_sr=1, res_type="soxr_hq", scale=True)
    return np.asarray(halved, np.float32)


def _kernel(rate: float, tuned: float) -> FrameArray:
    """Return the filters of the highest octave, (12 real and 12 imaginary parts, samples).

    Samples times these are what librosa has as spectrum times the filters' sparse spectra.
    """
    low = librosa.note_to_hz("C1") * 2.0 ** (tuned / 12)
    hertz = librosa.cqt_frequencies(SEMITONES, fmin=low, bins_per_octave=12)
    basis, lengths = librosa.filters.wavelet(freqs=hertz[-12:], sr=rate, alpha=_WIDTH)
    size = basis.shape[1]
    basis *= lengths[:, np.newaxis] / size
    half = np.fft.fft(basis, axis=1)[:, : size // 2 + 1]
    kept: Any = librosa.util.sparsify_rows(half, quantile=_SPARSE, dtype=np.complex64)
    # a filter's length in samples halves with the rate: what librosa divides by cancels
    waves = np.fft.fft(kept.toarray(), n=size, axis=1) / np.sqrt(lengths)[:, np.newaxis]
    return np.concatenate([waves.real, waves.imag]).astype(np.float32)
