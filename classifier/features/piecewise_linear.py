"""Numbers as a network likes them: scaled, and cut into pieces at their quantiles."""

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from classifier.features.audio import Matrix, NumericFeatures

N_BINS: Final = 16
"""Per column; 8 and 32 were a little worse."""


class PiecewiseLinearEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Turn frames into numbers of about unit scale, none of them missing.

    Each column stands there once standardised, once as whether it is missing (if it ever is), and
    once piecewise linear: for each of its quantile ranges how much of it the value has filled
    (Gorishniy et al., NeurIPS 2022). A network alone sees no spike at 0 and no step; with the
    pieces it was 0.03 more accurate on 114 genres. Missing values are medians.
    """

    def __init__(self, groups: tuple[str, ...]) -> None:
        self.groups = groups

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's names
        """Learn means, scales, medians and quantiles."""
        self.fit_transform(X)
        return self

    def fit_transform(self, X: pd.DataFrame, y: Any = None) -> Matrix:  # noqa: ARG002 - scikit-learn's names
        """Learn, and return what `transform` would."""
        self.features_ = NumericFeatures(self.groups, one_hot=True)
        matrix = self.features_.fit_transform(X)
        missing = np.isnan(matrix)
        self.gaps_ = missing.any(axis=0)
        self.medians_ = np.array([_median(column) for column in matrix.T], dtype=np.float32)
        filled = np.where(missing, self.medians_, matrix)
        self.means_ = filled.mean(axis=0)
        scales = filled.std(axis=0)
        self.scales_ = np.where(scales > 0, scales, np.float32(1))
        cuts = [quantile_bins(column) for column in matrix.T]
        none = np.zeros(0, dtype=np.float32)  # groups may have no column at all
        self.cut_ = np.repeat(np.arange(len(cuts)), [len(low) for low, _ in cuts]).astype(np.intp)
        self.low_ = np.concatenate([none, *(low for low, _ in cuts)]).astype(np.float32)
        self.width_ = np.concatenate([none, *(width for _, width in cuts)]).astype(np.float32)
        return self._transformed(matrix)

    def transform(self, X: pd.DataFrame) -> Matrix:
        """Return one row of finite numbers per row of `X`."""
        check_is_fitted(self)
        return self._transformed(self.features_.transform(X))

    def _transformed(self, matrix: Matrix) -> Matrix:
        missing = np.isnan(matrix)
        filled = np.where(missing, self.medians_, matrix)
        # Far outside of what was learned from, a value says no more than at the border.
        scaled = ((filled - self.means_) / self.scales_).clip(-_FAR, _FAR)
        pieces = ((filled[:, self.cut_] - self.low_) / self.width_).clip(0, 1)
        found = np.hstack([scaled, missing[:, self.gaps_], pieces])
        return np.asarray(found, dtype=np.float32)


_FAR: Final = 10.0
"""Standard deviations."""


def _median(column: NDArray[np.float32]) -> np.float32:
    known = column[np.isfinite(column)]
    return np.float32(np.median(known)) if len(known) else np.float32(0)


def quantile_bins(column: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return where the pieces of a column begin, and how wide they are; none for two values."""
    known = column[np.isfinite(column)]
    if len(known) == 0:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    cuts = np.unique(np.quantile(known, np.linspace(0, 1, N_BINS + 1)).astype(np.float32))
    if len(cuts) <= 2:  # yes or no: already there
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    return cuts[:-1], np.diff(cuts)
