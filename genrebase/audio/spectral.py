"""Spectral features of each frame: centroid, bandwidth, rolloff, contrast, flatness, RMS, ZCR.

The figures are librosa's (see `frames`), from sums that are taken once: the centroid and the
bandwidth are moments of one distribution. A spectrum is shaped (frames, bins), from 0 Hz to half
of `SAMPLE_RATE`; what is returned is shaped (values, frames).
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import librosa
import numpy as np
from numpy.typing import NDArray

from genrebase.audio.decode import SAMPLE_RATE, Samples

FrameArray = NDArray[np.float32]

_BELOW: Final = 0.85
"""Share of the magnitude that lies below the rolloff: librosa's own, as everything here."""
_OCTAVES: Final = 6
"""Bands of the contrast, beside one for all that is lower."""
_LOW: Final = 200.0
"""Hz where the first of these begins."""
_EXTREME: Final = 0.02
"""Share of a band's bins that are its peak, and its valley."""
_SOFTEST: Final = 1e-10
"""Power below which nothing is told apart."""
_FRAMES_AT_ONCE: Final = 256
"""In double precision: so many stay in the processor's cache."""
_ZERO: Final = 1e-10
"""Samples no greater are zero."""


def centroid_and_bandwidth(magnitude: FrameArray) -> tuple[FrameArray, FrameArray]:
    """Return the mean of the frequency and its deviation, weighted by magnitude, in Hz."""
    hertz = _hertz(magnitude)
    powers = np.stack([np.ones_like(hertz), hertz, hertz**2], axis=1)
    # in double precision: the deviation is a small difference of great numbers
    some = range(0, len(magnitude), _FRAMES_AT_ONCE)
    moments = [magnitude[at : at + _FRAMES_AT_ONCE].astype(np.float64) @ powers for at in some]
    total, first, second = np.concatenate(moments).T
    total = np.where(total > 0, total, 1.0)
    mean = first / total
    variance = np.maximum(second / total - mean**2, 0.0)
    return _row(mean), _row(np.sqrt(variance))


def rolloff(magnitude: FrameArray) -> FrameArray:
    """Return the frequency up to which 85% of the magnitude lies, in Hz."""
    summed = np.cumsum(magnitude, axis=1)
    reached = summed >= _BELOW * summed[:, -1:]
    return _row(_hertz(magnitude)[reached.argmax(axis=1)])


def contrast(magnitude: FrameArray) -> FrameArray:
    """Return how far the peaks of each octave stand above its valleys, in dB; the lowest first."""
    extremes = [
        (band[:, -count:].mean(axis=1), band[:, :count].mean(axis=1))
        for band, count in _sorted_bands(magnitude)
    ]
    peaks, valleys = (np.stack(some).astype(np.float64) for some in zip(*extremes, strict=True))
    return np.asarray(librosa.power_to_db(peaks) - librosa.power_to_db(valleys), np.float32)


def flatness(power: FrameArray) -> FrameArray:
    """Return the geometric mean of the power by the arithmetic: 1 is noise."""
    heard = np.maximum(power, np.float32(_SOFTEST))
    mean = heard.mean(axis=1)
    return _row(np.exp(np.log(heard, out=heard).mean(axis=1)) / mean)


def rms(power: FrameArray) -> FrameArray:
    """Return the root mean square of the samples, as the window weighs them."""
    size = 2 * (power.shape[1] - 1)
    total = power.sum(axis=1) - (power[:, 0] + power[:, -1]) / 2
    return _row(np.sqrt(2 * total) / size)


def zero_crossing_rate(samples: Samples, size: int, hop: int) -> FrameArray:
    """Return the share of samples, of a frame's, before which the sign changes."""
    padded = np.pad(samples, size // 2, mode="edge")
    negative = padded < -_ZERO
    until = np.cumsum(negative[1:] != negative[:-1], dtype=np.int32)
    first = np.arange(0, len(padded) - size + 1, hop)
    # a frame's first sample has none before it
    before = np.where(first > 0, until[first - 1], 0)
    return _row((until[first + size - 2] - before) / size)


def _sorted_bands(magnitude: FrameArray) -> Iterator[tuple[FrameArray, int]]:
    """Yield the bins of each band in the order of magnitude, and how many are an extreme."""
    hertz = _hertz(magnitude)
    edges = [0.0, *(_LOW * 2.0**octave for octave in range(_OCTAVES + 1))]
    for number, (low, high) in enumerate(pairwise(edges)):
        first = int(np.searchsorted(hertz, low)) - (number > 0)
        last = int(np.searchsorted(hertz, high, side="right"))
        is_highest = number == _OCTAVES
        if is_highest:
            last = len(hertz)
        count = max(1, int(np.rint(_EXTREME * (last - first))))
        yield np.sort(magnitude[:, first : last if is_highest else last - 1], axis=1), count


def _hertz(spectrum: FrameArray) -> NDArray[np.float64]:
    return np.asarray(librosa.fft_frequencies(sr=SAMPLE_RATE, n_fft=2 * (spectrum.shape[1] - 1)))


def _row(values: NDArray[np.floating]) -> FrameArray:
    return values.astype(np.float32)[np.newaxis]
