"""Protocols that estimators and their factories implement."""

from collections.abc import Callable
from typing import Any, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Floats
from classifier.model_records import Epoch
from classifier.training_config import Preprocessing

Labels = NDArray[np.str_]
Validation = tuple[pd.DataFrame, Labels]
"""Held-out frame and labels, for early stopping and calibration; never a test side."""


class Estimator(Protocol):
    """A scikit-learn classifier over frames with the views' columns.

    It can be cloned before it is fitted; other columns are ignored, absent ones count as missing.
    """

    classes_: Labels
    """The genres, sorted; the columns of `predict_proba`."""

    def fit(self, X: pd.DataFrame, y: Labels, validation: Validation | None = None) -> Self:
        """Fit on `X`; `validation` is used for early stopping and calibration only."""

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """Return probabilities, one row per row of `X`, summing to 1."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, nested ones as `part__name`."""


@runtime_checkable
class UsesFeatureGroups(Protocol):
    """An estimator that uses more than numeric features."""

    feature_groups: tuple[str, ...]
    """The feature groups that it supports."""


@runtime_checkable
class SupportsPreprocessing(Protocol):
    """An estimator with configurable preprocessing."""

    def with_preprocessing(self, preprocessing: Preprocessing) -> Estimator:
        """Return the same estimator, unfitted, with this preprocessing.

        Raise `BadTrainingConfig` for a step that it does not support.
        """


@runtime_checkable
class SupportsBinaryProba(Protocol):
    """A one-vs-rest estimator: a binary model per genre."""

    classes_: Labels
    """The genres, sorted; the columns of `binary_proba`."""

    def binary_proba(self, X: pd.DataFrame) -> Floats:
        """Return the probability of each genre against the rest; rows need not sum to 1."""


@runtime_checkable
class ReportsEpochs(Protocol):
    """An estimator that is trained in epochs and reports each."""

    def on_epoch(self, listener: Callable[[Epoch], None]) -> None:
        """Call `listener` after each epoch of the next `fit`."""


@runtime_checkable
class RequiresLibraries(Protocol):
    """An estimator whose predictions depend on libraries of an extra."""

    libraries: tuple[str, ...]
    """Names of their distributions."""


Made_co = TypeVar("Made_co", bound=Estimator, covariant=True)


class EstimatorFactory(Protocol[Made_co]):
    """Makes an unfitted estimator: the object of an entry point in `classifier.estimators`."""

    def __call__(
        self, *, features: tuple[str, ...], seed: int, threads: int, **params: Any
    ) -> Made_co:
        """Return an estimator over the feature groups `features`.

        Raise `BadParameter` for a parameter it does not have or a value it cannot use.
        """
