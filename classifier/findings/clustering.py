"""Cluster tracks by their features without labels, and measure the agreement with genres. Pure.

Every column is standardised; missing values are imputed by the median. The key, if it is used, is
a position on the circle of fifths.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, silhouette_score
from sklearn.preprocessing import StandardScaler

from classifier.arrays import Codes, Floats
from classifier.estimators import outliers
from classifier.features import imputation
from classifier.features.audio import numeric_column

Method = Literal["kmeans", "agglomerative", "dbscan", "hdbscan"]

METHODS: Final[tuple[Method, ...]] = ("kmeans", "agglomerative", "dbscan", "hdbscan")
FIXED_COUNT_METHODS: Final[tuple[Method, ...]] = ("kmeans", "agglomerative")
"""Methods that make as many clusters as requested."""
NOISE: Final = -1
"""The code of tracks in no cluster."""
MAX_TRACKS: Final = {
    "kmeans": 200_000,
    "agglomerative": 5_000,
    "dbscan": 20_000,
    "hdbscan": 20_000,
}
"""Tracks above which a method clusters a sample. Agglomerative keeps a distance per pair (100 MB
at 5,000), DBSCAN every neighbour of every track, HDBSCAN needs quadratic time."""
SILHOUETTE_SAMPLE: Final = 5_000
"""Tracks that the silhouette is computed on: it needs the distance of every pair."""
_N_INIT: Final = 3
"""Starts of k-means; the best result is kept."""
_FIFTH: Final = 7 * 2 * np.pi / 12


@dataclass(frozen=True, slots=True)
class ClusterScores:
    """Agreement of clusters and genres. Tracks in no cluster count as one more cluster."""

    clusters: int
    noise: int
    """Tracks in no cluster."""
    ari: float
    """Adjusted Rand index (Hubert & Arabie, 1985): 1 is the same grouping, 0 is chance."""
    nmi: float
    """Normalised mutual information, arithmetic mean: 0 to 1, not adjusted for chance."""
    purity: float
    """Share of tracks in the majority genre of their cluster (Manning et al., 2008, 16.3)."""
    silhouette: float | None
    """Mean silhouette (Rousseeuw, 1987), -1 to 1, of tracks in clusters; None without two."""


def feature_matrix(frame: pd.DataFrame, columns: Sequence[str]) -> Floats:
    """Return one row of standardised numbers per track."""
    vectors: list[Floats] = []
    for name in columns:
        values = numeric_column(frame, name)
        if name == "key":
            vectors += [np.sin(values * _FIFTH), np.cos(values * _FIFTH)]
        else:
            vectors.append(values)
    matrix = np.column_stack(vectors)
    filled = imputation.impute(matrix, imputation.column_medians(matrix))
    return np.asarray(StandardScaler().fit_transform(filled), dtype=np.float64)


def principal_components(points: Floats, components: float) -> Floats:
    """Return points on so many principal components, or as many as explain this share."""
    wanted = min(components, *points.shape) if components >= 1 else components
    return np.asarray(PCA(wanted, svd_solver="full").fit_transform(points), dtype=np.float64)


def cluster(
    points: Floats, method: Method, *, clusters: int, eps: float | None, seed: int
) -> tuple[Codes, dict[str, Any]]:
    """Return the cluster of each point, numbered by size, and the parameters used.

    k-means and agglomerative (Ward) make `clusters` clusters; the other two determine the number.
    DBSCAN's `eps` is estimated if it is None.
    """
    min_samples = outliers.min_samples(points.shape[1], len(points))
    params: dict[str, Any]
    if method == "kmeans":
        params = {"k": clusters}
        model: Any = KMeans(params["k"], n_init=_N_INIT, random_state=seed)
    elif method == "agglomerative":
        params = {"k": clusters, "linkage": "ward"}
        model = AgglomerativeClustering(params["k"])
    elif method == "dbscan":
        params = {
            "eps": estimate_eps(points, min_samples) if eps is None else eps,
            "min_samples": min_samples,
        }
        model = DBSCAN(**params)
    else:
        params = {"min_cluster_size": min_samples}
        model = HDBSCAN(min_cluster_size=min_samples, copy=True)
    return _by_size(model.fit_predict(points)), params


def estimate_eps(points: Floats, neighbours: int) -> float:
    """Return an estimate of DBSCAN's radius.

    The knee of each point's distance to its `neighbours`-th nearest (Ester et al., 1996, 4.2).
    """
    return outliers.knee(outliers.nearest_distances(points, points, neighbours + 1)[:, -1])


def agreement_scores(
    points: Floats, codes: Codes, labels: NDArray[np.str_], *, seed: int
) -> ClusterScores:
    """Compare clusters with genres."""
    inside = codes != NOISE
    return ClusterScores(
        clusters=len(np.unique(codes[inside])),
        noise=int((~inside).sum()),
        ari=float(adjusted_rand_score(labels, codes)),
        nmi=float(normalized_mutual_info_score(labels, codes)),
        purity=float(crosstab(codes, labels).max(axis=1).sum() / len(codes)),
        silhouette=_silhouette(points[inside], codes[inside], seed),
    )


def crosstab(codes: Codes, labels: NDArray[np.str_]) -> pd.DataFrame:
    """Return the number of tracks of each genre (columns) in each cluster (rows)."""
    table = pd.crosstab(codes, labels)
    return table.rename_axis(index="cluster", columns="genre")


def _silhouette(points: Floats, codes: Codes, seed: int) -> float | None:
    chosen = np.arange(len(points))
    if len(chosen) > SILHOUETTE_SAMPLE:
        chosen = np.random.default_rng(seed).choice(chosen, SILHOUETTE_SAMPLE, replace=False)
    clusters = len(np.unique(codes[chosen]))
    if not 1 < clusters < len(chosen):
        return None
    return float(silhouette_score(points[chosen], codes[chosen]))


def _by_size(codes: Codes) -> Codes:
    """Renumber the clusters by size; noise stays noise."""
    clusters, counts = np.unique(codes[codes != NOISE], return_counts=True)
    order = clusters[np.lexsort((clusters, -counts))]
    numbers = np.full(int(codes.max(initial=0)) + 1, NOISE, dtype=np.intp)
    numbers[order] = np.arange(len(order))
    return np.where(codes == NOISE, NOISE, numbers[codes])
