"""What text, history and numbers say together: what a title means depends on the sound."""

from typing import Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from classifier.experts import Scores, log_probabilities, stacking_inputs
from classifier.experts.artist_target_encoding import ArtistHistoryExpert
from classifier.experts.mlp_numpy import Matrix, NumpyMLP
from classifier.experts.naive_bayes_text import NaiveBayesTextExpert, count_ngrams
from classifier.experts.stacking_inputs import StackingInputs, TextAndHistoryModels
from classifier.experts.stacking_trees import MAX_GENRES as MOST_FOR_TREES
from classifier.experts.stacking_trees import N_ROUNDS, StackingTrees
from classifier.features.piecewise_linear import PiecewiseLinearEncoder
from classifier.ports import Labels

N_NETWORKS: Final = 2
"""Networks that differ by their seed; three or four brought nothing more."""
MAX_GENRES: Final = 40
"""With more, what the readers say is too wide a matrix for a training of minutes."""

_ARTISTS: Final = slice(0, 3)
"""The voices of history that only speak of known artists."""
_TEXT_SCALE, _HISTORY_SCALE, _FAR = 0.2, 0.3, 3.0
"""Log-ratios of some units become numbers of about unit scale."""


class StackingExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """The voices of text and history, and those of models that hear these beside the numbers.

    These models, networks and boosted trees, must learn how far to trust readers who have *not*
    seen a track. So each track is shown to them twice: as a stranger's, its text read by readers
    that never saw its artist and without history; and as an acquaintance's, by readers that saw
    the artist's other tracks but none of this name. Fed with history any other way they would
    lean on it and fail on new artists.
    """

    name = "joint"

    def __init__(
        self,
        groups: tuple[str, ...],
        *,
        nets: int = N_NETWORKS,
        rounds: int = N_ROUNDS,
        random_state: int = 0,
    ) -> None:
        self.groups = groups
        self.nets = nets
        self.rounds = rounds
        self.random_state = random_state

    @property
    def score_names(self) -> tuple[str, ...]:
        """Return what it has to say, by name, once it has learned."""
        read_aloud = (*NaiveBayesTextExpert.score_names, *ArtistHistoryExpert.score_names, "joint")
        return read_aloud if self.trees_ is None else (*read_aloud, "joint_trees")

    def fit(
        self,
        X: pd.DataFrame,
        y: Labels,
        sightings: pd.DataFrame | None = None,
    ) -> Self:
        """Learn from every row twice; the readers once from all."""
        self.features_ = PiecewiseLinearEncoder(self.groups)
        numbers = self.features_.fit_transform(X)
        seen = count_ngrams(X)
        strangers = stacking_inputs.out_of_fold_by_artist(X, seen, y)
        acquaintances = stacking_inputs.out_of_fold_by_name(X, seen, y, sightings)
        taught = stacking_inputs.fit_models(X, seen, y, sightings)
        self.text_, self.history_, self.company_ = (
            taught.text,
            taught.history,
            taught.sighting_features,
        )
        shown = [np.hstack([numbers, _heard(said)]) for said in (strangers, acquaintances)]
        first = self.random_state * self.nets
        self.members_ = [
            NumpyMLP(random_state=first + place).fit(np.vstack(shown), np.concatenate([y, y]))
            for place in range(self.nets)
        ]
        self.trees_ = None
        if len(np.unique(y)) <= MOST_FOR_TREES:
            trees = StackingTrees(self.groups, rounds=self.rounds, random_state=self.random_state)
            self.trees_ = trees.fit(X, y, strangers, acquaintances)
        return self

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return the readers' log-ratios and the models' log-probabilities."""
        said = TextAndHistoryModels(self.text_, self.history_, self.company_).predict(X)
        shown = np.hstack([self.features_.transform(X), _heard(said)])
        by_nets = [log_probabilities(member.predict_proba(shown)) for member in self.members_]
        voices = [said.text, said.history, np.mean(by_nets, axis=0)[np.newaxis]]
        if self.trees_ is not None:
            voices.append(self.trees_.predict_scores(X, said))
        return np.concatenate(voices)


def _heard(said: StackingInputs) -> Matrix:
    """Return what was said as columns of about unit scale."""
    known = said.artist_track_counts
    return np.hstack(
        [
            *(said.text * _TEXT_SCALE).clip(-_FAR, _FAR),
            *(said.history[_ARTISTS] * _HISTORY_SCALE).clip(-_FAR, _FAR),
            (np.log1p(known) * _HISTORY_SCALE)[:, np.newaxis],
            (known > 0)[:, np.newaxis],
        ]
    ).astype(np.float32)
