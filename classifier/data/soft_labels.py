"""Soft labels: train a track on every genre it was seen under, with sample weights. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Ids, Mask
from classifier.errors import BadTrainingConfig
from classifier.ports import Estimator, Labels, Validation
from classifier.training_config import SOFT_LABELS, TrainingConfig

Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What an estimator is fitted on."""

    frame: pd.DataFrame
    labels: Labels
    weights: Weights | None = None
    """Sample weight of each row; None: all equal."""
    sightings: pd.DataFrame | None = None
    """(track_id, genre, best_rank) of these tracks, and any playlist: training targets, as labels
    are."""

    def subset(self, rows: Mask) -> "TrainingSet":
        weights = None if self.weights is None else self.weights[rows]
        frame = self.frame[rows]
        return TrainingSet(frame, self.labels[rows], weights, sightings_of(frame, self.sightings))


@runtime_checkable
class SupportsSampleWeight(Protocol):
    """An estimator that accepts sample weights."""

    @property
    def supports_sample_weight(self) -> bool:
        """Whether every inner estimator accepts them, too: `fit` takes them as `weights`."""


def sightings_of(frame: pd.DataFrame, sightings: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return the sightings of the tracks in `frame` only."""
    if sightings is None:
        return None
    ids = frame["track_id"].to_numpy(dtype=np.int64)
    return sightings[np.isin(sightings["track_id"].to_numpy(dtype=np.int64), ids)]


def check_label_policy(estimator: Estimator, config: TrainingConfig) -> None:
    """Raise `BadTrainingConfig` if the estimator does not support the label policy."""
    if config.labels != SOFT_LABELS:
        return
    if not (isinstance(estimator, SupportsSampleWeight) and estimator.supports_sample_weight):
        raise BadTrainingConfig(
            f"{config.estimator} does not accept sample weights, which --labels "
            f"{SOFT_LABELS} needs: "
            "use --estimator gradient_boosting, random_forest, logistic or svm, for instance."
        )
    if config.preprocessing.balance == "smote":
        raise BadTrainingConfig(
            f"SMOTE makes tracks of one genre: with --labels {SOFT_LABELS} use --balance weights."
        )


def fit(
    estimator: Estimator, training_set: TrainingSet, validation: Validation | None
) -> Estimator:
    """Fit the estimator with the sightings (`uses_sightings`) or weights that it supports."""
    more: dict[str, Any] = {}
    if training_set.weights is not None:
        if not isinstance(estimator, SupportsSampleWeight):
            raise BadTrainingConfig(f"{type(estimator).__name__} does not accept sample weights.")
        more["weights"] = training_set.weights
    elif getattr(estimator, "uses_sightings", False):
        more["sightings"] = training_set.sightings
    fit_with: Callable[..., Estimator] = estimator.fit
    return fit_with(training_set.frame, training_set.labels, validation, **more)


def expand_soft_labels(
    tracks: pd.DataFrame,
    labels: Labels,
    tracks_by_genre: Mapping[str, Ids],
    shares: pd.DataFrame | None = None,
) -> TrainingSet:
    """Return one row per track and genre, in the order of the tracks.

    A track in `shares` (track_id, genre, share) has a row for each of its genres there, with the
    share as weight; they add up to one. Another track with k genres (its label and every genre it
    was seen under) has k rows of weight 1/k. A track with a verdict has that genre only.
    """
    ids = tracks["track_id"].to_numpy(dtype=np.int64)
    has_verdict = tracks["verdict"].notna().to_numpy(dtype=bool)
    has_shares = np.zeros(len(ids), dtype=bool)
    if shares is not None:
        has_shares = np.isin(ids, shares["track_id"].to_numpy(dtype=np.int64)) & ~has_verdict
    genres = np.array(sorted(set(tracks_by_genre) | set(labels.tolist())))
    rows_by_genre = []
    for genre in genres:
        seen = np.isin(ids, tracks_by_genre.get(genre, ())) & ~has_verdict
        rows_by_genre.append(np.flatnonzero((seen | (labels == genre)) & ~has_shares))
    codes = np.repeat(np.arange(len(genres)), [len(rows) for rows in rows_by_genre])
    rows = np.concatenate(rows_by_genre)
    weights = 1.0 / np.bincount(rows, minlength=len(ids))[rows]
    if shares is not None:
        more_rows, more_codes, more_weights = _rows_of_shares(shares, ids, has_shares, genres)
        rows = np.concatenate([rows, more_rows])
        codes = np.concatenate([codes, more_codes])
        weights = np.concatenate([weights, more_weights])
    order = np.lexsort((codes, rows))
    return TrainingSet(tracks.iloc[rows[order]], genres[codes[order]], weights[order])


def _rows_of_shares(
    shares: pd.DataFrame, ids: Ids, has_shares: Mask, genres: Labels
) -> tuple[NDArray[np.intp], NDArray[np.intp], Weights]:
    """Return row, code of the genre and share of each of `shares` of a track that has them."""
    order = np.argsort(ids, kind="stable")
    tracks = shares["track_id"].to_numpy(dtype=np.int64)
    rows = order[np.minimum(np.searchsorted(ids[order], tracks), len(ids) - 1)]
    used = (ids[rows] == tracks) & has_shares[rows]
    codes = np.searchsorted(genres, shares["genre"].to_numpy(dtype=str)[used])
    return rows[used], codes, shares["share"].to_numpy(dtype=np.float64)[used]
