"""Features over time (spectrograms, segments) for a network: unpacked and standardised."""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from genrebase.audio import packed_matrices

CHANNELS: Final = packed_matrices.CHANNELS
"""Channels of each kind of matrix that a model may use; the columns are called so."""
VERSION: Final = 1
"""Of their format: others are left out."""
MAX_STEPS: Final = 1_000
"""Steps that are used, from the middle."""

_HALF: Final = np.dtype("<f2")
_SAMPLE: Final = 1_000
"""Tracks that means and scales are computed from."""


@dataclass(frozen=True, slots=True)
class Sequences:
    """The sequences of tracks, of one kind, one after another."""

    kind: str
    values: NDArray[np.float16]
    """(steps of all tracks, channels), finite."""
    ends: NDArray[np.int64]
    """Where the sequence of each track ends, after a 0; equal to the one before without any."""
    means: NDArray[np.float32]
    scales: NDArray[np.float32]


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

    def transform(self, X: pd.DataFrame) -> Sequences:
        """Return the matrices of each row."""
        views = [_half_view(one, self.kind) for one in packed_column(X, self.kind)]
        ends = np.cumsum([0, *map(len, views)], dtype=np.int64)
        values = np.empty((int(ends[-1]), CHANNELS[self.kind]), dtype=np.float16)
        for start, view in zip(ends, views, strict=False):
            values[start : start + len(view)] = view
        np.nan_to_num(values, copy=False)
        return Sequences(self.kind, values, ends, self.means_, self.scales_)


def packed_column(frame: pd.DataFrame, kind: str) -> NDArray[np.object_]:
    """Return the packed matrices of a kind; None where a row has none."""
    packed = np.full(len(frame), None, dtype=object)
    if kind in frame.columns:
        for place, value in enumerate(frame[kind]):
            packed[place] = value if isinstance(value, bytes) and value else None
    return packed


def unpack(packed: Any, kind: str) -> NDArray[np.float32]:
    """Return (steps, channels), of a longer one the middle; no step for None."""
    return np.nan_to_num(_half_view(packed, kind).astype(np.float32))


def _half_view(packed: Any, kind: str) -> NDArray[np.float16]:
    """Return (steps, channels) as a view of the bytes."""
    channels = CHANNELS[kind]
    if packed is None:
        return np.zeros((0, channels), dtype=np.float16)
    rows = np.frombuffer(packed, _HALF).reshape(-1, channels)
    first = max(0, (len(rows) - MAX_STEPS) // 2)
    return rows[first : first + MAX_STEPS]
