"""What the readers of text and history say of tracks, also of those they learned from."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.experts import Scores
from classifier.experts.artist_sightings import (
    COLUMNS_PER_GENRE,
    EXTRA_COLUMNS,
    ArtistSightingFeatures,
)
from classifier.experts.artist_target_encoding import ArtistHistoryExpert, name_hash
from classifier.experts.naive_bayes_text import NaiveBayesTextExpert, NgramCounts, count_ngrams
from classifier.features import hashed_ngrams
from classifier.features.audio import Matrix
from classifier.ports import Labels

N_SPLITS: Final = 5
"""Readers that never saw a fifth of the tracks tell what they would say about it."""
ALBUM_NAME_SCORE: Final = ArtistHistoryExpert.score_names.index("album_name")
"""The one voice of history that also speaks of artists nobody knows."""


@dataclass(frozen=True, slots=True)
class StackingInputs:
    """What is said of some tracks."""

    text: Scores
    """The voices of `NaiveBayesTextExpert`."""
    history: Scores
    """The voices of `ArtistHistoryExpert`; 0 where nothing is known."""
    artist_track_counts: NDArray[np.float32]
    """How many tracks of the credited artists are known."""
    sighting_features: Matrix
    """What `ArtistSightingFeatures` says; no column where no sightings were told of."""

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "StackingInputs":
        """Return the chosen rows."""
        return StackingInputs(
            self.text[:, rows],
            self.history[:, rows],
            self.artist_track_counts[rows],
            self.sighting_features[rows],
        )


@dataclass(frozen=True, slots=True)
class TextAndHistoryModels:
    """Readers that have learned from tracks."""

    text: NaiveBayesTextExpert
    history: ArtistHistoryExpert
    sighting_features: ArtistSightingFeatures | None
    """None where no sightings were told of."""

    def predict(self, frame: pd.DataFrame, seen: NgramCounts | None = None) -> StackingInputs:
        """Return what they say of tracks they did not learn from.

        `seen` is what `count_ngrams` made of these, where that is known.
        """
        company = np.zeros((len(frame), 0), dtype=np.float32)
        return StackingInputs(
            self.text.predict_scores_of_counts(count_ngrams(frame) if seen is None else seen),
            self.history.predict_scores(frame),
            self.history.artist_track_counts(frame),
            company if self.sighting_features is None else self.sighting_features.transform(frame),
        )


def fit_models(
    frame: pd.DataFrame, seen: NgramCounts, labels: Labels, sightings: pd.DataFrame | None
) -> TextAndHistoryModels:
    """Return readers that learned from these tracks; `seen` is what `count_ngrams` made of them."""
    return TextAndHistoryModels(
        NaiveBayesTextExpert().fit_counts(seen, labels),
        ArtistHistoryExpert().fit(frame, labels),
        None if sightings is None else ArtistSightingFeatures().fit(frame, labels, sightings),
    )


def out_of_fold_by_artist(
    frame: pd.DataFrame, seen: NgramCounts, labels: Labels
) -> StackingInputs:
    """Return what readers say of each track who never saw its artist; nothing of its history."""
    parts = _parts(list(seen.artists))
    return _crossed(frame, seen, labels, parts, None, strangers=True)


def out_of_fold_by_name(
    frame: pd.DataFrame, seen: NgramCounts, labels: Labels, sightings: pd.DataFrame | None
) -> StackingInputs:
    """Return what readers say who saw the artist's other tracks, but none of the same name."""
    titles = hashed_ngrams.normalised_texts(frame, "title")
    names = [f"{title}|{artist}" for title, artist in zip(titles, seen.artists, strict=True)]
    return _crossed(frame, seen, labels, _parts(names), sightings, strangers=False)


def _crossed(
    frame: pd.DataFrame,
    seen: NgramCounts,
    labels: Labels,
    parts: NDArray[np.int64],
    sightings: pd.DataFrame | None,
    *,
    strangers: bool,
) -> StackingInputs:
    genres = len(np.unique(labels))
    width = 0 if sightings is None else COLUMNS_PER_GENRE * genres + EXTRA_COLUMNS
    found = StackingInputs(
        np.zeros((len(NaiveBayesTextExpert.score_names), len(labels), genres), dtype=np.float32),
        np.zeros((len(ArtistHistoryExpert.score_names), len(labels), genres), dtype=np.float32),
        np.zeros(len(labels), dtype=np.float32),
        np.full((len(labels), width), np.nan, dtype=np.float32),
    )
    for part in range(N_SPLITS):
        held = parts == part
        if not held.any() or len(np.unique(labels[~held])) < genres:
            continue  # nobody to ask who knows all genres: as if nothing was read
        readers = fit_models(frame[~held], seen.select(~held), labels[~held], sightings)
        said = readers.predict(frame[held], seen.select(held))
        found.text[:, held] = said.text
        if strangers:
            found.history[ALBUM_NAME_SCORE, held] = said.history[ALBUM_NAME_SCORE]
        else:
            found.history[:, held] = said.history
            found.artist_track_counts[held] = said.artist_track_counts
            found.sighting_features[held] = said.sighting_features
    return found


def _parts(names: list[str]) -> NDArray[np.int64]:
    """Return a part for each name, the same for the same."""
    return np.array([name_hash(name) % N_SPLITS for name in names], dtype=np.int64)
