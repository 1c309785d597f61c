"""What the trainer expects of an estimator and of the factory that makes it."""

from collections.abc import Callable
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.records import Epoch
from classifier.training_config import Preprocessing

Labels = NDArray[np.str_]
Validation = tuple[pd.DataFrame, Labels]
"""Held-out frame and labels, for early stopping and calibration; never a test side."""


class Estimator(Protocol):
    """A scikit-learn classifier over frames with the views' columns.

    Unfitted it can be cloned; columns it does not know are ignored, absent ones are unknown.
    """

    classes_: Labels
    """The genres, sorted; the columns of `predict_proba`."""

    def fit(self, X: pd.DataFrame, y: Labels, validation: Validation | None = None) -> Self:
        """Learn from `X`; `validation` may end the learning early and is not learned from."""
        ...

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return probabilities, one row per row of `X`, summing to 1."""
        ...

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, nested ones as `part__name`."""
        ...


@runtime_checkable
class UsesFeatureGroups(Protocol):
    """An estimator that looks at more than numbers."""

    feature_groups: tuple[str, ...]
    """The feature groups it can look at."""


@runtime_checkable
class SupportsPreprocessing(Protocol):
    """An estimator whose tracks can be prepared as was chosen."""

    def with_preprocessing(self, preparation: Preprocessing) -> Estimator:
        """Return the same estimator, unfitted, that prepares its tracks like this.

        Raise `BadChoice` for what it cannot do.
        """
        ...


@runtime_checkable
class SupportsBinaryProba(Protocol):
    """An estimator that asks a model of its own about each genre, yes or no."""

    classes_: Labels
    """The genres, sorted; the columns of `binary_proba`."""

    def binary_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return per row and genre the probability of yes; rows need not sum to 1."""
        ...


@runtime_checkable
class ReportsEpochs(Protocol):
    """An estimator that learns in passes over the tracks, and tells of each."""

    def on_epoch(self, listener: Callable[[Epoch], None]) -> None:
        """Have `listener` told of each epoch of the next `fit`."""
        ...


@runtime_checkable
class RequiresLibraries(Protocol):
    """An estimator whose answers depend on libraries that come as an extra."""

    libraries: tuple[str, ...]
    """Their names as distributions."""


class EstimatorFactory(Protocol):
    """Makes an unfitted estimator: what an entry point of `classifier.estimators` names."""

    def __call__(
        self, *, features: tuple[str, ...], seed: int, threads: int, **params: Any
    ) -> Estimator:
        """Return an estimator over the feature groups `features`.

        Raise `BadParameter` for a parameter it does not have or a value it cannot use.
        """
        ...
