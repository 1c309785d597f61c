"""What the trainer expects of an estimator and of the factory that makes it."""

from typing import Any, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Labels = NDArray[np.str_]
Validation = tuple[pd.DataFrame, Labels]
"""Held-out frame and labels, for early stopping and calibration; never a test side."""


class Estimator(Protocol):
    """A scikit-learn classifier over frames with the views' columns.

    Unfitted it can be cloned; columns it does not know are ignored, absent ones are unknown.
    """

    classes_: Labels
    """The genres, sorted; the columns of `predict_proba`."""

    def fit(self, X: pd.DataFrame, y: Labels, validation: Validation | None = None) -> Self:  # noqa: N803 - scikit-learn's names
        """Learn from `X`; `validation` may end the learning early and is not learned from."""
        ...

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:  # noqa: N803 - scikit-learn's name
        """Return probabilities, one row per row of `X`, summing to 1."""
        ...

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, nested ones as `part__name`."""
        ...


class Factory(Protocol):
    """Makes an unfitted estimator: what an entry point of `classifier.estimators` names."""

    def __call__(
        self, *, features: tuple[str, ...], seed: int, threads: int, **params: Any
    ) -> Estimator:
        """Return an estimator over the feature groups `features`.

        Raise `BadParameter` for a parameter it does not have or a value it cannot use.
        """
        ...
