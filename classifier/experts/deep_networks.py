"""What networks of torch say, where they are asked for."""

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from classifier.experts import Scores
from classifier.ports import Labels, Validation

SCORE_PREFIX: Final = "deep_"
"""Its voices are called like the towers, behind this."""


class DeepNetworksExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """A voice for each tower of `model`, an estimator that speaks with several.

    The only expert that looks at validation tracks: they end each tower's learning.
    """

    name = "towers"

    def __init__(self, model: Any) -> None:
        self.model = model

    @property
    def score_names(self) -> tuple[str, ...]:
        """Return what it has to say, by name, once it has learned."""
        return tuple(SCORE_PREFIX + name for name in self._towers())

    def fit(self, X: pd.DataFrame, y: Labels, validation: Validation | None = None) -> Self:
        """Learn epoch by epoch."""
        self.model_ = clone(self.model).fit(X, y, validation)
        return self

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return log-probabilities of the sound, log-ratios of texts."""
        towers = self._towers()
        wanted = [place for place, name in enumerate(self.model_.score_names_) if name in towers]
        return np.asarray(self.model_.predict_scores(X)[wanted])

    def _towers(self) -> list[str]:
        return [name for name in self.model_.score_names_ if name != "prior"]
