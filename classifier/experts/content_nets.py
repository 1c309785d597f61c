"""Networks over text and numbers together, without artist history."""

from typing import Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from classifier.experts import Scores, stacking_inputs
from classifier.experts.mlp_ensemble import fit_networks, mean_log_probabilities
from classifier.experts.mlp_numpy import Matrix
from classifier.experts.naive_bayes_text import NaiveBayesTextExpert, NgramCounts, count_ngrams
from classifier.features import hashed_ngrams
from classifier.features.piecewise_linear import PiecewiseLinearEncoder
from classifier.features.text_lsa import TextLSA
from classifier.ports import Labels

N_NETWORKS: Final = 4
"""Networks that differ by their seed."""
_TEXT_SCALE, _CLIP = 0.2, 3.0
"""Scale log-ratios of some units to about unit scale."""


class ContentNetworksExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """The score of networks over numbers and the scores of the text, and these themselves.

    A network must learn how far to trust text scores of artists that the text model was *not*
    trained on. So it is trained on out-of-fold scores, grouped by artist. Artist history is not
    among its inputs: it would rely on it. Many tracks of an artist count the square root of their
    number.

    With `lsa` the directions in which texts differ (`TextLSA`) are inputs, too: of few genres
    scores are a narrow summary of a text. With `with_text` it has the text scores as scores of
    its own.
    """

    name = "content"

    def __init__(
        self,
        groups: tuple[str, ...],
        *,
        lsa: bool = False,
        with_text: bool = True,
        n_networks: int = N_NETWORKS,
        random_state: int = 0,
    ) -> None:
        self.groups = groups
        self.lsa = lsa
        self.with_text = with_text
        self.n_networks = n_networks
        self.random_state = random_state

    @property
    def score_names(self) -> tuple[str, ...]:
        """Return the names of its scores."""
        return (*NaiveBayesTextExpert.score_names, "content") if self.with_text else ("content",)

    def fit(self, X: pd.DataFrame, y: Labels) -> Self:
        """Fit the text model to all rows, and the networks to out-of-fold scores and numbers."""
        self.features_ = PiecewiseLinearEncoder(self.groups).fit(X)
        ngrams = count_ngrams(X)
        self.lsa_ = None
        if self.lsa:
            lsa = TextLSA(random_state=self.random_state)
            self.lsa_ = lsa.fit(ngrams.counts, ngrams.artists)
        self.text_ = NaiveBayesTextExpert().fit_counts(ngrams, y)
        matrix = self._inputs(X, ngrams, stacking_inputs.out_of_fold_text(ngrams, y))
        weights = hashed_ngrams.artist_weights(ngrams.artists)
        self.networks_ = fit_networks(matrix, y, self.n_networks, self.random_state, weights)
        return self

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return log-ratios of the texts and log-probabilities of the networks."""
        ngrams = count_ngrams(X)
        text = self.text_.predict_scores_of_counts(ngrams)
        content = mean_log_probabilities(self.networks_, self._inputs(X, ngrams, text))
        return np.concatenate([text, content]) if self.with_text else content

    def _inputs(self, X: pd.DataFrame, ngrams: NgramCounts, text: Scores) -> Matrix:
        """Return numbers, text scores and directions as columns of about unit scale."""
        columns = [self.features_.transform(X), *(text * _TEXT_SCALE).clip(-_CLIP, _CLIP)]
        if self.lsa_ is not None:
            columns.append(self.lsa_.transform(ngrams.counts))
        return np.hstack(columns).astype(np.float32)
