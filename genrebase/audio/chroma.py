"""Pitch features of each short frame: tuning, constant-Q transform, chroma.

The values are librosa's (see `frame_features`), computed faster. The tuning is estimated only at
peaks within the relevant frequencies. Each octave of the constant-Q transform is computed from the
signal at half the rate of the octave above, with the same filters. The filters' spectra are
sparsified as in librosa, so multiplying matrices over the samples gives librosa's product over
the spectrum.
"""

from typing import Any, Final

import librosa
import numpy as np

from genrebase.audio.decode import SAMPLE_RATE, Samples
from genrebase.audio.spectral import FrameArray

OCTAVES: Final = 7
"""Octaves of the constant-Q transform, from C1."""
SEMITONES: Final = 12 * OCTAVES

_MIN_HZ, _MAX_HZ = 150.0, 4_000.0
"""Range of the tuning estimate, in Hz: librosa's default, like all constants below."""
_PEAK_THRESHOLD: Final = 0.1
"""Minimum height of a peak, as a share of the frame's maximum."""
_SPARSITY: Final = 0.01
"""Share of a filter's spectrum, its smallest values, that is dropped."""
_RELATIVE_BANDWIDTH: Final = (2 ** (2 / 12) - 1) / (2 ** (2 / 12) + 1)
"""Bandwidth of a semitone, relative to its frequency."""
_DOWNSAMPLING: Final = 2
"""Of the highest octave: its frequencies are so low that half the rate is enough."""


def estimate_tuning(spectrum: FrameArray) -> float:
    """Return the deviation of a spectrum's peaks (frames, bins) from A = 440 Hz, in semitones.

    -0.5..0.5; 0 for silence.
    """
    size = 2 * (spectrum.shape[1] - 1)
    hertz = librosa.fft_frequencies(sr=SAMPLE_RATE, n_fft=size)
    first, last = np.searchsorted(hertz, [_MIN_HZ, _MAX_HZ])
    threshold = _PEAK_THRESHOLD * spectrum.max(axis=1, keepdims=True)
    left, middle, right = (spectrum[:, first + step : last + step] for step in (-1, 0, 1))
    peaks = np.nonzero((middle > threshold) & (middle > left) & (middle >= right))
    if not len(peaks[0]):
        return 0.0
    before, peak, after = left[peaks], middle[peaks], right[peaks]
    slope, curvature = (after - before) / 2, after + before - 2 * peak
    within = np.abs(slope) < np.abs(curvature)  # else the vertex lies beyond the neighbours
    shift = np.divide(-slope, curvature, out=np.zeros_like(slope), where=within)
    height = peak + np.float32(0.5) * slope * shift
    pitch = ((first + peaks[1] + shift) * float(SAMPLE_RATE) / size).astype(np.float32)
    return float(librosa.pitch_tuning(pitch[height >= np.median(height)]))


def constant_q(samples: Samples, hop: int, tuning: float) -> FrameArray:
    """Return the magnitude of each semitone from C1 upwards, (84, frames)."""
    kernel = _kernel(SAMPLE_RATE / _DOWNSAMPLING, tuning)
    size, signal, step = kernel.shape[1], samples, hop // _DOWNSAMPLING
    octaves: list[FrameArray] = []
    for octave in range(OCTAVES):
        signal = _halve_rate(signal)
        padded = np.pad(signal, size // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, size)[:: step >> octave]
        products = kernel @ np.ascontiguousarray(frames).T
        octaves.append(np.hypot(products[:12], products[12:]))
    count = min(rows.shape[1] for rows in octaves)
    return np.concatenate([rows[:, :count] for rows in reversed(octaves)])


def chroma_stft(power: FrameArray) -> FrameArray:
    """Return the strength of each pitch class in a spectrum (frames, bins), C first: 0..1."""
    size = 2 * (power.shape[1] - 1)
    bank = librosa.filters.chroma(
        sr=SAMPLE_RATE, n_fft=size, tuning=estimate_tuning(power), n_chroma=12
    )
    return np.asarray(librosa.util.normalize(bank @ power.T, axis=0), np.float32)


def _halve_rate(samples: Samples) -> Samples:
    halved: Any = librosa.resample(samples, orig_sr=2, target_sr=1, res_type="soxr_hq", scale=True)
    return np.asarray(halved, np.float32)


def _kernel(rate: float, tuning: float) -> FrameArray:
    """Return the filters of the highest octave, (12 real and 12 imaginary parts, samples).

    Samples times these equal librosa's spectrum times the filters' sparse spectra.
    """
    low = librosa.note_to_hz("C1") * 2.0 ** (tuning / 12)
    hertz = librosa.cqt_frequencies(SEMITONES, fmin=low, bins_per_octave=12)
    basis, lengths = librosa.filters.wavelet(freqs=hertz[-12:], sr=rate, alpha=_RELATIVE_BANDWIDTH)
    size = basis.shape[1]
    basis *= lengths[:, np.newaxis] / size
    half = np.fft.fft(basis, axis=1)[:, : size // 2 + 1]
    sparse: Any = librosa.util.sparsify_rows(half, quantile=_SPARSITY, dtype=np.complex64)
    # a filter's length in samples halves with the rate, so librosa's normalisation cancels
    waves = np.fft.fft(sparse.toarray(), n=size, axis=1) / np.sqrt(lengths)[:, np.newaxis]
    return np.concatenate([waves.real, waves.imag]).astype(np.float32)
