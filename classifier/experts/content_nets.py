"""Networks over text scores and numbers together, for many genres."""

from typing import Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from classifier.experts import Scores, stacking_inputs
from classifier.experts.mlp_ensemble import fit_networks, mean_log_probabilities
from classifier.experts.mlp_numpy import Matrix
from classifier.experts.naive_bayes_text import NaiveBayesTextExpert, count_ngrams
from classifier.features import hashed_ngrams
from classifier.features.piecewise_linear import PiecewiseLinearEncoder
from classifier.ports import Labels

N_NETWORKS: Final = 4
"""Networks that differ by their seed."""
_TEXT_SCALE, _CLIP = 0.2, 3.0
"""Scale log-ratios of some units to about unit scale."""


class ContentNetworksExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """The scores of the text, and that of networks over these and the numbers.

    A network must learn how far to trust text scores of artists that the text model was *not*
    trained on. So it is trained on out-of-fold scores, grouped by artist. Artist history is not
    among its inputs: it would rely on it. Many tracks of an artist count the square root of their
    number.
    """

    name = "content"
    score_names = (*NaiveBayesTextExpert.score_names, "content")

    def __init__(
        self, groups: tuple[str, ...], *, n_networks: int = N_NETWORKS, random_state: int = 0
    ) -> None:
        self.groups = groups
        self.n_networks = n_networks
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Labels) -> Self:
        """Fit the text model to all rows, and the networks to out-of-fold scores and numbers."""
        self.features_ = PiecewiseLinearEncoder(self.groups)
        numbers, ngrams = self.features_.fit_transform(X), count_ngrams(X)
        self.text_ = NaiveBayesTextExpert().fit_counts(ngrams, y)
        matrix = _matrix(numbers, stacking_inputs.out_of_fold_text(ngrams, y))
        weights = hashed_ngrams.artist_weights(ngrams.artists)
        self.networks_ = fit_networks(matrix, y, self.n_networks, self.random_state, weights)
        return self

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return log-ratios of the texts and log-probabilities of the networks."""
        text = self.text_.predict_scores(X)
        matrix = _matrix(self.features_.transform(X), text)
        return np.concatenate([text, mean_log_probabilities(self.networks_, matrix)])


def _matrix(numbers: Matrix, text: Scores) -> Matrix:
    """Return numbers and text scores as columns of about unit scale."""
    return np.hstack([numbers, *(text * _TEXT_SCALE).clip(-_CLIP, _CLIP)]).astype(np.float32)
