"""A base model for features that only some tracks have: harmony, timbre, descriptors."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from classifier.arrays import Mask
from classifier.experts import Scores, log_probabilities
from classifier.features import audio, groups
from classifier.ports import Labels


class PartialFeaturesExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """The log-ratio of a genre's probability to its share among the tracks with these features.

    `model` is an estimator over `groups`. A track without any of the features scores 0.
    """

    name = "heard"

    def __init__(self, score_name: str, groups: tuple[str, ...], model: Any) -> None:
        self.score_name = score_name
        self.groups = groups
        self.model = model

    @property
    def score_names(self) -> tuple[str, ...]:
        """Return the name of its one score."""
        return (self.score_name,)

    def fit(self, X: pd.DataFrame, y: Labels) -> Self:
        """Fit to the rows that have any of the features."""
        self.classes_ = np.unique(y)
        self.columns_ = tuple(groups.columns(self.groups, X))
        present = self._has_features(X)
        names, counts = np.unique(y[present], return_counts=True)
        self.model_ = None
        if len(names) > 1:  # a classifier needs two genres
            self.model_ = clone(self.model).fit(X[present], y[present])
            self.codes_ = np.searchsorted(self.classes_, names)
            self.prior_ = np.log(counts / counts.sum()).astype(np.float32)
        return self

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return log-ratios (1, rows, genres); 0 without features, or for a genre without."""
        scores = np.zeros((1, len(X), len(self.classes_)), dtype=np.float32)
        present = self._has_features(X)
        if self.model_ is not None and present.any():
            logs = log_probabilities(self.model_.predict_proba(X[present]))
            scores[0][np.ix_(present, self.codes_)] = logs - self.prior_
        return scores

    def _has_features(self, frame: pd.DataFrame) -> Mask:
        present = np.zeros(len(frame), dtype=bool)
        for name in self.columns_:
            present |= np.isfinite(audio.numeric_column(frame, name))
        return present
