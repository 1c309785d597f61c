"""Onset detection, tempo estimation and danceability."""

from typing import Final

import librosa
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import fft

from genrebase.audio.decode import SAMPLE_RATE, Samples
from genrebase.audio.frame_features import FRAME_LENGTH, HOP_LENGTH, FrameArray

MIN_BPM, MAX_BPM = 30.0, 240.0
"""Range of estimated tempos, in BPM."""
PRIOR_BPM: Final = 120.0
"""Centre of the tempo prior: listeners prefer 120 to 60 or 240."""

_NOTHING: Final = float(np.finfo(np.float64).tiny)
"""Below this, autocorrelation is treated as zero."""
_RANGE: Final = 80.0
"""dB below the loudest that onsets are looked for in: librosa's own, as what follows."""
_QUIET: Final = 1e-10
_LATE: Final = FRAME_LENGTH // (2 * HOP_LENGTH)
"""Frames from where a sound begins to the middle of the frame that has all of it."""
_PEAK: Final = int(0.03 * SAMPLE_RATE // HOP_LENGTH)
_AROUND: Final = int(0.10 * SAMPLE_RATE // HOP_LENGTH)
_ABOVE: Final = 0.07
"""Frames of 30 and of 100 ms; and by how much of the highest onset one stands out."""
_WINDOW: Final = 384
"""Frames of a window of the tempogram, librosa's own: 4.5 s."""
_FRAMES_AT_ONCE: Final = 256
_STEPS_AT_ONCE: Final = 4_096
"""A long sound in double precision would fill the memory."""
_STEP: Final = SAMPLE_RATE // 100
"""Samples of one value of the envelope for `danceability`: 10 ms."""
_SHORTEST, _LONGEST, _GROWTH = 0.31, 8.8, 1.1
"""Seconds of the windows in which the envelope's drift is measured, and how these grow."""
_LEAST_WINDOWS: Final = 4


def onset_strength(mel: FrameArray) -> NDArray[np.float32]:
    """Return the onset strength of each frame: spectral flux of the mel spectrum.

    (Böck and Widmer, "Maximum filter vibrato suppression for onset detection", DAFx 2013.) The
    figures are librosa's, computed some frames at a time.
    """
    floor = _decibels(mel.max()) - np.float32(_RANGE)
    strength = np.zeros(mel.shape[1], dtype=np.float32)
    for first in range(0, mel.shape[1] - 1, _FRAMES_AT_ONCE):
        heard = np.maximum(_decibels(mel[:, first : first + _FRAMES_AT_ONCE + 1]), floor)
        rise = np.maximum(np.diff(heard, axis=1), 0).mean(axis=0)
        at = first + 1 + _LATE
        strength[at : at + len(rise)] = rise[: max(0, len(strength) - at)]
    return strength


def detect_onsets(strength: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the frames of onsets (peak picking), given `onset_strength`.

    Peaks of the last 30 ms that stand out from the 200 ms around them, 30 ms apart (Böck, Krebs
    and Schedl, "Evaluating the Online Capabilities of Onset Detection Methods", ISMIR 2012), as
    librosa finds them. Its own function is compiled at first use and kept in two files; processes
    that begin at once leave such as do not fit, and these crash every process after them.
    """
    risen = strength - strength.min(initial=np.inf)
    if len(risen) == 0 or not np.isfinite(risen).all() or not risen.any():
        return np.zeros(0, dtype=np.intp)
    risen = risen / (risen.max() + np.finfo(risen.dtype).tiny)
    before = np.pad(risen, (_PEAK, 0), constant_values=-np.inf)
    highest = risen == sliding_window_view(before, _PEAK + 1).max(axis=1)
    sums = np.concatenate([[0.0], np.cumsum(risen, dtype=np.float64)])
    at = np.arange(len(risen))
    low, high = np.maximum(at - _AROUND, 0), np.minimum(at + _AROUND + 1, len(risen))
    stands_out = risen >= (sums[high] - sums[low]) / (high - low) + _ABOVE
    found: list[int] = []
    for frame in np.flatnonzero(highest & stands_out):
        if not found or frame - found[-1] > _PEAK:
            found.append(int(frame))
    return np.asarray(found, dtype=np.intp)


def _decibels(power: FrameArray | np.float32) -> FrameArray:
    return np.asarray(10.0 * np.log10(np.maximum(np.float32(_QUIET), power)))


def estimate_tempo(onsets: NDArray[np.float32]) -> float | None:
    """Return the tempo in BPM; None if there is no onset.

    The autocorrelation of the onsets over windows of eight seconds, averaged, weighted by how
    likely a tempo is (log-normal around 120), its peak interpolated by a parabola (after Ellis,
    "Beat Tracking by Dynamic Programming", JNMR 2007).
    """
    if not np.any(onsets > 0):
        return None
    strength = _periodicity(onsets)
    bpm = librosa.tempo_frequencies(len(strength), sr=SAMPLE_RATE, hop_length=HOP_LENGTH)
    likely = np.exp(-0.5 * np.square(np.log2(np.maximum(bpm, 1e-9) / PRIOR_BPM)))
    weighted = np.where((bpm >= MIN_BPM) & (bpm <= MAX_BPM), strength * likely, -np.inf)
    best = int(np.argmax(weighted))
    if not np.isfinite(weighted[best]) or strength[best] <= 0:
        return None
    lag = best + _parabolic_offset(strength[best - 1 : best + 2])
    return 60.0 * SAMPLE_RATE / (HOP_LENGTH * lag)


def _periodicity(onsets: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean of the tempogram over the frames, computed some frames at a time.

    It is librosa's: per frame the autocorrelation of the windowed onsets, its greatest value 1.
    """
    padded = np.pad(onsets, _WINDOW // 2, mode="linear_ramp", end_values=(0, 0))
    around = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[: len(onsets)]
    window = librosa.filters.get_window("hann", _WINDOW)
    size = fft.next_fast_len(2 * _WINDOW - 1, real=True)
    total = np.zeros(_WINDOW)
    for first in range(0, len(onsets), _FRAMES_AT_ONCE):
        spectrum = fft.rfft(around[first : first + _FRAMES_AT_ONCE] * window, n=size, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        alike = fft.irfft(power, n=size, axis=1)[:, :_WINDOW]
        greatest = np.abs(alike).max(axis=1)
        total += 1 / np.where(greatest > _NOTHING, greatest, 1.0) @ alike
    return total / len(onsets)


def danceability(samples: Samples) -> float | None:
    """Return how regular the beat is, 0..1; None for less than ten seconds, or silence.

    Detrended fluctuation analysis of the loudness (Streich and Herrera, "Detrended Fluctuation
    Analysis of Music Signals: Danceability Estimation and further Semantic Characterization",
    AES 2005): where the envelope, summed up, drifts little beyond the beat, the exponent is small.
    Its inverse, which runs from 0 to about 3, divided by 3.
    """
    envelope = _envelope(samples)
    windows = _windows(len(envelope))
    if len(windows) < _LEAST_WINDOWS or not np.any(envelope > 0):
        return None
    drifts = np.array(
        [_dfa_fluctuation(np.cumsum(envelope - envelope.mean()), size) for size in windows]
    )
    if not np.all(drifts > 0):
        return None
    exponents = np.diff(np.log(drifts)) / np.diff(np.log(windows))
    mean = float(exponents.mean())
    return None if mean <= 0 else min(1.0, 1.0 / mean / 3.0)


def _parabolic_offset(three: NDArray[np.float64]) -> float:
    """Return the parabolic offset of a peak between its neighbours, -0.5..0.5."""
    if len(three) < 3:
        return 0.0
    left, middle, right = (float(value) for value in three)
    bend = left - 2 * middle + right
    return 0.0 if bend >= 0 else float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5))


def _envelope(samples: Samples) -> NDArray[np.float64]:
    steps = len(samples) // _STEP
    parts = samples[: steps * _STEP].reshape(steps, _STEP)
    some = range(0, steps, _STEPS_AT_ONCE)
    spreads = [
        parts[first : first + _STEPS_AT_ONCE].astype(np.float64).std(axis=1) for first in some
    ]
    return np.concatenate(spreads) if spreads else np.zeros(0)


def _windows(steps: int) -> NDArray[np.int64]:
    count = int(np.log(_LONGEST / _SHORTEST) / np.log(_GROWTH)) + 1
    sizes = np.unique((_SHORTEST * 100 * _GROWTH ** np.arange(count)).astype(np.int64))
    return sizes[sizes * 2 <= steps]


def _dfa_fluctuation(profile: NDArray[np.float64], size: int) -> float:
    """Return the mean deviation from a straight line in windows of `size` steps."""
    parts = profile[: len(profile) // size * size].reshape(-1, size)
    at = np.arange(size) - (size - 1) / 2
    slope = parts @ at / (at @ at)
    rest = parts - parts.mean(axis=1, keepdims=True) - np.outer(slope, at)
    return float(np.sqrt(np.square(rest).mean(axis=1)).mean())
