"""Outlier detection by DBSCAN's noise."""

import numpy as np
import pytest
from sklearn.cluster import DBSCAN

from classifier.estimators import outliers
from classifier.findings import clustering

RANDOM = np.random.default_rng(0)
CLOUDS = np.vstack([RANDOM.normal(centre, 0.3, size=(120, 3)) for centre in (-2, 2)])


@pytest.mark.parametrize("eps", [0.2, 0.35, 0.5, 0.8, None])
def test_outliers_are_dbscan_noise(eps: float | None) -> None:
    """The same points, at any `eps`."""
    points = np.vstack([CLOUDS, RANDOM.uniform(-4, 4, size=(40, 3))])
    few = outliers.min_samples(3, len(points))
    near = clustering.estimate_eps(points, few) if eps is None else eps
    expected = DBSCAN(eps=near, min_samples=few).fit_predict(points) == -1
    assert 0 < expected.sum() < len(points)
    assert (outliers.dbscan_noise(points, eps) == expected).all()


def test_without_a_dense_point_everything_is_noise() -> None:
    """As in DBSCAN; an estimated `eps` is never so small."""
    assert outliers.dbscan_noise(CLOUDS, 1e-6).all()
    assert not outliers.dbscan_noise(CLOUDS).all()


def test_distant_points_are_outliers() -> None:
    """Nearly no other points are."""
    points = np.vstack([CLOUDS, np.full((1, 3), 30.0)])
    result = outliers.dbscan_noise(points)
    assert result[-1]
    assert result[:-1].mean() < 0.15


def test_a_track_may_be_an_outlier_within_its_genre_only() -> None:
    """Among the other genre it is usual overall, but not in its own."""
    labels = np.repeat(["blues", "metal"], 120)
    labels[0] = "metal"
    assert not outliers.dbscan_noise(CLOUDS)[0]
    assert outliers.dbscan_noise_per_genre(CLOUDS, labels)[0]


def test_a_genre_of_few_tracks_keeps_all() -> None:
    """There are too few tracks to define a usual one."""
    few = np.vstack([CLOUDS[: outliers.MIN_TRACKS_FOR_OUTLIERS - 2], np.full((1, 3), 30.0)])
    assert not outliers.dbscan_noise_per_genre(few, np.repeat("blues", len(few))).any()
