"""Networks and a forest over text and numbers together, without artist history."""

from collections.abc import Container
from dataclasses import KW_ONLY, dataclass, field
from typing import Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesClassifier

from classifier.arrays import Floats
from classifier.experts import Scores, fine_classes, log_probabilities, stacking_inputs
from classifier.experts.fine_classes import Starts
from classifier.experts.mlp_ensemble import fit_networks, mean_log_probabilities
from classifier.experts.mlp_numpy import HIDDEN_LAYER_SIZES, Matrix
from classifier.experts.naive_bayes_text import NaiveBayesTextExpert, NgramCounts, count_ngrams
from classifier.features import hashed_ngrams
from classifier.features.audio import NumericFeatures
from classifier.features.periodic import PeriodicEncoder
from classifier.features.piecewise_linear import PiecewiseLinearEncoder
from classifier.features.text_lsa import TextLSA
from classifier.ports import Labels

N_NETWORKS: Final = 4
"""Networks that differ by their seed."""
LARGE: Final = (512, 256)
"""Hidden layer sizes with many genres: three such networks are better than four of the usual."""
N_TREES: Final = 100
MIN_LEAF: Final = 5
"""Tracks of a leaf. 60 trees with leaves of 10 have a third of the size, but gain less."""
SHARE_OF_COLUMNS: Final = 0.2
"""Columns that each node of a tree chooses from."""
_MISSING: Final = -99.0
"""Below every number: a tree can split missing values off."""
FOREST_SCORE: Final = "content_forest"
_TEXT_SCALE, _CLIP = 0.2, 3.0
"""Scale log-ratios of some units to about unit scale."""


@dataclass(eq=False, repr=False)
class ContentNetworksExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """The score of networks over numbers and the scores of the text, and the text's scores.

    A network must learn how far to trust text scores of artists that the text model was *not*
    trained on. So it is trained on out-of-fold scores, grouped by artist. Artist history is not
    among its inputs: it would rely on it. Many tracks of an artist count the square root of their
    number.

    With `lsa` the directions in which texts differ (`TextLSA`) are inputs, too: of few genres
    scores are a narrow summary of a text. With `with_text` it has the text scores as scores of
    its own. With `with_forest` it has the score of extremely randomised trees (Geurts et al.,
    Machine Learning 63, 2006) over the same inputs, which err elsewhere than networks.

    The networks learn finer classes than genres, if `sightings` have them (see `fine_classes`).
    With `many_genres` they do not: these are wide enough. There they are larger networks, and
    numbers are encoded as by `PeriodicEncoder`, too.
    """

    name = "content"

    groups: tuple[str, ...]
    _: KW_ONLY
    lsa: bool = False
    many_genres: bool = False
    with_text: bool = True
    with_forest: bool = False
    n_networks: int = N_NETWORKS
    random_state: int = 0
    starts_: Starts | None = field(default=None, init=False)
    """Of the networks' classes; None: their classes are genres."""

    @property
    def score_names(self) -> tuple[str, ...]:
        """Return the names of its scores, once it is fitted."""
        text = NaiveBayesTextExpert.score_names if self.with_text else ()
        has_forest = self.with_forest and getattr(self, "forest_", None) is not None
        return (*text, "content", *((FOREST_SCORE,) if has_forest else ()))

    def fit(self, X: pd.DataFrame, y: Labels, sightings: pd.DataFrame | None = None) -> Self:
        """Fit the text model to all rows, and the networks to out-of-fold scores and numbers."""
        encoder = PeriodicEncoder if self.many_genres else PiecewiseLinearEncoder
        self.features_ = encoder(self.groups).fit(X)
        ngrams = count_ngrams(X)
        self.lsa_ = None
        if self.lsa:
            lsa = TextLSA(random_state=self.random_state)
            self.lsa_ = lsa.fit(ngrams.counts, ngrams.artists)
        self.text_ = NaiveBayesTextExpert().fit_counts(ngrams, y)
        text = self._text_inputs(ngrams, stacking_inputs.out_of_fold_text(ngrams, y))
        weights = hashed_ngrams.artist_weights(ngrams.artists)
        matrix = np.hstack([self.features_.transform(X), text])
        fine = None if self.many_genres else fine_classes.fine_classes(X, y, sightings)
        self.starts_ = None if fine is None else fine.starts
        targets = y if fine is None else fine.codes
        self.networks_ = fit_networks(
            matrix,
            targets,
            self.n_networks,
            self.random_state,
            weights,
            LARGE if self.many_genres else HIDDEN_LAYER_SIZES,
        )
        self.numbers_ = self.forest_ = None
        if self.with_forest:
            self.numbers_ = NumericFeatures(self.groups).fit(X)
            self.forest_ = ExtraTreesClassifier(
                N_TREES,
                min_samples_leaf=MIN_LEAF,
                max_features=SHARE_OF_COLUMNS,
                random_state=self.random_state,
            ).fit(_tree_inputs(self.numbers_.transform(X), text), y, sample_weight=weights)
        return self

    def leave_out(self, scores: Container[str]) -> None:
        """Remove the forest if its score is among `scores`."""
        if FOREST_SCORE in scores:
            self.numbers_ = self.forest_ = None

    def predict_scores(self, X: pd.DataFrame, ngrams: NgramCounts | None = None) -> Scores:
        """Return log-ratios of the texts and log-probabilities of the networks.

        `ngrams`: the `count_ngrams` of `X`, where these were counted already.
        """
        ngrams = count_ngrams(X) if ngrams is None else ngrams
        text = self.text_.predict_scores_of_counts(ngrams)
        inputs = self._text_inputs(ngrams, text)
        matrix = np.hstack([self.features_.transform(X), inputs])
        scores = [text] if self.with_text else []
        scores.append(mean_log_probabilities(self.networks_, matrix, self.starts_))
        if self.numbers_ is not None and self.forest_ is not None:
            numbers = self.numbers_.transform(X)
            shares = _forest_shares(self.forest_, _tree_inputs(numbers, inputs))
            scores.append(log_probabilities(shares)[np.newaxis])
        return np.concatenate(scores)

    def _text_inputs(self, ngrams: NgramCounts, text: Scores) -> Matrix:
        """Return text scores and directions as columns of about unit scale."""
        columns = [*(text * _TEXT_SCALE).clip(-_CLIP, _CLIP)]
        if self.lsa_ is not None:
            columns.append(self.lsa_.transform(ngrams.counts))
        return np.hstack(columns).astype(np.float32)


def _forest_shares(forest: ExtraTreesClassifier, matrix: Matrix) -> Floats:
    """Return the forest's `predict_proba` without its checks of each tree, 8 ms for one track."""
    shares = np.zeros((len(matrix), len(forest.classes_)))
    for tree in forest.estimators_:
        shares += tree.tree_.predict(matrix)
    return shares / len(forest.estimators_)


def _tree_inputs(numbers: Matrix, text: Matrix) -> Matrix:
    """Return numbers, unscaled, and the inputs from text; none missing."""
    return np.hstack([np.nan_to_num(numbers, nan=_MISSING), text]).astype(np.float32)
