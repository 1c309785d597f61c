"""Outlier detection: the noise of DBSCAN, without its clusters. Pure."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from classifier.arrays import Floats, Mask

MIN_TRACKS_FOR_OUTLIERS: Final = 30
"""Fewer tracks do not define what is usual."""


def dbscan_noise(points: Floats, eps: float | None = None) -> Mask:
    """Return which points DBSCAN would call noise: not dense, nor within `eps` of a dense one.

    `points` are standardised and complete. A point with `min_samples` points within `eps` is
    dense; `eps` is estimated where it is None (`knee`). Only the nearest neighbours are
    kept, never all of them, so that memory grows with the points alone.
    """
    n_dense = min_samples(points.shape[1], len(points))
    distances = nearest_distances(points, points, n_dense + 1)
    eps = knee(distances[:, -1]) if eps is None else eps
    dense = distances[:, n_dense - 1] <= eps  # the point itself is the first of them
    if dense.all() or not dense.any():
        return ~dense
    noise = ~dense
    noise[noise] = nearest_distances(points[dense], points[noise], 1)[:, 0] > eps
    return noise


def dbscan_noise_per_genre(points: Floats, labels: NDArray[np.str_]) -> Mask:
    """Return which points are noise among those of their own genre; small genres keep all."""
    noise = np.zeros(len(points), dtype=bool)
    for genre in np.unique(labels):
        own = labels == genre
        if own.sum() >= MIN_TRACKS_FOR_OUTLIERS:
            noise[own] = dbscan_noise(points[own])
    return noise


def min_samples(dimensions: int, points: int) -> int:
    """Return DBSCAN's min_samples: twice the dimensions (Sander, 1998)."""
    return max(2, min(2 * dimensions, points - 1))


def knee(values: Floats) -> float:
    """Return the knee of sorted distances.

    The point farthest below the line from the first to the last (Satopää et al., 2011).
    """
    distances = np.sort(values)
    span = distances[-1] - distances[0]
    if span == 0:
        return float(distances[0]) or 1.0
    along = np.linspace(0, 1, len(distances))
    return float(distances[np.argmax(along - (distances - distances[0]) / span)]) or 1.0


def nearest_distances(points: Floats, queries: Floats, count: int) -> Floats:
    """Return the distances (queries, `count`) to the nearest points."""
    neighbours = NearestNeighbors(n_neighbors=count, n_jobs=1).fit(points)
    return np.asarray(neighbours.kneighbors(queries)[0], dtype=np.float64)
