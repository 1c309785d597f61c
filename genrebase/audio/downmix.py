"""Downmix a recording to mono, and repair faults that a plain mean would keep.

The mean of the channels is right for almost every recording, and is then used as it is. Three
faults make it wrong: channels of opposite polarity cancel each other, a silent channel halves the
level, and a constant offset (DC) distorts quiet audio. Statistics of short windows detect them; a
`MixPlan` has the weights of the channels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
FloatArray = NDArray[np.float64]

WINDOW_SECONDS: Final = 0.1
"""Length of the windows in which cancellation is tested."""
_MIN_RUN_SECONDS: Final = 1.0
"""Minimum duration of a cancellation; a shorter one is an effect in the music."""
_CANCELLED_FILE: Final = 0.03
"""Power of the mean relative to that of the channels, below which they cancel (-15 dB).
Independent channels have 1 / channels, equal ones 1."""
_CANCELLED_WINDOW: Final = 0.01
"""The same for a part of a file (-20 dB)."""
_SILENT_CHANNEL: Final = 1e-6
"""Power relative to the loudest channel, below which a channel is silent (-60 dB)."""
_SILENCE: Final = 1e-9
"""Mean square of full scale, below which there is no sound (-90 dB)."""
_MIN_OFFSET: Final = 0.005
"""Minimum offset that is removed, relative to full scale."""
_MIN_OFFSET_POWER: Final = 0.01
"""Minimum power of an offset that is removed, relative to that of the audio (-20 dB)."""
_MAX_CHANNELS: Final = 32
"""Maximum channels with statistics: more would cost more than the analysis."""


@dataclass(frozen=True, slots=True)
class _Window:
    start: int
    length: int
    """Start and end in frames."""
    products: FloatArray
    """Sums of the products of two channels (channels, channels)."""
    sums: FloatArray
    """Sums of the channels."""


@dataclass(frozen=True, slots=True)
class _FrameRange:
    """Frames whose channels are mixed with separate weights."""

    start: int
    end: int
    weights: FloatArray
    """One per channel."""


@dataclass(frozen=True, slots=True)
class MixPlan:
    """The weights of the channels where their plain mean is wrong."""

    runs: tuple[_FrameRange, ...] = ()
    offsets: FloatArray | None = None
    """The offsets to subtract from the channels; None: no offsets."""
    remarks: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether the mean of the channels is right."""
        return not self.runs and self.offsets is None

    def mix(self, block: Samples, position: int) -> Samples:
        """Return a block (frames, channels) as mono; `position` is its first frame."""
        mono: Samples = block.mean(axis=1)
        if self.offsets is not None:
            mono -= np.float32(self.offsets.mean())
        for run in self.runs:
            first, last = max(0, run.start - position), min(len(block), run.end - position)
            if first < last:
                channels = block[first:last]
                if self.offsets is not None:
                    channels = channels - self.offsets.astype(np.float32)
                mono[first:last] = channels @ run.weights.astype(np.float32)
        return mono


@dataclass(slots=True)
class ChannelStatistics:
    """Collects the statistics of blocks, and plans the mix."""

    rate: int
    position: int = 0
    windows: list[_Window] = field(default_factory=list)

    def add(self, block: Samples) -> None:
        """Add a block (frames, channels), all of it finite."""
        if block.shape[1] <= _MAX_CHANNELS:
            size = max(1, int(WINDOW_SECONDS * self.rate))
            whole = len(block) // size * size
            if whole:
                self._add_windows(block[:whole].reshape(-1, size, block.shape[1]), self.position)
            if whole < len(block):
                self._add_windows(block[None, whole:], self.position + whole)
        self.position += len(block)

    def _add_windows(self, windows: Samples, start: int) -> None:
        products = np.matmul(windows.transpose(0, 2, 1), windows).astype(np.float64)
        sums = windows.sum(axis=1, dtype=np.float64)
        size = windows.shape[1]
        for index in range(len(windows)):
            first = start + index * size
            self.windows.append(_Window(first, size, products[index], sums[index]))

    def plan(self) -> MixPlan:
        """Return the weights of the channels."""
        if not self.windows:
            return MixPlan()
        length = sum(window.length for window in self.windows)
        offsets = sum_of([window.sums for window in self.windows]) / length
        covariance = _covariance(self.windows, offsets)
        powers = covariance.diagonal()
        if powers.max() < _SILENCE:
            runs: tuple[_FrameRange, ...] = ()
            remarks = ["it is silent"]
        else:
            runs, remarks = self._runs(covariance, offsets)
        offset, power = float(offsets.mean()), float(covariance.mean())
        if abs(offset) < _MIN_OFFSET or offset**2 < _MIN_OFFSET_POWER * power:
            return MixPlan(runs, None, tuple(remarks))
        remarks.append(f"a constant offset of {offset:+.3f} (full scale is 1) was removed")
        return MixPlan(runs, offsets, tuple(remarks))

    def _runs(
        self, covariance: FloatArray, offsets: FloatArray
    ) -> tuple[tuple[_FrameRange, ...], list[str]]:
        powers = covariance.diagonal()
        sounding = powers > _SILENT_CHANNEL * powers.max()
        remarks = []
        if not sounding.all():
            silent = [number for number, sounds in enumerate(sounding, 1) if not sounds]
            remarks.append(
                f"{_channels(silent)} of {len(powers)} {'is' if len(silent) == 1 else 'are'} "
                f"silent and left out of the mix"
            )
        if _mixed_power(covariance, sounding) < _CANCELLED_FILE * powers[sounding].mean():
            weights, text = _repair(covariance, sounding)
            return (_FrameRange(0, self.position, weights),), [
                *remarks,
                f"the channels cancel each other: {text}",
            ]
        runs = []
        if not sounding.all():
            runs.append(_FrameRange(0, self.position, sounding / sounding.sum()))
        cancelled = self._cancelled_runs(sounding, offsets)
        texts = set()
        for windows in cancelled:
            weights, text = _repair(_covariance(windows, offsets), sounding)
            runs.append(
                _FrameRange(windows[0].start, windows[-1].start + windows[-1].length, weights)
            )
            texts.add(text)
        if cancelled:
            seconds = sum(run.end - run.start for run in runs[-len(cancelled) :]) / self.rate
            remarks.append(
                f"the channels cancel each other in {seconds:.1f} s: {' or '.join(sorted(texts))}"
            )
        return tuple(runs), remarks

    def _cancelled_runs(
        self, sounding: NDArray[np.bool_], offsets: FloatArray
    ) -> list[list[_Window]]:
        """Return the runs of successive windows whose channels cancel each other."""
        runs: list[list[_Window]] = [[]]
        for window in self.windows:
            covariance = _covariance([window], offsets)
            power = covariance.diagonal()[sounding].mean()
            limit = _CANCELLED_WINDOW * power
            if power > _SILENCE and _mixed_power(covariance, sounding) < limit:
                runs[-1].append(window)
            elif runs[-1]:
                runs.append([])
        min_frames = _MIN_RUN_SECONDS * self.rate
        return [run for run in runs if sum(window.length for window in run) >= min_frames]


def sum_of(arrays: Sequence[FloatArray]) -> FloatArray:
    """Return the sum of arrays of one shape."""
    return np.asarray(np.sum(arrays, axis=0), dtype=np.float64)


def _covariance(windows: Sequence[_Window], offsets: FloatArray) -> FloatArray:
    length = sum(window.length for window in windows)
    means = sum_of([window.sums for window in windows]) / length
    products = sum_of([window.products for window in windows]) / length
    crossed = np.outer(means, offsets)
    return np.asarray(products - crossed - crossed.T + np.outer(offsets, offsets))


def _mixed_power(covariance: FloatArray, sounding: NDArray[np.bool_]) -> float:
    """Return the power of the mean of the channels that are not silent."""
    return float(covariance[np.ix_(sounding, sounding)].mean())


def _repair(covariance: FloatArray, sounding: NDArray[np.bool_]) -> tuple[FloatArray, str]:
    """Return weights with which the channels do not cancel, and a description."""
    loudest = int(np.argmax(covariance.diagonal()))
    signs = np.where(covariance[loudest] < 0, -1.0, 1.0)
    signs *= signs[int(np.argmax(sounding))]  # the first channel keeps its polarity
    weights = np.where(sounding, signs, 0.0) / sounding.sum()
    power = float(weights @ covariance @ weights)
    if power < _CANCELLED_FILE * covariance.diagonal()[sounding].mean():
        alone = np.zeros(len(weights))
        alone[loudest] = 1.0
        return alone, f"only channel {loudest + 1} was used"
    reversed_channels = [number for number, weight in enumerate(weights, 1) if weight < 0]
    return weights, f"the polarity of {_channels(reversed_channels)} was reversed"


def _channels(numbers: Sequence[int]) -> str:
    listed = ", ".join(map(str, numbers))
    return f"channel {listed}" if len(numbers) == 1 else f"channels {listed}"
