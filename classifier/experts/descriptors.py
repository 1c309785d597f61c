"""What the descriptors of a sound say."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from classifier.experts import Scores, logarithm
from classifier.features import audio
from classifier.ports import Labels


class DescriptorsExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """One voice: how much likelier the descriptors make a genre than it is among all tracks.

    `model` is an estimator that looks at them. Its answers count as the log of that ratio, so
    that a track without descriptors says nothing: 0.
    """

    voices = ("descriptors",)

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: pd.DataFrame, y: Labels) -> Self:  # noqa: N803 - scikit-learn's names
        """Learn from the rows that have descriptors."""
        self.classes_ = np.unique(y)
        self.columns_ = audio.described(X)
        heard = self._heard(X)
        genres, counts = np.unique(y[heard], return_counts=True)
        self.model_ = None
        if len(genres) > 1:  # else there is nothing to tell apart
            self.model_ = clone(self.model).fit(X[heard], y[heard])
            self.places_ = np.searchsorted(self.classes_, genres)
            self.prior_ = np.log(counts / counts.sum()).astype(np.float32)
        return self

    def speak(self, X: pd.DataFrame) -> Scores:  # noqa: N803 - scikit-learn's name
        """Return log-ratios; 0 where nothing was heard, and for a genre nothing is known of."""
        said = np.zeros((1, len(X), len(self.classes_)), dtype=np.float32)
        heard = self._heard(X)
        if self.model_ is not None and heard.any():
            shares = self.model_.predict_proba(X[heard])
            said[0][np.ix_(heard, self.places_)] = logarithm(shares) - self.prior_
        return said

    def _heard(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        known = np.zeros(len(frame), dtype=bool)
        for name in self.columns_:
            known |= np.isfinite(audio.numbers(frame, name))
        return known
