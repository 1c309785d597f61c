"""Answers about the tracks a model learned from, by refits that did not learn from them.

What a model says about its own training tracks flatters it. So these are divided into groups by
the fold of their name (all recordings of a name together), and each group is answered by the same
recipe fitted on the others. Other tracks of the artist may be among these: as for every track,
the regime says so.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.dummy import DummyClassifier

from classifier.data import soft_labels
from classifier.data.soft_labels import TrainingSet
from classifier.errors import TooFewTracks
from classifier.ports import Estimator, Labels, Validation
from genrebase.progress import MessageCallback

N_SPLITS: Final = 3
"""Refits. Each learns from two thirds; more would cost a whole training each."""


def predict_out_of_fold(
    estimator: Estimator,
    frame: pd.DataFrame,
    learning: TrainingSet,
    validation: Validation | None,
    classes: Labels,
    tell: MessageCallback,
) -> NDArray[np.float64]:
    """Return a probability per row of `frame` and genre of `classes`.

    `learning` is what is to be learned of these tracks.
    """
    folds, codes = np.unique(_folds(frame), return_inverse=True)
    groups = codes % min(N_SPLITS, len(folds))
    learned = np.searchsorted(folds, _folds(learning.frame)) % min(N_SPLITS, len(folds))
    shares = np.zeros((len(frame), len(classes)))
    for group in range(groups.max() + 1):
        tell(f"refit {group + 1} of {groups.max() + 1}, for honest answers about training tracks")
        held = groups == group
        fitted = _fitted(estimator, learning.subset(learned != group), validation)
        columns = np.searchsorted(classes, fitted.classes_)
        shares[np.ix_(held, columns)] = fitted.predict_proba(frame[held])
    return shares


def _folds(frame: pd.DataFrame) -> NDArray[np.int64]:
    return frame["track_fold"].to_numpy(dtype=np.int64)


def _fitted(
    estimator: Estimator, learning: TrainingSet, validation: Validation | None
) -> Estimator:
    if len(np.unique(learning.labels)) > 1:
        return soft_labels.fit(clone(estimator), learning, validation)
    if len(learning.labels) == 0:
        raise TooFewTracks(
            "All tracks to learn from have the same name, so none can be answered honestly: "
            "harvest or import more."
        )
    shares: Estimator = DummyClassifier(strategy="prior")
    return shares.fit(learning.frame, learning.labels)
