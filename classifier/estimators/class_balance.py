"""Class imbalance: oversampling of rare genres (SMOTE), and class weights."""

from typing import Final

import numpy as np
from imblearn.over_sampling import SMOTE, SMOTENC

from classifier.arrays import Floats, Mask
from classifier.errors import BadTrainingConfig
from classifier.features.audio import Matrix
from classifier.ports import Labels

_NEIGHBOURS: Final = 5
"""Tracks of its genre that SMOTE considers around a track (Chawla et al., 2002)."""
_MAX_BINARY_VALUES: Final = 2
"""A column of so many different values is binary: SMOTE does not interpolate it."""
_MISSING_CATEGORY: Final = -1.0
"""Code of a missing category, while SMOTE-NC treats it as one."""


def oversample(
    matrix: Matrix, labels: Labels, *, categorical: list[int], seed: int
) -> tuple[Matrix, Labels]:
    """Return every genre with as many tracks as the largest; those of one track stay so.

    The synthetic tracks (SMOTE) follow the real ones. `categorical` are the columns of codes.
    """
    genres, counts = np.unique(labels, return_counts=True)
    largest = int(counts.max())
    small = counts[(counts > 1) & (counts < largest)]
    if len(small) == 0:
        return matrix, labels
    discrete = binary_columns(matrix)
    discrete[categorical] = True
    if discrete.all():
        raise BadTrainingConfig(
            "SMOTE interpolates between two tracks: it needs a numeric feature."
        )
    options = {
        "sampling_strategy": {
            genre: largest for genre, count in zip(genres, counts, strict=True) if count > 1
        },
        "k_neighbors": min(_NEIGHBOURS, int(small.min()) - 1),
        "random_state": seed,
    }
    columns = np.flatnonzero(discrete).tolist()
    sampler = SMOTENC(columns, **options) if columns else SMOTE(**options)
    filled = np.where(np.isnan(matrix), np.float32(_MISSING_CATEGORY), matrix)
    resampled, new_labels = sampler.fit_resample(filled, labels)
    codes = resampled[:, categorical]
    resampled[:, categorical] = np.where(codes == _MISSING_CATEGORY, np.nan, codes)
    return resampled, np.asarray(new_labels)


def balanced_weights(labels: Labels, weights: Floats | None = None) -> Floats:
    """Return weights of tracks by which the genres count the same; their sum stays what it was."""
    own = np.ones(len(labels)) if weights is None else weights
    genres, codes = np.unique(labels, return_inverse=True)
    sizes = np.bincount(codes, weights=own)
    return np.asarray(own * own.sum() / (len(genres) * sizes[codes]))


def binary_columns(matrix: Matrix) -> Mask:
    """Return which columns have two different values at most."""
    return np.array(
        [len(np.unique(column)) <= _MAX_BINARY_VALUES for column in matrix.T], dtype=bool
    )
