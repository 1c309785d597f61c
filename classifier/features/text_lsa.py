"""Titles, albums and artist names as a few dense numbers: latent semantic analysis of n-grams."""

from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.extmath import randomized_svd

from classifier.features import hashed_ngrams
from classifier.features.audio import Matrix

N_COMPONENTS: Final = 32
"""Numbers per text column."""
MIN_ARTISTS: Final = 5
"""An n-gram of fewer artists is left out: it would only identify the artist."""
N_ITERATIONS: Final = 3
"""Power iterations of the randomised decomposition (Halko et al., SIAM Review 2011)."""
CLIP: Final = 5.0
"""Standard deviations."""


class TextLSA(BaseEstimator):  # type: ignore[misc]  # untyped there
    """Project hashed n-grams, weighted by inverse artist frequency, onto their main directions.

    (Deerwester et al., JASIS 1990.) Unlike the scores of a text model, which sum up what each
    n-gram says about a genre, the directions are those in which texts differ: languages, scenes,
    habits of naming. All numbers are of unit scale.
    """

    def __init__(self, n_components: int = N_COMPONENTS, *, random_state: int = 0) -> None:
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, columns: tuple[sparse.csr_matrix, ...], artists: hashed_ngrams.Texts) -> Self:
        """Fit to n-grams (see `hashed_ngrams.by_column`) and the first artist of each row."""
        codes = np.unique(artists, return_inverse=True)[1]
        ones = np.ones(len(codes), dtype=np.float32)
        by_artist = sparse.csr_matrix((ones, (codes, np.arange(len(codes)))))
        self.buckets_: list[NDArray[np.intp]] = []
        self.components_: list[Matrix] = []
        for counts in columns:
            n_artists = np.diff((by_artist @ counts).tocsc().indptr)
            buckets = np.flatnonzero(n_artists >= MIN_ARTISTS)
            weights = np.log(by_artist.shape[0] / n_artists[buckets]).astype(np.float32)
            self.buckets_.append(buckets)
            self.components_.append(self._components(counts[:, buckets], weights))
        return self

    def transform(self, columns: tuple[sparse.csr_matrix, ...]) -> Matrix:
        """Return (rows, numbers) of about unit scale; 0 for a text without known n-grams."""
        parts = [
            (counts[:, buckets] @ components).clip(-CLIP, CLIP)
            for counts, buckets, components in zip(
                columns, self.buckets_, self.components_, strict=True
            )
        ]
        return np.hstack(parts).astype(np.float32)

    def _components(self, counts: sparse.csr_matrix, weights: Matrix) -> Matrix:
        """Return (n-grams, numbers): weights and directions in one, scaled to unit variance."""
        size = min(self.n_components, *counts.shape)
        if size == 0 or counts.nnz == 0:
            return np.zeros((counts.shape[1], 0), dtype=np.float32)
        weighted = (counts @ sparse.diags(weights)).astype(np.float64)  # see `NumpyMLP`
        _, _, directions = randomized_svd(
            weighted, size, n_iter=N_ITERATIONS, random_state=self.random_state
        )
        components = np.asarray(weights[:, np.newaxis] * directions.T, dtype=np.float32)
        scales = np.asarray((counts @ components).std(axis=0))
        return np.asarray(components / np.where(scales > 0, scales, 1), dtype=np.float32)
