"""Boosted trees over everything that is said of a track, apart for known and for new artists."""

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from classifier.experts import Scores, log_probabilities
from classifier.experts.stacking_inputs import ALBUM_NAME_SCORE, StackingInputs
from classifier.experts.trees import make_boosted_trees
from classifier.features.audio import Matrix, NumericFeatures
from classifier.ports import Labels

N_ROUNDS: Final = 80
"""Each grows a tree per genre. On ten genres 120 told no better, and 50 at a rate of 0.1 told new
artists a little worse (log-loss 1.211 in the place of 1.204)."""
LEARNING_RATE: Final = 0.06
MAX_GENRES: Final = 16
"""What is said grows with the genres, and so do the trees: 13 take half a minute."""
MAX_TRACKS: Final = 20_000
"""They learn from so many, drawn by the seed: the time they take stays bounded."""


class StackingTrees(BaseEstimator):  # type: ignore[misc]  # untyped there
    """Two models: one for tracks of which nothing but text and sound is known, and one for others.

    The second also hears the history of the artists, where their tracks were seen (`Company`) and
    how popular these are: a track that comes up in the searches for two genres counts for the one
    where it stands further up, which neither its sound nor its artist's label can tell.
    """

    def __init__(
        self,
        groups: tuple[str, ...],
        *,
        rounds: int = N_ROUNDS,
        most_tracks: int = MAX_TRACKS,
        random_state: int = 0,
    ) -> None:
        self.groups = groups
        self.rounds = rounds
        self.most_tracks = most_tracks
        self.random_state = random_state

    def fit(
        self,
        X: pd.DataFrame,
        y: Labels,
        strangers: StackingInputs,
        acquaintances: StackingInputs,
    ) -> Self:
        """Learn from what readers say who did not learn from the tracks."""
        self.classes_ = np.unique(y)
        drawn = self._drawn(len(y))
        X, y = X.iloc[drawn], y[drawn]
        self.features_ = NumericFeatures(self.groups).fit(X)
        numbers, said = self.features_.transform(X), acquaintances.select(drawn)
        self.new_ = self._boosted().fit(_shown_new(numbers, strangers.select(drawn)), y)
        known = said.artist_track_counts > 0
        shown = _shown_known(numbers[known], said.select(known))
        self.blank_ = np.isnan(shown).all(axis=0)  # trees want one value at least
        shown[:, self.blank_] = 0
        some = len(np.unique(y[known])) > 1  # else nobody is known, or nothing to tell apart
        self.known_ = self._boosted().fit(shown, y[known]) if some else None
        return self

    def predict_scores(self, frame: pd.DataFrame, readings: StackingInputs) -> Scores:
        """Return log-probabilities, one voice."""
        numbers = self.features_.transform(frame)
        shares = np.zeros((len(frame), len(self.classes_)))
        known = (readings.artist_track_counts > 0) & (self.known_ is not None)
        if not known.all():
            shown = _shown_new(numbers[~known], readings.select(~known))
            self._ask(self.new_, shown, shares, ~known)
        if known.any():
            shown = _shown_known(numbers[known], readings.select(known))
            shown[:, self.blank_] = 0
            self._ask(self.known_, shown, shares, known)
        return np.asarray(log_probabilities(shares)[np.newaxis])

    def _ask(
        self, model: Any, shown: Matrix, shares: NDArray[np.float64], rows: NDArray[np.bool_]
    ) -> None:
        columns = np.searchsorted(self.classes_, model.classes_)
        shares[np.ix_(rows, columns)] = model.predict_proba(shown)

    def _drawn(self, size: int) -> NDArray[np.intp]:
        """Return the rows to learn from, in order."""
        if size <= self.most_tracks:
            return np.arange(size)
        order = np.random.default_rng(self.random_state).permutation(size)
        return np.sort(order[: self.most_tracks])

    def _boosted(self) -> Any:
        return make_boosted_trees(
            self.features_, rounds=self.rounds, rate=LEARNING_RATE, random_state=self.random_state
        )


def _shown_new(numbers: Matrix, said: StackingInputs) -> Matrix:
    return np.hstack([numbers, *said.text, said.history[ALBUM_NAME_SCORE]])


def _shown_known(numbers: Matrix, said: StackingInputs) -> Matrix:
    evidence = said.artist_track_counts[:, np.newaxis]
    return np.hstack([numbers, *said.text, *said.history, evidence, said.sighting_features])
