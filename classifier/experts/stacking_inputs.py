"""Stacking inputs: out-of-fold scores of text and artist history for the training tracks.

Cross-fitted twice: by a group split on artists, as if every artist were unseen, and by a split on
track names, as if the artist were seen but not this track (in any version of it).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Mask
from classifier.experts import Scores
from classifier.experts.artist_sightings import (
    COLUMNS_PER_GENRE,
    EXTRA_COLUMNS,
    ArtistSightingFeatures,
)
from classifier.experts.artist_target_encoding import ArtistHistoryExpert, name_hash
from classifier.experts.naive_bayes_text import NaiveBayesTextExpert, NgramCounts
from classifier.features import hashed_ngrams
from classifier.features.audio import Matrix
from classifier.ports import Labels

N_SPLITS: Final = 5
"""Each fifth of the tracks is predicted by models that were trained on the others."""
ALBUM_NAME_SCORE: Final = ArtistHistoryExpert.score_names.index("album_name")
"""The one history score that unseen artists have, too."""


@dataclass(frozen=True, slots=True)
class StackingInputs:
    """The base models' outputs for some tracks."""

    text: Scores
    """The scores of `NaiveBayesTextExpert`."""
    history: Scores
    """The scores of `ArtistHistoryExpert`; 0 without training tracks."""
    artist_track_counts: NDArray[np.float32]
    """Number of training tracks of the credited artists."""
    sighting_features: Matrix
    """The columns of `ArtistSightingFeatures`; none where there are no sightings."""

    def select(self, rows: Mask | NDArray[np.intp]) -> "StackingInputs":
        return StackingInputs(
            self.text[:, rows],
            self.history[:, rows],
            self.artist_track_counts[rows],
            self.sighting_features[rows],
        )


@dataclass(frozen=True, slots=True)
class TextAndHistoryModels:
    """Fitted base models."""

    text: NaiveBayesTextExpert
    history: ArtistHistoryExpert
    sighting_features: ArtistSightingFeatures | None
    """None where there are no sightings."""

    def predict(self, frame: pd.DataFrame, ngrams: NgramCounts) -> StackingInputs:
        """Return the outputs for tracks with these n-grams, which no model was trained on."""
        features = np.zeros((len(frame), 0), dtype=np.float32)
        if self.sighting_features is not None:
            features = self.sighting_features.transform(frame)
        return StackingInputs(
            self.text.predict_scores_of_counts(ngrams),
            self.history.predict_scores(frame),
            self.history.artist_track_counts(frame),
            features,
        )


def fit_models(
    frame: pd.DataFrame, ngrams: NgramCounts, labels: Labels, sightings: pd.DataFrame | None
) -> TextAndHistoryModels:
    """Return models fitted to these tracks; `ngrams` are their `count_ngrams`."""
    return TextAndHistoryModels(
        NaiveBayesTextExpert().fit_counts(ngrams, labels),
        ArtistHistoryExpert().fit(frame, labels),
        None if sightings is None else ArtistSightingFeatures().fit(frame, labels, sightings),
    )


def out_of_fold_by_artist(
    frame: pd.DataFrame, ngrams: NgramCounts, labels: Labels
) -> StackingInputs:
    """Return out-of-fold text scores, grouped by artist; history scores stay zero."""
    return _cross_fit(frame, ngrams, labels, list(ngrams.artists), None, with_history=False)


def out_of_fold_by_name(
    frame: pd.DataFrame, ngrams: NgramCounts, labels: Labels, sightings: pd.DataFrame | None
) -> StackingInputs:
    """Return out-of-fold scores, grouped by artist and track name."""
    groups = _groups_by_name(frame, ngrams)
    return _cross_fit(frame, ngrams, labels, groups, sightings, with_history=True)


def splits_by_name(frame: pd.DataFrame, ngrams: NgramCounts) -> NDArray[np.int64]:
    """Return the split of each track, by which `out_of_fold_by_name` predicts it."""
    return _splits(_groups_by_name(frame, ngrams))


def out_of_fold_text(ngrams: NgramCounts, labels: Labels) -> Scores:
    """Return out-of-fold scores of `NaiveBayesTextExpert`, grouped by artist."""
    genres = len(np.unique(labels))
    shape = (len(NaiveBayesTextExpert.score_names), len(labels), genres)
    scores = np.zeros(shape, dtype=np.float32)
    for held in _held_splits(list(ngrams.artists), labels):
        model = NaiveBayesTextExpert().fit_counts(ngrams.select(~held), labels[~held])
        scores[:, held] = model.predict_scores_of_counts(ngrams.select(held))
    return scores


def _groups_by_name(frame: pd.DataFrame, ngrams: NgramCounts) -> list[str]:
    titles = hashed_ngrams.normalised_texts(frame, "title")
    return [f"{title}|{artist}" for title, artist in zip(titles, ngrams.artists, strict=True)]


def _splits(groups: list[str]) -> NDArray[np.int64]:
    return np.array([name_hash(group) % N_SPLITS for group in groups], dtype=np.int64)


def _held_splits(groups: list[str], labels: Labels) -> Iterator[Mask]:
    """Yield the rows of each split of the groups.

    Where the others lack a genre the split is left out: its rows stay without scores.
    """
    splits = _splits(groups)
    genres = len(np.unique(labels))
    for split in range(N_SPLITS):
        held = splits == split
        if held.any() and len(np.unique(labels[~held])) == genres:
            yield held


def _cross_fit(
    frame: pd.DataFrame,
    ngrams: NgramCounts,
    labels: Labels,
    groups: list[str],
    sightings: pd.DataFrame | None,
    *,
    with_history: bool,
) -> StackingInputs:
    genres = len(np.unique(labels))
    width = 0 if sightings is None else COLUMNS_PER_GENRE * genres + EXTRA_COLUMNS
    inputs = StackingInputs(
        np.zeros((len(NaiveBayesTextExpert.score_names), len(labels), genres), dtype=np.float32),
        np.zeros((len(ArtistHistoryExpert.score_names), len(labels), genres), dtype=np.float32),
        np.zeros(len(labels), dtype=np.float32),
        np.full((len(labels), width), np.nan, dtype=np.float32),
    )
    for held in _held_splits(groups, labels):
        models = fit_models(frame[~held], ngrams.select(~held), labels[~held], sightings)
        outputs = models.predict(frame[held], ngrams.select(held))
        inputs.text[:, held] = outputs.text
        if with_history:
            inputs.history[:, held] = outputs.history
            inputs.artist_track_counts[held] = outputs.artist_track_counts
            inputs.sighting_features[held] = outputs.sighting_features
        else:
            inputs.history[ALBUM_NAME_SCORE, held] = outputs.history[ALBUM_NAME_SCORE]
    return inputs
