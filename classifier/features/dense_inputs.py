"""Numbers as a network with embeddings takes them: scaled, gaps masked, categories apart."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from classifier.features.audio import Matrix, NumericFeatures
from classifier.features.piecewise_linear import quantile_bins

CLIP: Final = 10.0
"""Standard deviations: far outside of what was learned from, a value says no more."""


@dataclass(frozen=True, slots=True)
class DenseInputs:
    """Tracks as a network takes them."""

    values: Matrix
    """(tracks, `width`): finite numbers of about unit scale."""
    codes: NDArray[np.int64]
    """(tracks, categories): 0 where unknown, the others from 1."""


class DenseEncoder(BaseEstimator):  # type: ignore[misc]  # untyped there
    """Turn frames into numbers and codes, none of them missing.

    A number stands there standardised and piecewise linear (see `PieceFeatures`), both 0 where it
    is unknown, and beside them a mask that is 1 there. Categories stay codes, for embeddings.
    """

    def __init__(self, groups: tuple[str, ...]) -> None:
        self.groups = groups

    def fit_transform(self, X: pd.DataFrame) -> DenseInputs:
        """Learn means, scales and quantiles, and return what `transform` would."""
        self.features_ = NumericFeatures(self.groups)
        matrix = self.features_.fit_transform(X)
        self.coded_ = np.zeros(matrix.shape[1], dtype=bool)
        self.coded_[self.features_.categorical] = True
        numbers, codes = matrix[:, ~self.coded_], matrix[:, self.coded_]
        self.gaps_ = np.isnan(numbers).any(axis=0)
        known = np.isfinite(numbers)
        counted = np.maximum(known.sum(axis=0), 1)
        self.means_ = (np.where(known, numbers, 0).sum(axis=0) / counted).astype(np.float32)
        off = np.where(known, numbers - self.means_, 0)
        scales = np.sqrt((off * off).sum(axis=0) / counted)
        self.scales_ = np.where(scales > 0, scales, 1).astype(np.float32)
        cuts = [quantile_bins(column) for column in numbers.T]
        self.cut_ = np.repeat(np.arange(len(cuts)), [len(low) for low, _ in cuts])
        self.low_ = np.concatenate([low for low, _ in cuts] or [_NONE])
        self.span_ = np.concatenate([span for _, span in cuts] or [_NONE])
        self.sizes_ = [1 + _most(column) for column in codes.T]
        return self._transformed(matrix)

    def transform(self, X: pd.DataFrame) -> DenseInputs:
        """Return what a network takes of each row."""
        return self._transformed(self.features_.transform(X))

    @property
    def width(self) -> int:
        """Return how many numbers a track has."""
        return len(self.means_) + int(self.gaps_.sum()) + len(self.low_)

    def _transformed(self, matrix: Matrix) -> DenseInputs:
        numbers, codes = matrix[:, ~self.coded_], matrix[:, self.coded_]
        missing = np.isnan(numbers)
        scaled = ((numbers - self.means_) / self.scales_).clip(-CLIP, CLIP)
        pieces = ((numbers[:, self.cut_] - self.low_) / self.span_).clip(0, 1)
        values = np.hstack([np.nan_to_num(scaled), missing[:, self.gaps_], np.nan_to_num(pieces)])
        return DenseInputs(values.astype(np.float32), np.nan_to_num(codes + 1).astype(np.int64))


_NONE: Final = np.zeros(0, dtype=np.float32)


def _most(codes: NDArray[Any]) -> int:
    """Return the number of known categories in a column of codes from 0."""
    known = codes[np.isfinite(codes)]
    return int(known.max()) + 1 if len(known) else 0
