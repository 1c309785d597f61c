"""Numbers for a network with embeddings: scaled, missing values masked, categories as codes."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from classifier.features.audio import Matrix, NumericFeatures
from classifier.features.piecewise_linear import CLIP, quantile_bins


@dataclass(frozen=True, slots=True)
class DenseInputs:
    """The numbers and categories of tracks."""

    values: Matrix
    """(tracks, `width`): finite numbers of about unit scale."""
    codes: NDArray[np.int64]
    """(tracks, categories): 0 where unknown, the others from 1."""


class DenseEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Turn frames into numbers and codes, none of them missing.

    A number is there standardised and piecewise linear (see `PiecewiseLinearEncoder`), both 0
    where it is unknown, with a mask that is 1 there. Categories stay codes, for embeddings.
    """

    def __init__(self, groups: tuple[str, ...]) -> None:
        self.groups = groups

    def fit(self, X: pd.DataFrame) -> Self:
        """Fit means, scales, quantiles and the number of categories."""
        self.features_ = NumericFeatures(self.groups)
        matrix = self.features_.fit_transform(X)
        self.is_category_ = np.zeros(matrix.shape[1], dtype=bool)
        self.is_category_[self.features_.categorical] = True
        numbers, codes = matrix[:, ~self.is_category_], matrix[:, self.is_category_]
        self.has_missing_ = np.isnan(numbers).any(axis=0)
        finite = np.isfinite(numbers)
        counts = np.maximum(finite.sum(axis=0), 1)
        self.means_ = (np.where(finite, numbers, 0).sum(axis=0) / counts).astype(np.float32)
        off = np.where(finite, numbers - self.means_, 0)
        scales = np.sqrt((off * off).sum(axis=0) / counts)
        self.scales_ = np.where(scales > 0, scales, 1).astype(np.float32)
        self.bin_columns_, self.bin_starts_, self.bin_widths_ = quantile_bins(numbers)
        self.sizes_ = [
            2 + int(np.nan_to_num(column, nan=-1).max(initial=-1)) for column in codes.T
        ]
        return self

    def transform(self, X: pd.DataFrame) -> DenseInputs:
        """Return the network's inputs of each row."""
        matrix = self.features_.transform(X)
        numbers, codes = matrix[:, ~self.is_category_], matrix[:, self.is_category_]
        scaled = ((numbers - self.means_) / self.scales_).clip(-CLIP, CLIP)
        shares = (numbers[:, self.bin_columns_] - self.bin_starts_) / self.bin_widths_
        flags = np.isnan(numbers)[:, self.has_missing_]
        values = np.hstack([np.nan_to_num(scaled), flags, np.nan_to_num(shares.clip(0, 1))])
        return DenseInputs(values.astype(np.float32), np.nan_to_num(codes + 1).astype(np.int64))

    @property
    def width(self) -> int:
        """Return how many numbers a track has."""
        return len(self.means_) + int(self.has_missing_.sum()) + len(self.bin_starts_)
