"""Features over time (spectrograms, segments) for a network: unpacked and standardised."""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

CHANNELS: Final = {"logmel": 64, "segments": 26}
"""Channels of each kind of matrix that a model may use; the columns are called so."""
VERSION: Final = 1
"""Of their format: others are left out."""
MAX_STEPS: Final = 1_000
"""Steps that are used, from the middle."""

_HALF: Final = np.dtype("<f2")
_SAMPLE: Final = 1_000
"""Tracks that means and scales are computed from."""


@dataclass(frozen=True, slots=True)
class PackedSequences:
    """The sequences of tracks, of one kind."""

    kind: str
    packed: NDArray[np.object_]
    """Per track little-endian float16 by rows, or None."""
    means: NDArray[np.float32]
    scales: NDArray[np.float32]

    def batch(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return (tracks, channels, steps) of some tracks, 0 after their end, and their steps.

        A track without any has 0 steps; the array has one at least.
        """
        sequences = [unpack(self.packed[row], self.kind) for row in rows]
        steps = np.array([len(one) for one in sequences], dtype=np.int64)
        longest = max(1, int(steps.max(initial=0)))
        padded = np.zeros((len(rows), len(self.means), longest), dtype=np.float32)
        for place, sequence in enumerate(sequences):
            padded[place, :, : len(sequence)] = ((sequence - self.means) / self.scales).T
        return padded, steps


class SequenceEncoder(BaseEstimator):  # type: ignore[misc]  # untyped there
    """Take the matrices of one kind out of frames, and fit their channels' means and scales."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def fit(self, X: pd.DataFrame) -> Self:
        """Fit to up to 1,000 tracks that have some, spread over all of them."""
        packed = [one for one in packed_column(X, self.kind) if one is not None]
        places = np.unique(np.linspace(0, max(len(packed) - 1, 0), _SAMPLE, dtype=int))
        sample = [unpack(packed[place], self.kind) for place in places if packed]
        rows = np.concatenate(sample or [np.zeros((1, CHANNELS[self.kind]), dtype=np.float32)])
        self.means_ = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        scales = rows.std(axis=0, dtype=np.float64)
        self.scales_ = np.where(scales > 0, scales, 1).astype(np.float32)
        return self

    def transform(self, X: pd.DataFrame) -> PackedSequences:
        """Return the matrices of each row."""
        return PackedSequences(self.kind, packed_column(X, self.kind), self.means_, self.scales_)


def packed_column(frame: pd.DataFrame, kind: str) -> NDArray[np.object_]:
    """Return the packed matrices of a kind; None where a row has none."""
    packed = np.full(len(frame), None, dtype=object)
    if kind in frame.columns:
        for place, value in enumerate(frame[kind]):
            packed[place] = value if isinstance(value, bytes) and value else None
    return packed


def unpack(packed: Any, kind: str) -> NDArray[np.float32]:
    """Return (steps, channels), of a longer one the middle; no step for None."""
    channels = CHANNELS[kind]
    if packed is None:
        return np.zeros((0, channels), dtype=np.float32)
    rows = np.frombuffer(packed, _HALF).reshape(-1, channels)
    first = max(0, (len(rows) - MAX_STEPS) // 2)
    return np.nan_to_num(rows[first : first + MAX_STEPS].astype(np.float32))
