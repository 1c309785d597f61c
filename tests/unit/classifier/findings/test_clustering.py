"""Clusters, and their agreement with genres."""

import numpy as np
import pandas as pd
import pytest

from classifier.findings import clustering


def blobs(each: int = 60) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    points = np.vstack([random.normal(middle, 0.3, (each, 2)) for middle in (-3, 0, 3)])
    return points, np.repeat(["a", "b", "c"], each)


@pytest.mark.parametrize("method", clustering.METHODS)
def test_separate_clouds_are_clusters(method: clustering.Method) -> None:
    """Three clouds are three clusters, with every method; DBSCAN estimates its radius."""
    points, labels = blobs()
    codes, params = clustering.cluster(points, method, clusters=3, eps=None, seed=0)
    predictions = clustering.agreement_scores(points, codes, labels, seed=0)
    assert predictions.clusters == 3
    assert predictions.noise < 30
    assert min(predictions.ari, predictions.purity, predictions.nmi) > 0.8
    assert predictions.silhouette is not None
    assert predictions.silhouette > 0.7
    assert params


def test_scores_follow_their_definitions() -> None:
    """Purity by hand; clusters unrelated to the genres score at chance level."""
    codes = np.array([0, 0, 0, 1, 1, -1])
    labels = np.array(["a", "a", "b", "b", "b", "a"])
    points = np.arange(6.0)[:, np.newaxis]
    predictions = clustering.agreement_scores(points, codes, labels, seed=0)
    assert (predictions.clusters, predictions.noise, predictions.purity) == (
        2,
        1,
        pytest.approx(5 / 6),
    )
    random = np.random.default_rng(0)
    by_chance = clustering.agreement_scores(
        random.normal(size=(900, 2)),
        random.integers(3, size=900),
        random.choice(labels, 900),
        seed=0,
    )
    assert abs(by_chance.ari) < 0.02


def test_one_cluster_has_no_silhouette() -> None:
    """Nor has a single cluster with noise."""
    points, labels = blobs(5)
    assert (
        clustering.agreement_scores(points, np.zeros(15, dtype=int), labels, seed=0).silhouette
        is None
    )


def test_the_crosstab_counts_tracks() -> None:
    """A row per cluster, a column per genre."""
    table = clustering.crosstab(np.array([0, 0, -1]), np.array(["a", "b", "b"]))
    assert table.loc[0].to_dict() == {"a": 1, "b": 1}
    assert table.loc[-1].to_dict() == {"a": 0, "b": 1}


def test_columns_are_standardised_and_the_key_is_a_circle() -> None:
    """Unit variance; missing values are the median; B and E are as near as C and G."""
    frame = pd.DataFrame({"tempo": [60.0, 120, None, 240], "energy": [0.1, 0.2, 0.2, 0.9]})
    points = clustering.feature_matrix(frame, ("tempo", "energy"))
    assert points.std(axis=0) == pytest.approx([1, 1])
    assert points[2, 0] == points[1, 0]
    keys = clustering.feature_matrix(pd.DataFrame({"key": range(12)}), ("key",))
    fifths = [np.linalg.norm(keys[key] - keys[(key + 7) % 12]) for key in range(12)]
    assert fifths == pytest.approx([fifths[0]] * 12)
    assert fifths[0] < np.linalg.norm(keys[0] - keys[1])


def test_clusters_are_numbered_by_size() -> None:
    """0 is the largest, for every method."""
    points = np.concatenate([np.zeros(5), np.full(20, 9.0), np.full(10, 5.0)])[:, np.newaxis]
    codes, _ = clustering.cluster(points + 0.0, "kmeans", clusters=3, eps=None, seed=0)
    assert [int(codes[place]) for place in (0, 10, 30)] == [2, 0, 1]


def test_equal_points_have_a_radius() -> None:
    """Even if all distances are equal, DBSCAN gets a valid eps."""
    points = np.zeros((20, 2))
    codes, params = clustering.cluster(points, "dbscan", clusters=3, eps=None, seed=0)
    assert params["eps"] > 0
    assert set(codes) == {0}
