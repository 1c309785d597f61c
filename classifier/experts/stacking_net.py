"""Stacking: networks and trees over text scores, history scores and numbers together.

They model interactions: what a title indicates depends on the audio.
"""

from collections.abc import Container
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from classifier.experts import Scores, fine_classes, stacking_inputs
from classifier.experts.artist_target_encoding import ArtistHistoryExpert
from classifier.experts.fine_classes import FineClasses, FineClassHistory, Starts
from classifier.experts.mlp_ensemble import fit_networks, mean_log_probabilities
from classifier.experts.mlp_numpy import Matrix
from classifier.experts.naive_bayes_text import NaiveBayesTextExpert, NgramCounts, count_ngrams
from classifier.experts.stacking_inputs import StackingInputs, TextAndHistoryModels
from classifier.experts.stacking_trees import MAX_GENRES as MAX_GENRES_OF_TREES
from classifier.experts.stacking_trees import N_ROUNDS, StackingTrees
from classifier.features.piecewise_linear import PiecewiseLinearEncoder
from classifier.ports import Labels

N_NETWORKS: Final = 2
"""Networks that differ by their seed; three or four brought nothing more."""
MAX_GENRES: Final = 40
"""With more, the scores are too wide a matrix for a training of minutes."""

_ARTIST_SCORES: Final = slice(0, 3)
"""The history scores that only seen artists have."""
_TEXT_SCALE, _HISTORY_SCALE, _CLIP = 0.2, 0.3, 3.0
"""Scale log-ratios of some units to about unit scale."""


@dataclass(eq=False, repr=False)
class StackingExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """The scores of text and history, and those of models over these and the numbers.

    These models, networks and boosted trees, must learn how far to trust base models that were
    *not* trained on a track. So each track is used twice in training: once with out-of-fold inputs
    grouped by artist and without history, once grouped by name. With history in any other way
    they would rely on it and fail on unseen artists. The networks learn finer classes than
    genres, if `sightings` have them (`fine_classes`), and the artists' history of these is then
    an input.
    """

    name = "joint"

    groups: tuple[str, ...]
    _: KW_ONLY
    n_networks: int = N_NETWORKS
    n_rounds: int = N_ROUNDS
    random_state: int = 0
    starts_: Starts | None = field(default=None, init=False)
    """Of the networks' classes; None: their classes are genres."""
    fine_history_: FineClassHistory | None = field(default=None, init=False)

    @property
    def score_names(self) -> tuple[str, ...]:
        """Return the names of its scores, once it is fitted."""
        names = (*NaiveBayesTextExpert.score_names, *ArtistHistoryExpert.score_names, "joint")
        return names if self.trees_ is None else (*names, "joint_trees")

    def fit(self, X: pd.DataFrame, y: Labels, sightings: pd.DataFrame | None = None) -> Self:
        """Fit the stacked models to every row twice, and the base models to all rows once."""
        self.features_ = PiecewiseLinearEncoder(self.groups)
        numbers = self.features_.fit_transform(X)
        ngrams = count_ngrams(X)
        unseen = stacking_inputs.out_of_fold_by_artist(X, ngrams, y)
        seen = stacking_inputs.out_of_fold_by_name(X, ngrams, y, sightings)
        models = stacking_inputs.fit_models(X, ngrams, y, sightings)
        self.text_, self.history_ = models.text, models.history
        self.sighting_features_ = models.sighting_features
        fine = fine_classes.fine_classes(X, y, sightings)
        histories = self._fit_fine_history(X, ngrams, fine)
        matrix = np.vstack(
            [
                np.hstack([numbers, _scaled(inputs), history])
                for inputs, history in zip((unseen, seen), histories, strict=True)
            ]
        )
        self.starts_ = None if fine is None else fine.starts
        targets = y if fine is None else fine.codes
        twice: Any = np.concatenate([targets, targets])
        self.networks_ = fit_networks(matrix, twice, self.n_networks, self.random_state)
        self.trees_ = None
        if len(np.unique(y)) <= MAX_GENRES_OF_TREES:
            self.trees_ = StackingTrees(
                self.groups, n_rounds=self.n_rounds, random_state=self.random_state
            ).fit(X, y, unseen, seen)
        return self

    def leave_out(self, scores: Container[str]) -> None:
        """Remove the trees if their score is among `scores`."""
        if "joint_trees" in scores:
            self.trees_ = None

    def predict_scores(self, X: pd.DataFrame, ngrams: NgramCounts | None = None) -> Scores:
        """Return the base models' log-ratios and the stacked models' log-probabilities.

        `ngrams`: the `count_ngrams` of `X`, where these were counted already.
        """
        models = TextAndHistoryModels(self.text_, self.history_, self.sighting_features_)
        inputs = models.predict(X, count_ngrams(X) if ngrams is None else ngrams)
        numbers = [self.features_.transform(X), _scaled(inputs)]
        if self.fine_history_ is not None:
            numbers.append(_scaled_history(self.fine_history_.transform(X)))
        matrix = np.hstack(numbers)
        of_networks = mean_log_probabilities(self.networks_, matrix, self.starts_)
        scores = [inputs.text, inputs.history, of_networks]
        if self.trees_ is not None:
            scores.append(self.trees_.predict_scores(X, inputs))
        return np.concatenate(scores)

    def _fit_fine_history(
        self, X: pd.DataFrame, ngrams: NgramCounts, fine: FineClasses | None
    ) -> tuple[Matrix, Matrix]:
        """Return its inputs as if the artists were unseen, and as if only the tracks were."""
        nothing = np.zeros((len(X), 0), dtype=np.float32)
        self.fine_history_ = None
        if fine is None:
            return nothing, nothing
        splits = stacking_inputs.splits_by_name(X, ngrams)
        history = fine_classes.fine_class_history(X, fine, splits)
        if history is None:
            return nothing, nothing
        self.fine_history_, out_of_fold = history
        return np.zeros_like(out_of_fold), _scaled_history(out_of_fold)


def _scaled_history(history: Matrix) -> Matrix:
    return np.asarray((history * _HISTORY_SCALE).clip(-_CLIP, _CLIP))


def _scaled(inputs: StackingInputs) -> Matrix:
    """Return the inputs as columns of about unit scale."""
    counts = inputs.artist_track_counts
    return np.hstack(
        [
            *(inputs.text * _TEXT_SCALE).clip(-_CLIP, _CLIP),
            *(inputs.history[_ARTIST_SCORES] * _HISTORY_SCALE).clip(-_CLIP, _CLIP),
            (np.log1p(counts) * _HISTORY_SCALE)[:, np.newaxis],
            (counts > 0)[:, np.newaxis],
        ]
    ).astype(np.float32)
