"""Numbers for a neural network: imputed, standardised, and encoded piecewise linearly."""

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from classifier.features import imputation
from classifier.features.audio import Matrix, NumericFeatures

N_BINS: Final = 16
"""Per column; 8 and 32 were a little worse."""
CLIP: Final = 10.0
"""Standard deviations: farther outside of the training data a value means no more."""


class PiecewiseLinearEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Turn frames into numbers of about unit scale, none of them missing.

    Each column is there once standardised, once as a flag of missing values (if it has any), and
    once piecewise linear: for each of its quantile bins the share of it below the value (Gorishniy
    et al., NeurIPS 2022). A network alone sees no spike at 0 and no step; with the bins it was
    0.03 more accurate on 114 genres. Missing values are medians.
    """

    def __init__(self, groups: tuple[str, ...]) -> None:
        self.groups = groups

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Fit means, scales, medians and quantiles."""
        self.features_ = NumericFeatures(self.groups, one_hot=True)
        matrix = self.features_.fit_transform(X)
        self.has_missing_ = np.isnan(matrix).any(axis=0)
        self.medians_ = imputation.column_medians(matrix)
        filled = imputation.impute(matrix, self.medians_)
        self.means_ = filled.mean(axis=0)
        scales = filled.std(axis=0)
        self.scales_ = np.where(scales > 0, scales, np.float32(1))
        self.bin_columns_, self.bin_starts_, self.bin_widths_ = quantile_bins(matrix)
        return self

    def transform(self, X: pd.DataFrame) -> Matrix:
        """Return one row of finite float32 numbers per row of `X`."""
        check_is_fitted(self)
        matrix = self.features_.transform(X)
        filled = imputation.impute(matrix, self.medians_)
        scaled = ((filled - self.means_) / self.scales_).clip(-CLIP, CLIP)
        shares = (filled[:, self.bin_columns_] - self.bin_starts_) / self.bin_widths_
        flags = np.isnan(matrix)[:, self.has_missing_]
        return np.asarray(np.hstack([scaled, flags, shares.clip(0, 1)]), dtype=np.float32)


def quantile_bins(matrix: Matrix) -> tuple[NDArray[np.intp], Matrix, Matrix]:
    """Return the column, start and width of every quantile bin.

    A column of two values or fewer has none: unencoded it has the same information.
    """
    columns, starts, widths = [], [np.zeros(0, np.float32)], [np.zeros(0, np.float32)]
    for column, values in enumerate(matrix.T):
        finite = values[np.isfinite(values)]
        if len(finite) == 0:
            continue
        edges = np.unique(np.quantile(finite, np.linspace(0, 1, N_BINS + 1)).astype(np.float32))
        if len(edges) > 2:
            columns += [column] * (len(edges) - 1)
            starts.append(edges[:-1])
            widths.append(np.diff(edges))
    return np.array(columns, dtype=np.intp), np.concatenate(starts), np.concatenate(widths)
