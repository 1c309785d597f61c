"""Predict the training tracks out of fold, by refits that were not trained on them.

Predictions of a model for its own training tracks are too good. So these are divided into groups
by the fold of their name (all recordings of a name together), and each group is predicted by the
same estimator fitted on the other groups (cross-fitting). The others may contain tracks of the
same artist: as for every track, the regime says so.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.dummy import DummyClassifier

from classifier import distributed_fits
from classifier.arrays import Floats
from classifier.data import regimes, soft_labels
from classifier.data.soft_labels import TrainingSet
from classifier.errors import TooFewTracks
from classifier.ports import Estimator, Labels, Validation
from genrebase.progress import MessageCallback

N_SPLITS: Final = 3
"""Refits. Each is fitted on two thirds; more would each cost a whole training."""


def predict_out_of_fold(
    estimator: Estimator,
    frame: pd.DataFrame,
    training_set: TrainingSet,
    validation: Validation | None,
    classes: Labels,
    log: MessageCallback,
) -> Floats:
    """Return probabilities (rows of `frame`, `classes`).

    `training_set` has the rows that are made of these tracks to fit on.
    """
    folds, codes = np.unique(regimes.ids_of(frame, "track_fold"), return_inverse=True)
    n_splits = min(N_SPLITS, len(folds))
    groups = codes % n_splits
    training_folds = regimes.ids_of(training_set.frame, "track_fold")
    training_groups = np.searchsorted(folds, training_folds) % n_splits
    probabilities = np.zeros((len(frame), len(classes)))
    shared = _CrossFit(estimator, frame, groups, training_set, training_groups, validation)
    numbers = range(int(groups.max()) + 1)
    fits = distributed_fits.fit_parts(_predict_group, numbers, shared)
    for group in numbers:
        log(f"refit {group + 1} of {len(numbers)}, to predict the training tracks out of fold")
        fitted_classes, predicted = next(fits)
        columns = np.searchsorted(classes, fitted_classes)
        probabilities[np.ix_(groups == group, columns)] = predicted
    return probabilities


@dataclass(frozen=True, slots=True)
class _CrossFit:
    """What all refits have in common."""

    estimator: Estimator
    frame: pd.DataFrame
    groups: NDArray[np.intp]
    """Of the rows of `frame`."""
    training_set: TrainingSet
    training_groups: NDArray[np.intp]
    """Of the rows of `training_set`."""
    validation: Validation | None


def _predict_group(fits: _CrossFit, group: int) -> tuple[Labels, Floats]:
    """Fit on the other groups; return the classes, and their probabilities in this group."""
    others = fits.training_set.subset(fits.training_groups != group)
    fitted = _fit(fits.estimator, others, fits.validation)
    return fitted.classes_, fitted.predict_proba(fits.frame[fits.groups == group])


def _fit(
    estimator: Estimator, training_set: TrainingSet, validation: Validation | None
) -> Estimator:
    if len(np.unique(training_set.labels)) > 1:
        return soft_labels.fit(clone(estimator), training_set, validation)
    if len(training_set.labels) == 0:
        raise TooFewTracks(
            "All training tracks have the same name, so none can be predicted out of fold: "
            "harvest or import more."
        )
    prior: Estimator = DummyClassifier(strategy="prior")
    return prior.fit(training_set.frame, training_set.labels)
