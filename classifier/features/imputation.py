"""Imputation of missing values by the column median of the training tracks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def column_medians(matrix: NDArray[Any]) -> NDArray[Any]:
    """Return the median of the finite values of each column; 0 where there are none."""
    medians = np.zeros(matrix.shape[1], dtype=matrix.dtype)
    for column, values in enumerate(matrix.T):
        finite = values[np.isfinite(values)]
        if len(finite):
            medians[column] = np.median(finite)
    return medians


def impute(matrix: NDArray[Any], medians: NDArray[Any]) -> NDArray[Any]:
    """Return the matrix with each NaN replaced by its column's median."""
    return np.where(np.isnan(matrix), medians, matrix)
