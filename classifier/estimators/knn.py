"""`knn`: k nearest neighbours by their features."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neighbors import NearestNeighbors
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from classifier.arrays import Floats
from classifier.estimators.dataframe_classifier import numeric_factory
from classifier.ports import Labels


@dataclass(eq=False, repr=False)
class KNearestNeighbours(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Each of the nearest tracks votes for its genre.

    `weights`: every vote counts the same (`uniform`), or as 1 / distance relative to the nearest
    (`distance`). `prior` votes are added in the shares of the genres in training, so that no genre
    is impossible because it is not among a few neighbours. Where there are fewer tracks than
    `n_neighbors`, all of them vote.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "weights": [StrOptions({"uniform", "distance"})],
        "prior": [Interval(Real, 0, None, closed="left")],
    }

    n_neighbors: int = 30
    weights: str = "distance"
    prior: float = 1.0

    def fit(self, X: Floats, y: Labels) -> Self:
        """Store the tracks."""
        self.classes_, self.codes_, counts = np.unique(y, return_inverse=True, return_counts=True)
        self.shares_ = counts / counts.sum()
        # one by one in exact order: trees are slower from 15 dimensions on
        neighbours = min(self.n_neighbors, len(y))
        self.index_ = NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(X)
        return self

    def predict_proba(self, X: Floats) -> Floats:
        """Return the shares of the votes (rows, genres)."""
        check_is_fitted(self)
        distances, places = self.index_.kneighbors(X)
        votes = np.ones(distances.shape)
        if self.weights == "distance":
            nearest = np.maximum(distances[:, :1], np.finfo(np.float32).tiny)
            votes = nearest / np.maximum(distances, nearest)
        size = len(self.classes_)
        cells = np.arange(len(X))[:, np.newaxis] * size + self.codes_[places]
        counts = np.bincount(cells.ravel(), weights=votes.ravel(), minlength=len(X) * size)
        shares = counts.reshape(len(X), size) + self.prior * self.shares_
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))


make = numeric_factory(
    lambda _seed, _threads: KNearestNeighbours(), impute=True, scaling="standard"
)
"""The votes of the 30 nearest, over standardised numbers and 0/1 categories. Distances are
computed in OpenMP, whose threads the trainer limits."""
