"""The networks of `mlp` (torch) as base models of `blend`, with `deep=true`."""

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from classifier.experts import Scores
from classifier.ports import Labels, Validation

SCORE_PREFIX: Final = "deep_"
"""Its scores are called like the networks', with this in front."""


class DeepNetworksExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """A score for each network of `model`.

    The only expert that uses validation tracks: for the early stopping of each network.
    """

    name = "towers"

    def __init__(self, model: Any) -> None:
        self.model = model

    @property
    def score_names(self) -> tuple[str, ...]:
        """Return the names of its scores, once it is fitted."""
        return tuple(SCORE_PREFIX + name for name in self.model_.score_names_[1:])

    def fit(self, X: pd.DataFrame, y: Labels, validation: Validation | None = None) -> Self:
        self.model_ = clone(self.model).fit(X, y, validation)
        return self

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return log-probabilities of numbers and log-ratios of texts: (scores, rows, genres)."""
        return np.asarray(self.model_.predict_scores(X)[1:])  # the first is the prior
