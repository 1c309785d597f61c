"""Boosted trees over everything that is said of a track, apart for known and for new artists."""

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier

from classifier.experts import Scores, logarithm
from classifier.experts.readings import ALBUM, Readings
from classifier.features.audio import AudioFeatures, Matrix
from classifier.ports import Labels

ROUNDS: Final = 80
"""Each grows a tree per genre."""
MOST_GENRES: Final = 16
"""What is said grows with the genres, and so do the trees: with more they take minutes."""
MOST_TRACKS: Final = 20_000
"""They learn from so many, drawn by the seed: the time they take stays bounded."""


class JointTrees(BaseEstimator):  # type: ignore[misc]  # untyped there
    """Two models: one for tracks of which nothing but text and sound is known, and one for others.

    The second also hears the history of the artists, where their tracks were seen (`Company`) and
    how popular these are: a track that comes up in the searches for two genres counts for the one
    where it stands further up, which neither its sound nor its artist's label can tell.
    """

    def __init__(
        self, groups: tuple[str, ...], *, rounds: int = ROUNDS, random_state: int = 0
    ) -> None:
        self.groups = groups
        self.rounds = rounds
        self.random_state = random_state

    def fit(
        self,
        X: pd.DataFrame,  # noqa: N803 - scikit-learn's name
        y: Labels,
        strangers: Readings,
        acquaintances: Readings,
    ) -> Self:
        """Learn from what readers say who did not learn from the tracks."""
        self.classes_ = np.unique(y)
        self.features_ = AudioFeatures(self.groups).fit(X)
        numbers = self.features_.transform(X)
        self.new_ = self._learned(_shown_new(numbers, strangers), y)
        known = acquaintances.evidence > 0
        shown = _shown_known(numbers[known], acquaintances.only(known))
        self.blank_ = np.isnan(shown).all(axis=0)
        self.known_ = None
        if len(np.unique(y[known])) > 1:  # else nobody is known, or nothing to tell apart
            shown[:, self.blank_] = 0
            self.known_ = self._learned(shown, y[known])
        return self

    def speak(self, frame: pd.DataFrame, readings: Readings) -> Scores:
        """Return log-probabilities, one voice."""
        numbers = self.features_.transform(frame)
        shares = np.zeros((len(frame), len(self.classes_)))
        known = (readings.evidence > 0) & (self.known_ is not None)
        if not known.all():
            shown = _shown_new(numbers[~known], readings.only(~known))
            self._ask(self.new_, shown, shares, ~known)
        if known.any():
            shown = _shown_known(numbers[known], readings.only(known))
            shown[:, self.blank_] = 0
            self._ask(self.known_, shown, shares, known)
        return np.asarray(logarithm(shares)[np.newaxis])

    def _ask(
        self, model: Any, shown: Matrix, shares: NDArray[np.float64], rows: NDArray[np.bool_]
    ) -> None:
        columns = np.searchsorted(self.classes_, model.classes_)
        shares[np.ix_(rows, columns)] = model.predict_proba(shown)

    def _learned(self, shown: Matrix, labels: Labels) -> HistGradientBoostingClassifier:
        if len(labels) > MOST_TRACKS:
            order = np.random.default_rng(self.random_state).permutation(len(labels))
            drawn = np.sort(order[:MOST_TRACKS])
            shown, labels = shown[drawn], labels[drawn]
        return HistGradientBoostingClassifier(
            learning_rate=0.06,  # 80 rounds of it were as good as 120, and better than 50 of 0.1
            max_iter=self.rounds,
            max_leaf_nodes=15,
            min_samples_leaf=20,
            l2_regularization=10.0,
            categorical_features=self.features_.categorical or None,
            early_stopping=False,  # the validation side weighs the voices: nobody else learns it
            random_state=self.random_state,
        ).fit(shown, labels)


def _shown_new(numbers: Matrix, said: Readings) -> Matrix:
    return np.hstack([numbers, *said.text, said.history[ALBUM]])


def _shown_known(numbers: Matrix, said: Readings) -> Matrix:
    evidence = said.evidence[:, np.newaxis]
    return np.hstack([numbers, *said.text, *said.history, evidence, said.company])
