"""Tracks that lie alone: DBSCAN's noise, without its clusters. Pure."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

MIN_TRACKS: Final = 30
"""Among fewer tracks nobody can say what is usual."""


def dbscan_noise(points: NDArray[np.float64], eps: float | None = None) -> NDArray[np.bool_]:
    """Tell which points DBSCAN would call noise: neither in a dense place nor within reach of one.

    `points` are standardised and complete. Dense is a place with `smallest` points
    within `eps`, which is taken from the data where it is None (`knee`). Only the
    nearest neighbours are kept, never all of them, so that memory grows with the points alone.
    """
    few = smallest(points.shape[1], len(points))
    distances = _nearest(points, points, few + 1)
    near = knee(distances[:, -1]) if eps is None else eps
    dense = distances[:, few - 1] <= near  # the point itself is the first of them
    if dense.all() or not dense.any():
        return ~dense
    alone = ~dense
    alone[alone] = _nearest(points[dense], points[alone], 1)[:, 0] > near
    return alone


def dbscan_noise_per_genre(
    points: NDArray[np.float64], labels: NDArray[np.str_]
) -> NDArray[np.bool_]:
    """Tell which points lie alone among those of their own genre; small genres keep all."""
    alone = np.zeros(len(points), dtype=bool)
    for genre in np.unique(labels):
        own = labels == genre
        if own.sum() >= MIN_TRACKS:
            alone[own] = dbscan_noise(points[own])
    return alone


def smallest(dimensions: int, points: int) -> int:
    """Return how many neighbours make a place dense: twice the dimensions (Sander, 1998)."""
    return max(2, min(2 * dimensions, points - 1))


def knee(values: NDArray[np.float64]) -> float:
    """Return the knee of sorted distances.

    The place farthest below the line from the first to the last (Satopää et al., 2011).
    """
    distances = np.sort(values)
    span = distances[-1] - distances[0]
    if span == 0:
        return float(distances[0]) or 1.0
    along = np.linspace(0, 1, len(distances))
    return float(distances[np.argmax(along - (distances - distances[0]) / span)]) or 1.0


def _nearest(
    among: NDArray[np.float64], asked: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    found = NearestNeighbors(n_neighbors=count, n_jobs=1).fit(among).kneighbors(asked)[0]
    return np.asarray(found, dtype=np.float64)
