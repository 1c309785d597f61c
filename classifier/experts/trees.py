"""What the numbers say, by boosted trees."""

from typing import Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier

from classifier.experts import Scores, log_probabilities
from classifier.features.audio import Matrix, NumericFeatures
from classifier.ports import Labels

N_ROUNDS: Final = 70
"""Each grows a tree per genre. Validation stops at 60 to 90 on six, ten and 114 genres."""

LEARNING_RATE: Final = 0.1


def make_boosted_trees(
    features: NumericFeatures, *, rounds: int, rate: float, random_state: int
) -> HistGradientBoostingClassifier:
    """Return trees that are to learn from what `features` makes of tracks, and what follows it."""
    return HistGradientBoostingClassifier(
        learning_rate=rate,
        max_iter=rounds,
        max_leaf_nodes=15,
        min_samples_leaf=20,
        l2_regularization=10.0,
        categorical_features=features.categorical or None,
        early_stopping=False,  # the validation side weighs the voices: nobody else learns it
        random_state=random_state,
    )


class BoostedTreesExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """One voice: boosted trees, which see steps and spikes where the networks see slopes."""

    name = "trees"
    score_names = ("trees",)

    def __init__(
        self, groups: tuple[str, ...], *, rounds: int = N_ROUNDS, random_state: int = 0
    ) -> None:
        self.groups = groups
        self.rounds = rounds
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Labels) -> Self:
        """Learn from every row."""
        self.features_ = NumericFeatures(self.groups).fit(X)
        self.model_ = make_boosted_trees(
            self.features_, rounds=self.rounds, rate=LEARNING_RATE, random_state=self.random_state
        )
        self.model_.fit(self._numbers(X), y)
        return self

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return log-probabilities."""
        shares = self.model_.predict_proba(self._numbers(X))
        return np.asarray(log_probabilities(shares)[np.newaxis])

    def _numbers(self, frame: pd.DataFrame) -> Matrix:
        """Return what is known of the rows; groups may have no column, but trees want one."""
        matrix = self.features_.transform(frame)
        return matrix if matrix.shape[1] else np.zeros((len(frame), 1), dtype=np.float32)
