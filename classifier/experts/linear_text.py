"""Naive-Bayes SVMs over the character n-grams of titles, albums and artist names."""

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.svm import LinearSVC

from classifier.arrays import Floats, Mask
from classifier.experts import Scores
from classifier.experts.naive_bayes_text import NgramCounts, count_ngrams
from classifier.features import hashed_ngrams
from classifier.features.text_lsa import MIN_ARTISTS
from classifier.ports import Labels

INVERSE_STRENGTH: Final = 0.1
"""Of the regularisation."""


class LinearTextExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """A score that weighs all n-grams of a track together.

    Naive Bayes counts every n-gram as independent evidence; a linear model learns which of them
    say the same. Each genre has a linear SVM over n-grams that are multiplied by the log-ratio of
    their shares inside and outside of the genre (Wang & Manning, ACL 2012). N-grams of fewer than
    `MIN_ARTISTS` artists are left out, and tracks are weighed by artist, as in `TextLSA` and
    `NaiveBayesTextExpert`.
    """

    name = "linear_text"
    score_names = ("linear_text",)

    def __init__(self, *, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Labels) -> Self:
        """Fit to the n-grams of enough artists."""
        ngrams = count_ngrams(X)
        counts = sparse.hstack(ngrams.counts).tocsr()
        codes = np.unique(ngrams.artists, return_inverse=True)[1]
        ones = np.ones(len(codes), dtype=np.float32)
        by_artist = sparse.csr_matrix((ones, (codes, np.arange(len(codes)))))
        n_artists = np.diff((by_artist @ counts).tocsc().indptr)
        self.buckets_: NDArray[np.intp] = np.flatnonzero(n_artists >= MIN_ARTISTS)
        genres = np.unique(y)
        self.coefficients_ = np.zeros((len(self.buckets_), len(genres)), dtype=np.float32)
        self.intercepts_ = np.zeros(len(genres), dtype=np.float32)
        if len(self.buckets_) == 0 or len(genres) < 2:
            return self
        weights = hashed_ngrams.artist_weights(ngrams.artists, np.float64)
        weights /= weights.mean()
        counts = counts[:, self.buckets_]
        for place, genre in enumerate(genres):
            self._fit_genre(counts, y == genre, weights, place)
        return self

    def predict_scores(self, X: pd.DataFrame, ngrams: NgramCounts | None = None) -> Scores:
        """Return the SVMs' decision values (1, rows, genres).

        `ngrams`: the `count_ngrams` of `X`, where these were counted already.
        """
        ngrams = count_ngrams(X) if ngrams is None else ngrams
        counts: Any = sparse.hstack(ngrams.counts).tocsr()[:, self.buckets_]
        scores = np.asarray(counts @ self.coefficients_) + self.intercepts_
        return np.asarray(scores[np.newaxis], dtype=np.float32)

    def _fit_genre(
        self,
        counts: sparse.csr_matrix,
        inside: Mask,
        weights: Floats,
        place: int,
    ) -> None:
        shares = [np.asarray((rows * weights) @ counts) + 1 for rows in (inside, ~inside)]
        ratios = np.log(shares[0] / shares[0].sum()) - np.log(shares[1] / shares[1].sum())
        model = LinearSVC(C=INVERSE_STRENGTH, random_state=self.random_state)
        model.fit(counts @ sparse.diags(ratios), inside, sample_weight=weights)
        self.coefficients_[:, place] = model.coef_[0] * ratios
        self.intercepts_[place] = model.intercept_[0]
