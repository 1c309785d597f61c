"""Numbers for a neural network: piecewise linear, and periodic functions of their ranks."""

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from scipy import special
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from classifier.arrays import Floats
from classifier.features.audio import Matrix, NumericFeatures
from classifier.features.piecewise_linear import PiecewiseLinearEncoder

N_FREQUENCIES: Final = 8
"""Per column."""
DEVIATION: Final = 0.3
"""Of the frequencies, in periods per standard deviation; 0.1 gained nothing."""
N_QUANTILES: Final = 500
_SHARES: Final[Floats] = np.linspace(0, 1, N_QUANTILES)
CLIP: Final = 3.0
"""Standard deviations."""
_SEED: Final = 0
"""Of the frequencies: the same in all models."""


class PeriodicEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """The columns of `PiecewiseLinearEncoder`, and sines and cosines of each number.

    Each column is first turned into a normal distribution by its quantiles; then it is multiplied
    by random frequencies (Gorishniy et al., NeurIPS 2022, who learn them). Bins show a network
    where a number is; periodic functions of several frequencies let it fit smooth curves. A
    missing value is the median.
    """

    def __init__(self, groups: tuple[str, ...]) -> None:
        self.groups = groups

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Fit bins and quantiles, and draw the frequencies."""
        self.linear_ = PiecewiseLinearEncoder(self.groups).fit(X)
        self.numbers_ = NumericFeatures(self.groups).fit(X)
        matrix = self.numbers_.transform(X)
        self.quantiles_ = np.zeros((N_QUANTILES, matrix.shape[1]), dtype=np.float32)
        for column, values in enumerate(matrix.T):
            finite = values[np.isfinite(values)]
            if len(finite):
                self.quantiles_[:, column] = np.quantile(finite, _SHARES)
        random = np.random.default_rng(_SEED)
        frequencies = random.normal(0, DEVIATION, (matrix.shape[1], N_FREQUENCIES))
        self.frequencies_ = (frequencies * 2 * np.pi).astype(np.float32)
        return self

    def transform(self, X: pd.DataFrame) -> Matrix:
        """Return one row of finite float32 numbers per row of `X`."""
        check_is_fitted(self)
        normal = self._normal(self.numbers_.transform(X))
        angles = (normal[:, :, np.newaxis] * self.frequencies_).reshape(len(X), -1)
        return np.hstack([self.linear_.transform(X), np.sin(angles), np.cos(angles)])

    def _normal(self, matrix: Matrix) -> Matrix:
        """Return normally distributed columns; 0 for a missing value."""
        normal = np.zeros_like(matrix)
        for column, values in enumerate(matrix.T):
            quantiles = self.quantiles_[:, column]
            below = np.interp(values, quantiles, _SHARES)  # of equal ones the last share
            above = np.interp(-values, -quantiles[::-1], -_SHARES[::-1])  # the first
            normal[:, column] = special.ndtri((below - above) / 2).clip(-CLIP, CLIP)
        return np.nan_to_num(normal)
