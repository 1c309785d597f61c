"""Onset detection, tempo estimation (as in beat tracking) and danceability."""

from typing import Final

import librosa
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import fft

from genrebase.audio.decode import SAMPLE_RATE, Samples
from genrebase.audio.frame_features import FRAME_LENGTH, HOP_LENGTH
from genrebase.audio.spectral import FrameArray

MIN_BPM, MAX_BPM = 30.0, 240.0
"""Range of estimated tempos, in BPM."""
PRIOR_BPM: Final = 120.0
"""Centre of the tempo prior: people tap 120 rather than 60 or 240."""

_TINY: Final = float(np.finfo(np.float64).tiny)
"""Below this, autocorrelation is treated as zero."""
_TOP_DB: Final = 80.0
"""Dynamic range of onset detection, in dB: librosa's default, like the constants below."""
_MIN_POWER: Final = 1e-10
_FRAME_SHIFT: Final = FRAME_LENGTH // (2 * HOP_LENGTH)
"""Frames from an onset to the centre of the first frame that contains it completely."""
_PEAK_FRAMES: Final = int(0.03 * SAMPLE_RATE // HOP_LENGTH)
_MEAN_FRAMES: Final = int(0.10 * SAMPLE_RATE // HOP_LENGTH)
_PEAK_DELTA: Final = 0.07
"""Peak picking: frames in 30 ms and in 100 ms, and the minimum height above the local mean, as a
share of the strongest onset."""
_WINDOW: Final = 384
"""Frames of a tempogram window, librosa's default: 4.5 s."""
_FRAMES_AT_ONCE: Final = 256
_STEPS_AT_ONCE: Final = 4_096
"""Chunk sizes: long audio in double precision would fill the memory."""
_STEP: Final = SAMPLE_RATE // 100
"""Samples per value of the envelope in `danceability`: 10 ms."""
_MIN_WINDOW, _MAX_WINDOW, _WINDOW_GROWTH = 0.31, 8.8, 1.1
"""Shortest and longest window of the fluctuation analysis, in seconds, and their growth factor."""
_MIN_WINDOWS: Final = 4


def onset_strength(mel: FrameArray) -> NDArray[np.float32]:
    """Return the onset strength of each frame: spectral flux of the mel spectrum.

    (Böck and Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013.) The
    values are librosa's, computed in chunks of frames.
    """
    floor = _decibels(mel.max()) - np.float32(_TOP_DB)
    strength = np.zeros(mel.shape[1], dtype=np.float32)
    for first in range(0, mel.shape[1] - 1, _FRAMES_AT_ONCE):
        decibels = np.maximum(_decibels(mel[:, first : first + _FRAMES_AT_ONCE + 1]), floor)
        rise = np.maximum(np.diff(decibels, axis=1), 0).mean(axis=0)
        at = first + 1 + _FRAME_SHIFT
        strength[at : at + len(rise)] = rise[: max(0, len(strength) - at)]
    return strength


def detect_onsets(strength: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the frames of onsets (peak picking), given `onset_strength`.

    An onset is the maximum of the last 30 ms, above the mean of the 200 ms around it, and more
    than 30 ms after the last one (Böck, Krebs and Schedl, "Evaluating the Online Capabilities of
    Onset Detection Methods", ISMIR 2012), as in librosa. librosa's own function is compiled at
    first use and cached in two files; processes that start at the same time write files that do
    not match, and these crash every later process.
    """
    normalised = strength - strength.min(initial=np.inf)
    if len(normalised) == 0 or not np.isfinite(normalised).all() or not normalised.any():
        return np.zeros(0, dtype=np.intp)
    normalised = normalised / (normalised.max() + np.finfo(normalised.dtype).tiny)
    before = np.pad(normalised, (_PEAK_FRAMES, 0), constant_values=-np.inf)
    highest = normalised == sliding_window_view(before, _PEAK_FRAMES + 1).max(axis=1)
    sums = np.concatenate([[0.0], np.cumsum(normalised, dtype=np.float64)])
    at = np.arange(len(normalised))
    low, high = (
        np.maximum(at - _MEAN_FRAMES, 0),
        np.minimum(at + _MEAN_FRAMES + 1, len(normalised)),
    )
    above_mean = normalised >= (sums[high] - sums[low]) / (high - low) + _PEAK_DELTA
    onsets: list[int] = []
    for frame in np.flatnonzero(highest & above_mean):
        if not onsets or frame - onsets[-1] > _PEAK_FRAMES:
            onsets.append(int(frame))
    return np.asarray(onsets, dtype=np.intp)


def _decibels(power: FrameArray | np.float32) -> FrameArray:
    return np.asarray(10.0 * np.log10(np.maximum(np.float32(_MIN_POWER), power)))


def estimate_tempo(onsets: NDArray[np.float32]) -> float | None:
    """Return the tempo in BPM; None if there is no onset.

    The mean autocorrelation of the onsets in windows of 4.5 s, weighted by a log-normal tempo
    prior around 120 BPM; its peak is interpolated by a parabola (after Ellis, "Beat Tracking by
    Dynamic Programming", JNMR 2007).
    """
    if not np.any(onsets > 0):
        return None
    strength = _periodicity(onsets)
    bpm = librosa.tempo_frequencies(len(strength), sr=SAMPLE_RATE, hop_length=HOP_LENGTH)
    prior = np.exp(-0.5 * np.square(np.log2(np.maximum(bpm, 1e-9) / PRIOR_BPM)))
    weighted = np.where((bpm >= MIN_BPM) & (bpm <= MAX_BPM), strength * prior, -np.inf)
    best = int(np.argmax(weighted))
    if not np.isfinite(weighted[best]) or strength[best] <= 0:
        return None
    lag = best + _parabolic_offset(strength[best - 1 : best + 2])
    return 60.0 * SAMPLE_RATE / (HOP_LENGTH * lag)


def _periodicity(onsets: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean of the tempogram over the frames, in chunks of frames.

    As in librosa: per frame the autocorrelation of the windowed onsets, with a maximum of 1.
    """
    padded = np.pad(onsets, _WINDOW // 2, mode="linear_ramp", end_values=(0, 0))
    windows = sliding_window_view(padded, _WINDOW)[: len(onsets)]
    window = librosa.filters.get_window("hann", _WINDOW)
    size = fft.next_fast_len(2 * _WINDOW - 1, real=True)
    total = np.zeros(_WINDOW)
    for first in range(0, len(onsets), _FRAMES_AT_ONCE):
        spectrum = fft.rfft(windows[first : first + _FRAMES_AT_ONCE] * window, n=size, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        autocorrelation = fft.irfft(power, n=size, axis=1)[:, :_WINDOW]
        maximum = np.abs(autocorrelation).max(axis=1)
        total += 1 / np.where(maximum > _TINY, maximum, 1.0) @ autocorrelation
    return total / len(onsets)


def danceability(samples: Samples) -> float | None:
    """Return the regularity of the beat, 0..1; None for less than ten seconds, or silence.

    Detrended fluctuation analysis of the amplitude envelope (Streich and Herrera, "Detrended
    Fluctuation Analysis of Music Signals: Danceability Estimation and further Semantic
    Characterization", AES 2005): if the cumulative envelope fluctuates little beyond the beat, the
    exponent is small. The result is its inverse, 0 to about 3, divided by 3.
    """
    envelope = _envelope(samples)
    windows = _windows(len(envelope))
    if len(windows) < _MIN_WINDOWS or not np.any(envelope > 0):
        return None
    fluctuations = np.array(
        [_dfa_fluctuation(np.cumsum(envelope - envelope.mean()), size) for size in windows]
    )
    if not np.all(fluctuations > 0):
        return None
    exponents = np.diff(np.log(fluctuations)) / np.diff(np.log(windows))
    mean = float(exponents.mean())
    return None if mean <= 0 else min(1.0, 1.0 / mean / 3.0)


def _parabolic_offset(values: NDArray[np.float64]) -> float:
    if len(values) < 3:
        return 0.0
    left, middle, right = (float(value) for value in values)
    curvature = left - 2 * middle + right
    return 0.0 if curvature >= 0 else float(np.clip(0.5 * (left - right) / curvature, -0.5, 0.5))


def _envelope(samples: Samples) -> NDArray[np.float64]:
    steps = len(samples) // _STEP
    parts = samples[: steps * _STEP].reshape(steps, _STEP)
    starts = range(0, steps, _STEPS_AT_ONCE)
    deviations = [
        parts[first : first + _STEPS_AT_ONCE].astype(np.float64).std(axis=1) for first in starts
    ]
    return np.concatenate(deviations) if deviations else np.zeros(0)


def _windows(steps: int) -> NDArray[np.int64]:
    count = int(np.log(_MAX_WINDOW / _MIN_WINDOW) / np.log(_WINDOW_GROWTH)) + 1
    sizes = np.unique((_MIN_WINDOW * 100 * _WINDOW_GROWTH ** np.arange(count)).astype(np.int64))
    return sizes[sizes * 2 <= steps]


def _dfa_fluctuation(profile: NDArray[np.float64], size: int) -> float:
    """Return the mean deviation from a straight line in windows of `size` steps."""
    parts = profile[: len(profile) // size * size].reshape(-1, size)
    position = np.arange(size) - (size - 1) / 2
    slope = parts @ position / (position @ position)
    residuals = parts - parts.mean(axis=1, keepdims=True) - np.outer(slope, position)
    return float(np.sqrt(np.square(residuals).mean(axis=1)).mean())
