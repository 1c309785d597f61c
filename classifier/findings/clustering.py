"""Groups of tracks by how they sound, without their labels; and how they lie to the genres. Pure.

Every column is standardised; what is unknown stands at the median. The key, where it is asked for,
is a place on the circle of fifths.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, silhouette_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from classifier.estimators import outliers
from classifier.features.audio import numeric_column

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Method = Literal["kmeans", "agglomerative", "dbscan", "hdbscan"]

METHODS: Final[tuple[Method, ...]] = ("kmeans", "agglomerative", "dbscan", "hdbscan")
NOISE: Final = -1
"""The cluster of tracks that are in none."""
MAX_TRACKS: Final = {
    "kmeans": 200_000,
    "agglomerative": 5_000,
    "dbscan": 20_000,
    "hdbscan": 20_000,
}
"""Tracks that a method clusters; of more it takes a sample. Agglomerative keeps a distance per
pair (100 MB at 5,000), DBSCAN every neighbour of every track, HDBSCAN takes time by the square."""
SILHOUETTE_SAMPLE: Final = 5_000
"""Tracks that the silhouette is taken on: it needs the distance of every pair."""
_STARTS: Final = 3
"""Times that k-means begins; the best end is kept."""
_FIFTH: Final = 7 * 2 * np.pi / 12


@dataclass(frozen=True, slots=True)
class ClusterScores:
    """How well clusters and genres agree. Tracks in no cluster count as one more cluster."""

    clusters: int
    noise: int
    """Tracks in no cluster."""
    ari: float
    """Adjusted Rand index (Hubert & Arabie, 1985): 1 is the same grouping, 0 is chance."""
    nmi: float
    """Normalised mutual information, arithmetic mean: 0 to 1, not adjusted for chance."""
    purity: float
    """Share of tracks whose genre is their cluster's commonest (Manning et al., 2008, 16.3)."""
    silhouette: float | None
    """Mean silhouette (Rousseeuw, 1987), -1 to 1, of tracks in clusters; None without two."""


def feature_matrix(frame: pd.DataFrame, columns: Sequence[str]) -> Floats:
    """Return one row of standardised numbers per track."""
    found: list[Floats] = []
    for name in columns:
        values = numeric_column(frame, name)
        if name == "key":
            found += [np.sin(values * _FIFTH), np.cos(values * _FIFTH)]
        else:
            found.append(values)
    filled = SimpleImputer(strategy="median", keep_empty_features=True).fit_transform(
        np.column_stack(found)
    )
    return np.asarray(StandardScaler().fit_transform(filled), dtype=np.float64)


def principal_components(points: Floats, components: float) -> Floats:
    """Return points on so many principal components, or as many as explain this share."""
    wanted = min(components, *points.shape) if components >= 1 else components
    return np.asarray(PCA(wanted, svd_solver="full").fit_transform(points), dtype=np.float64)


def cluster(
    points: Floats, method: Method, *, clusters: int, eps: float | None, seed: int
) -> tuple[Codes, dict[str, Any]]:
    """Return the cluster of each point, the greatest first, and the parameters that were used.

    k-means and agglomerative (Ward) make `clusters` of them; the other two find out how many
    there are. DBSCAN's `eps` is taken from the data where it is None.
    """
    few = outliers.smallest(points.shape[1], len(points))
    params: dict[str, Any]
    if method == "kmeans":
        params = {"k": min(clusters, len(points))}
        model: Any = KMeans(params["k"], n_init=_STARTS, random_state=seed)
    elif method == "agglomerative":
        params = {"k": min(clusters, len(points)), "linkage": "ward"}
        model = AgglomerativeClustering(params["k"])
    elif method == "dbscan":
        params = {"eps": estimate_eps(points, few) if eps is None else eps, "min_samples": few}
        model = DBSCAN(**params)
    else:
        params = {"min_cluster_size": few}
        model = HDBSCAN(min_cluster_size=few, copy=True)
    return _by_size(model.fit_predict(points)), params


def estimate_eps(points: Floats, neighbours: int) -> float:
    """Return the distance at which points stop being near.

    The knee of every point's distance to its `neighbours`-th nearest (Ester et al., 1996, 4.2).
    """
    nearest = NearestNeighbors(n_neighbors=neighbours + 1, n_jobs=1).fit(points)
    return outliers.knee(nearest.kneighbors(points)[0][:, -1])


def agreement_scores(
    points: Floats, codes: Codes, labels: NDArray[np.str_], *, seed: int
) -> ClusterScores:
    """Hold clusters against genres."""
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
    """Return how many tracks of each genre (columns) are in each cluster (rows)."""
    table = pd.crosstab(codes, labels)
    return table.rename_axis(index="cluster", columns="genre")


def _silhouette(points: Floats, codes: Codes, seed: int) -> float | None:
    chosen = np.arange(len(points))
    if len(chosen) > SILHOUETTE_SAMPLE:
        chosen = np.random.default_rng(seed).choice(chosen, SILHOUETTE_SAMPLE, replace=False)
    found = len(np.unique(codes[chosen]))
    if not 1 < found < len(chosen):
        return None
    return float(silhouette_score(points[chosen], codes[chosen]))


def _by_size(codes: Codes) -> Codes:
    """Return the same clusters, numbered from the greatest; noise stays noise."""
    known, counts = np.unique(codes[codes != NOISE], return_counts=True)
    order = known[np.lexsort((known, -counts))]
    places = np.full(int(codes.max(initial=0)) + 1, NOISE, dtype=np.intp)
    places[order] = np.arange(len(order))
    return np.where(codes == NOISE, NOISE, places[codes])
