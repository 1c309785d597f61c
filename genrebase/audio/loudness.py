"""Integrated loudness (LUFS, ITU-R BS.1770-4), for mono at 44,100 Hz."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from genrebase.audio.decode import SAMPLE_RATE, Samples

_SHELF: Final = (1681.974450955533, 3.999843853973347, 0.7071752369554196)
"""Frequency in Hz, gain in dB and Q of the high shelf that models the head."""
_HIGH_PASS: Final = (38.13547087602444, 0.5003270373238773)
"""Cut-off in Hz and Q: the ear is less sensitive below."""
_BLOCK, _HOP = 0.4, 0.1
"""Seconds of a gating block, and from one block to the next."""
_STEPS_AT_ONCE: Final = 100
_OFFSET: Final = -0.691
_ABSOLUTE_GATE: Final = -70.0
"""Blocks below this loudness, in LUFS, are silence."""
_RELATIVE_GATE: Final = -10.0
"""Blocks below the mean plus this, in LU, do not count."""


def integrated_loudness(samples: Samples) -> float | None:
    """Return the loudness in LUFS (K-weighted, relative to full scale); None for silence."""
    steps = _energies(samples)
    per_block = round(_BLOCK / _HOP)
    summed = np.concatenate([[0.0], np.cumsum(steps)])
    blocks = max(1, len(steps) - per_block + 1)
    ends = np.minimum(np.arange(blocks) + per_block, len(steps))
    power = (summed[ends] - summed[:blocks]) / int(_BLOCK * SAMPLE_RATE)
    loud = power[_lufs(power) > _ABSOLUTE_GATE]
    if len(loud) == 0:
        return None
    gated = loud[_lufs(loud) > _lufs(loud.mean()) + _RELATIVE_GATE]
    return float(_lufs(gated.mean()))


def _energies(samples: Samples) -> NDArray[np.float64]:
    """Return the energy of the K-weighted signal in every whole step of 0.1 s.

    In chunks: long audio in double precision would fill the memory.
    """
    step = int(_HOP * SAMPLE_RATE)
    filters = [_shelf(), _high_pass()]
    states = [np.zeros(len(a) - 1) for _, a in filters]
    energies = []
    for first in range(0, len(samples) // step * step, step * _STEPS_AT_ONCE):
        chunk = samples[first : first + step * _STEPS_AT_ONCE].astype(np.float64)
        for index, (b, a) in enumerate(filters):
            chunk, states[index] = lfilter(b, a, chunk, zi=states[index])
        whole = chunk[: len(chunk) // step * step].reshape(-1, step)
        energies.append(np.square(whole).sum(axis=1))
    return np.concatenate(energies) if energies else np.zeros(1)


def _lufs(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(_OFFSET + 10.0 * np.log10(np.maximum(power, 1e-12)))


def _shelf() -> tuple[list[float], list[float]]:
    hertz, decibels, q = _SHELF
    k, high = np.tan(np.pi * hertz / SAMPLE_RATE), 10.0 ** (decibels / 20.0)
    band = high**0.4996667741545416
    norm = 1.0 + k / q + k * k
    b = [high + band * k / q + k * k, 2.0 * (k * k - high), high - band * k / q + k * k]
    a = [norm, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k]
    return [value / norm for value in b], [value / norm for value in a]


def _high_pass() -> tuple[list[float], list[float]]:
    hertz, q = _HIGH_PASS
    k = np.tan(np.pi * hertz / SAMPLE_RATE)
    norm = 1.0 + k / q + k * k
    return [1.0, -2.0, 1.0], [1.0, 2.0 * (k * k - 1.0) / norm, (1.0 - k / q + k * k) / norm]
