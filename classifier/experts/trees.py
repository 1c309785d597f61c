"""Gradient-boosted trees over the numeric features."""

from dataclasses import KW_ONLY, dataclass
from typing import Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier

from classifier.experts import Scores, log_probabilities, merged_trees
from classifier.features.audio import Matrix, NumericFeatures
from classifier.ports import Labels

N_ROUNDS: Final = 70
"""Each grows a tree per genre. Early stopping ends at 60 to 90 on six, ten and 114 genres."""

LEARNING_RATE: Final = 0.1


def make_boosted_trees(
    features: NumericFeatures, *, n_rounds: int, learning_rate: float, random_state: int
) -> HistGradientBoostingClassifier:
    """Return unfitted trees over the columns of `features`, and any that follow them."""
    return HistGradientBoostingClassifier(
        learning_rate=learning_rate,
        max_iter=n_rounds,
        max_leaf_nodes=15,
        min_samples_leaf=20,
        l2_regularization=10.0,
        categorical_features=features.categorical or None,
        early_stopping=False,  # validation tracks are for the pooling weights only
        random_state=random_state,
    )


@dataclass(eq=False, repr=False)
class BoostedTreesExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """Boosted trees, which see steps and spikes where the networks see slopes."""

    name = "trees"
    score_names = ("trees",)

    groups: tuple[str, ...]
    _: KW_ONLY
    n_rounds: int = N_ROUNDS
    random_state: int = 0

    def fit(self, X: pd.DataFrame, y: Labels) -> Self:
        self.features_ = NumericFeatures(self.groups).fit(X)
        self.model_ = make_boosted_trees(
            self.features_,
            n_rounds=self.n_rounds,
            learning_rate=LEARNING_RATE,
            random_state=self.random_state,
        ).fit(self._numbers(X), y)
        return self

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return log-probabilities (1, rows, genres)."""
        return log_probabilities(merged_trees.predict_proba(self.model_, self._numbers(X)))[
            np.newaxis
        ]

    def _numbers(self, frame: pd.DataFrame) -> Matrix:
        matrix = self.features_.transform(frame)  # groups may have no column; trees need one
        return matrix if matrix.shape[1] else np.zeros((len(frame), 1), dtype=np.float32)
