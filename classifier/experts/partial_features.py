"""What those tracks say of which more was heard than the others have."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from classifier.experts import Scores, log_probabilities
from classifier.features import audio, groups
from classifier.ports import Labels


class PartialFeaturesExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """One voice: how much likelier these groups make a genre than it is among the tracks heard.

    `model` is an estimator that looks at `groups`. Its answers count as the log of that ratio, so
    that a track of which nothing was heard says nothing: 0.
    """

    name = "heard"

    def __init__(self, voice: str, groups: tuple[str, ...], model: Any) -> None:
        self.voice = voice
        self.groups = groups
        self.model = model

    @property
    def score_names(self) -> tuple[str, ...]:
        """Return the name of its one voice."""
        return (self.voice,)

    def fit(self, X: pd.DataFrame, y: Labels) -> Self:
        """Learn from the rows of which something was heard."""
        self.classes_ = np.unique(y)
        self.columns_ = tuple(groups.columns(self.groups, X))
        heard = self._heard(X)
        names, counts = np.unique(y[heard], return_counts=True)
        self.model_ = None
        if len(names) > 1:  # else there is nothing to tell apart
            self.model_ = clone(self.model).fit(X[heard], y[heard])
            self.places_ = np.searchsorted(self.classes_, names)
            self.prior_ = np.log(counts / counts.sum()).astype(np.float32)
        return self

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return log-ratios; 0 where nothing was heard, and for a genre nothing is known of."""
        said = np.zeros((1, len(X), len(self.classes_)), dtype=np.float32)
        heard = self._heard(X)
        if self.model_ is not None and heard.any():
            shares = self.model_.predict_proba(X[heard])
            said[0][np.ix_(heard, self.places_)] = log_probabilities(shares) - self.prior_
        return said

    def _heard(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        known = np.zeros(len(frame), dtype=bool)
        for name in self.columns_:
            known |= np.isfinite(audio.numeric_column(frame, name))
        return known
