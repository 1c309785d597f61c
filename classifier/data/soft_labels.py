"""Soft labels: a track that was seen under several genres is learned under each of them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.errors import BadTrainingConfig
from classifier.ports import Estimator, Labels, Validation
from classifier.training_config import SOFT_LABELS, TrainingConfig

Weights = NDArray[np.float64]
Ids = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What an estimator is given to learn from."""

    frame: pd.DataFrame
    labels: Labels
    weights: Weights | None = None
    """What each row counts; None: all the same."""
    sightings: pd.DataFrame | None = None
    """(track_id, genre, best_rank) of these tracks: a part of what is told, as labels are."""

    def subset(self, chosen: Mask) -> "TrainingSet":
        """Return the chosen rows."""
        weights = None if self.weights is None else self.weights[chosen]
        frame = self.frame[chosen]
        return TrainingSet(
            frame, self.labels[chosen], weights, sightings_of(frame, self.sightings)
        )


@runtime_checkable
class SupportsSampleWeight(Protocol):
    """An estimator that can let a track count less than another."""

    @property
    def supports_sample_weight(self) -> bool:
        """Tell whether what it is made of can, too."""
        ...

    def fit(
        self,
        X: pd.DataFrame,
        y: Labels,
        validation: Validation | None = None,
        weights: Weights | None = None,
    ) -> Any:
        """Learn as ever; `weights` are what the rows of `X` count."""
        ...


@runtime_checkable
class SupportsSightings(Protocol):
    """An estimator that learns from all genres a track was seen under, beside its label."""

    uses_sightings: bool
    """Whether it does."""

    def fit(
        self,
        X: pd.DataFrame,
        y: Labels,
        validation: Validation | None = None,
        sightings: pd.DataFrame | None = None,
    ) -> Any:
        """Learn as ever; `sightings` are (track_id, genre, best_rank) of the rows of `X`."""
        ...


def sightings_of(frame: pd.DataFrame, sightings: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return the sightings of the tracks in `frame`, and of no other."""
    if sightings is None:
        return None
    ids = frame["track_id"].to_numpy(dtype=np.int64)
    return sightings[np.isin(sightings["track_id"].to_numpy(dtype=np.int64), ids)]


def check_label_policy(estimator: Estimator, choice: TrainingConfig) -> None:
    """Raise `BadTrainingConfig` where the estimator cannot learn the labels that are asked for."""
    if choice.labels != SOFT_LABELS:
        return
    if not (isinstance(estimator, SupportsSampleWeight) and estimator.supports_sample_weight):
        raise BadTrainingConfig(
            f"{choice.estimator} cannot weigh tracks, which --labels {SOFT_LABELS} needs: use "
            "--estimator gradient_boosting, random_forest, logistic or svm, for instance."
        )
    if choice.preprocessing.balance == "smote":
        raise BadTrainingConfig(
            f"SMOTE invents tracks of one genre: with --labels {SOFT_LABELS} use --balance weights."
        )


def fit(estimator: Estimator, learning: TrainingSet, validation: Validation | None) -> Estimator:
    """Return the estimator, fitted."""
    if learning.weights is None and isinstance(estimator, SupportsSightings):
        seen: Estimator = estimator.fit(
            learning.frame, learning.labels, validation, sightings=learning.sightings
        )
        return seen
    if learning.weights is None:
        return estimator.fit(learning.frame, learning.labels, validation)
    if not isinstance(estimator, SupportsSampleWeight):
        raise BadTrainingConfig(f"{type(estimator).__name__} cannot weigh tracks.")
    fitted: Estimator = estimator.fit(
        learning.frame, learning.labels, validation, weights=learning.weights
    )
    return fitted


def expand_soft_labels(
    tracks: pd.DataFrame, labels: Labels, sighted: Mapping[str, Ids]
) -> TrainingSet:
    """Return a row per track and genre of `sighted`, in the order of the tracks.

    A track that counts for k genres has k rows of weight 1/k: its label and every genre it was
    seen under. A track with a verdict has that one alone.
    """
    ids = tracks["track_id"].to_numpy(dtype=np.int64)
    judged = tracks["verdict"].notna().to_numpy(dtype=bool)
    genres = np.array(sorted(set(sighted) | set(labels.tolist())))
    found = [_under(genre, ids, labels, judged, sighted) for genre in genres]
    codes = np.repeat(np.arange(len(genres)), [len(rows) for rows in found])
    rows = np.concatenate(found)
    order = np.lexsort((codes, rows))
    rows, codes = rows[order], codes[order]
    weights = 1.0 / np.bincount(rows, minlength=len(ids))[rows]
    return TrainingSet(tracks.iloc[rows], genres[codes], weights)


def _under(
    genre: str, ids: Ids, labels: Labels, judged: Mask, sighted: Mapping[str, Ids]
) -> NDArray[np.intp]:
    seen = np.isin(ids, sighted.get(genre, ())) & ~judged
    return np.flatnonzero(seen | (labels == genre))
