"""Spectral features of each frame: centroid, bandwidth, rolloff, contrast, flatness, RMS, ZCR.

MFCCs and the mel spectrum are in `frame_features`.

The values are librosa's (see `frame_features`), from shared sums: centroid and bandwidth are
moments of one distribution. A spectrum is shaped (frames, bins), from 0 Hz to half of
`SAMPLE_RATE`; results are shaped (values, frames).
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import librosa
import numpy as np
from numpy.typing import NDArray

from genrebase.audio.decode import SAMPLE_RATE, Samples

FrameArray = NDArray[np.float32]

_ROLLOFF_SHARE: Final = 0.85
"""Share of the magnitude below the rolloff: librosa's default, like all constants here."""
_OCTAVES: Final = 6
"""Bands of the contrast, besides one for all lower frequencies."""
_MIN_HZ: Final = 200.0
"""Lower edge of the first octave, in Hz."""
_QUANTILE: Final = 0.02
"""Share of a band's bins in its peak, and in its valley."""
_MIN_POWER: Final = 1e-10
"""Lower power is clipped to this."""
_FRAMES_AT_ONCE: Final = 256
"""Chunk size: so many frames in double precision fit into the processor's cache."""
_ZERO: Final = 1e-10
"""Samples of at most this magnitude count as zero."""


def centroid_and_bandwidth(magnitude: FrameArray) -> tuple[FrameArray, FrameArray]:
    """Return mean and standard deviation of the frequency, weighted by magnitude, in Hz."""
    hertz = _hertz(magnitude)
    powers = np.stack([np.ones_like(hertz), hertz, hertz**2], axis=1)
    # double precision, because the variance is a small difference of large numbers
    starts = range(0, len(magnitude), _FRAMES_AT_ONCE)
    moments = [magnitude[at : at + _FRAMES_AT_ONCE].astype(np.float64) @ powers for at in starts]
    total, first, second = np.concatenate(moments).T
    total = np.where(total > 0, total, 1.0)
    mean = first / total
    variance = np.maximum(second / total - mean**2, 0.0)
    return _row(mean), _row(np.sqrt(variance))


def rolloff(magnitude: FrameArray) -> FrameArray:
    """Return the frequency up to which 85% of the magnitude lies, in Hz."""
    summed = np.cumsum(magnitude, axis=1)
    reached = summed >= _ROLLOFF_SHARE * summed[:, -1:]
    return _row(_hertz(magnitude)[reached.argmax(axis=1)])


def contrast(magnitude: FrameArray) -> FrameArray:
    """Return the difference between peaks and valleys of each octave, in dB; the lowest first."""
    extremes = [
        (band[:, -count:].mean(axis=1), band[:, :count].mean(axis=1))
        for band, count in _sorted_bands(magnitude)
    ]
    peaks, valleys = (np.stack(bands).astype(np.float64) for bands in zip(*extremes, strict=True))
    return np.asarray(librosa.power_to_db(peaks) - librosa.power_to_db(valleys), np.float32)


def flatness(power: FrameArray) -> FrameArray:
    """Return the geometric mean of the power divided by the arithmetic mean: 1 is noise."""
    clipped = np.maximum(power, np.float32(_MIN_POWER))
    mean = clipped.mean(axis=1)
    return _row(np.exp(np.log(clipped, out=clipped).mean(axis=1)) / mean)


def rms(power: FrameArray) -> FrameArray:
    """Return the root mean square of the windowed samples."""
    size = 2 * (power.shape[1] - 1)
    total = power.sum(axis=1) - (power[:, 0] + power[:, -1]) / 2
    return _row(np.sqrt(2 * total) / size)


def zero_crossing_rate(samples: Samples, size: int, hop: int) -> FrameArray:
    """Return the share of a frame's samples whose sign differs from the one before."""
    padded = np.pad(samples, size // 2, mode="edge")
    negative = padded < -_ZERO
    crossings = np.cumsum(negative[1:] != negative[:-1], dtype=np.int32)
    first = np.arange(0, len(padded) - size + 1, hop)
    # the first sample of the signal has no predecessor
    before = np.where(first > 0, crossings[first - 1], 0)
    return _row((crossings[first + size - 2] - before) / size)


def _sorted_bands(magnitude: FrameArray) -> Iterator[tuple[FrameArray, int]]:
    """Yield the bins of each band sorted by magnitude, and the size of its peak and valley."""
    hertz = _hertz(magnitude)
    edges = [0.0, *(_MIN_HZ * 2.0**octave for octave in range(_OCTAVES + 1))]
    for number, (low, high) in enumerate(pairwise(edges)):
        first = int(np.searchsorted(hertz, low)) - (number > 0)
        last = int(np.searchsorted(hertz, high, side="right"))
        is_highest = number == _OCTAVES
        if is_highest:
            last = len(hertz)
        count = max(1, int(np.rint(_QUANTILE * (last - first))))
        yield np.sort(magnitude[:, first : last if is_highest else last - 1], axis=1), count


def _hertz(spectrum: FrameArray) -> NDArray[np.float64]:
    return np.asarray(librosa.fft_frequencies(sr=SAMPLE_RATE, n_fft=2 * (spectrum.shape[1] - 1)))


def _row(values: NDArray[np.floating]) -> FrameArray:
    return values.astype(np.float32)[np.newaxis]
