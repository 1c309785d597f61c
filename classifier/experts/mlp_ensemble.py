"""An ensemble of small neural networks over the numeric features."""

from dataclasses import KW_ONLY, dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from classifier.experts import Scores, fine_classes, log_probabilities
from classifier.experts.fine_classes import Starts
from classifier.experts.mlp_numpy import HIDDEN_LAYER_SIZES, NumpyMLP
from classifier.features.audio import Matrix
from classifier.features.piecewise_linear import PiecewiseLinearEncoder
from classifier.ports import Labels

N_NETWORKS: Final = 4
"""Networks that differ by their seed; from 1 to 4 brought 0.015 of accuracy, from 4 to 8 none."""


@dataclass(eq=False, repr=False)
class MLPEnsembleExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """The mean log-probability over the networks."""

    name = "nets"
    score_names = ("nets",)

    groups: tuple[str, ...]
    _: KW_ONLY
    n_networks: int = N_NETWORKS
    random_state: int = 0

    def fit(self, X: pd.DataFrame, y: Labels) -> Self:
        self.features_ = PiecewiseLinearEncoder(self.groups)
        matrix = self.features_.fit_transform(X)
        self.networks_ = fit_networks(matrix, y, self.n_networks, self.random_state)
        return self

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return log-probabilities (1, rows, genres), up to a constant per row."""
        return mean_log_probabilities(self.networks_, self.features_.transform(X))


def fit_networks(
    matrix: Matrix,
    y: Labels | NDArray[np.intp],
    count: int,
    random_state: int,
    weights: NDArray[np.float32] | None = None,
    hidden_layer_sizes: tuple[int, ...] = HIDDEN_LAYER_SIZES,
) -> list[NumpyMLP]:
    """Return networks fitted with seeds of their own; `weights` as in `NumpyMLP.fit`."""
    seeds = range(random_state * count, (random_state + 1) * count)
    return [
        NumpyMLP(hidden_layer_sizes, random_state=seed).fit(matrix, y, weights) for seed in seeds
    ]


def mean_log_probabilities(
    networks: list[NumpyMLP], matrix: Matrix, starts: Starts | None = None
) -> Scores:
    """Return the mean over the networks: (1, rows, genres).

    `starts` are those of `FineClasses`, if the networks were fitted to its codes.
    """
    scores = [
        log_probabilities(fine_classes.of_genres(network.predict_proba(matrix), starts))
        for network in networks
    ]
    return np.asarray(np.mean(scores, axis=0)[np.newaxis])
