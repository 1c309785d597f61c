"""Stacking: boosted trees over all base-model scores, one model per kind of artist."""

from dataclasses import KW_ONLY, dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from classifier.arrays import Floats, Mask
from classifier.experts import Scores, log_probabilities, merged_trees
from classifier.experts.stacking_inputs import ALBUM_NAME_SCORE, StackingInputs
from classifier.experts.trees import make_boosted_trees
from classifier.features.audio import Matrix, NumericFeatures
from classifier.ports import Labels

N_ROUNDS: Final = 80
"""Each grows a tree per genre. On ten genres 120 were no better, and 50 at a learning rate of 0.1
a little worse for unseen artists (log-loss 1.211 instead of 1.204)."""
LEARNING_RATE: Final = 0.06
MAX_GENRES: Final = 16
"""The inputs grow with the genres, and so do the trees: 13 take half a minute."""
MAX_TRACKS: Final = 20_000
"""They are trained on so many, drawn by the seed: their training time stays bounded."""


@dataclass(eq=False, repr=False)
class StackingTrees(BaseEstimator):  # type: ignore[misc]  # untyped there
    """Two models: one for unseen artists, over text and numbers, and one for seen artists.

    The second also uses the history of the artists, where their tracks were seen
    (`ArtistSightingFeatures`) and how popular these are: a track that comes up in the searches for
    two genres counts for the one where it ranks higher, which neither its audio nor its artist's
    label can tell.
    """

    groups: tuple[str, ...]
    _: KW_ONLY
    n_rounds: int = N_ROUNDS
    max_tracks: int = MAX_TRACKS
    random_state: int = 0

    def fit(
        self, X: pd.DataFrame, y: Labels, unseen: StackingInputs, seen: StackingInputs
    ) -> Self:
        """Fit to out-of-fold inputs, grouped by artist (`unseen`) and by name (`seen`)."""
        self.classes_ = np.unique(y)
        rows = self._sample(len(y))
        X, y = X.iloc[rows], y[rows]
        self.features_ = NumericFeatures(self.groups).fit(X)
        numbers, inputs = self.features_.transform(X), seen.select(rows)
        self.unseen_model_ = self._boosted().fit(_unseen(numbers, unseen.select(rows)), y)
        artist_seen = inputs.artist_track_counts > 0
        matrix = _seen(numbers[artist_seen], inputs.select(artist_seen))
        self.blank_ = np.isnan(matrix).all(axis=0)  # trees need one value at least
        matrix[:, self.blank_] = 0
        several = len(np.unique(y[artist_seen])) > 1  # a classifier needs two genres
        self.seen_model_ = self._boosted().fit(matrix, y[artist_seen]) if several else None
        return self

    def predict_scores(self, frame: pd.DataFrame, inputs: StackingInputs) -> Scores:
        """Return log-probabilities (1, rows, genres)."""
        numbers = self.features_.transform(frame)
        probabilities = np.zeros((len(frame), len(self.classes_)))
        seen = (inputs.artist_track_counts > 0) & (self.seen_model_ is not None)
        if not seen.all():
            matrix = _unseen(numbers[~seen], inputs.select(~seen))
            self._predict(self.unseen_model_, matrix, probabilities, ~seen)
        if seen.any():
            matrix = _seen(numbers[seen], inputs.select(seen))
            matrix[:, self.blank_] = 0
            self._predict(self.seen_model_, matrix, probabilities, seen)
        return log_probabilities(probabilities)[np.newaxis]

    def _predict(
        self,
        model: Any,
        matrix: Matrix,
        probabilities: Floats,
        rows: Mask,
    ) -> None:
        columns = np.searchsorted(self.classes_, model.classes_)
        probabilities[np.ix_(rows, columns)] = merged_trees.predict_proba(model, matrix)

    def _sample(self, size: int) -> NDArray[np.intp]:
        if size <= self.max_tracks:
            return np.arange(size)
        order = np.random.default_rng(self.random_state).permutation(size)
        return np.sort(order[: self.max_tracks])

    def _boosted(self) -> Any:
        return make_boosted_trees(
            self.features_,
            n_rounds=self.n_rounds,
            learning_rate=LEARNING_RATE,
            random_state=self.random_state,
        )


def _unseen(numbers: Matrix, inputs: StackingInputs) -> Matrix:
    return np.hstack([numbers, *inputs.text, inputs.history[ALBUM_NAME_SCORE]])


def _seen(numbers: Matrix, inputs: StackingInputs) -> Matrix:
    counts = inputs.artist_track_counts[:, np.newaxis]
    return np.hstack([numbers, *inputs.text, *inputs.history, counts, inputs.sighting_features])
