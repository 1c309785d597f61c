"""Predict the genre of one track: stored, searched by title, or only described."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from classifier.arrays import Ids
from classifier.config_options import did_you_mean
from classifier.data import dataframes, dataset, regimes, rows_to_predict, sibling_tracks
from classifier.data.dataset import Database
from classifier.errors import BadTrainingConfig
from classifier.features import audio
from classifier.features.groups import MATRICES
from classifier.model_records import StoredModel, TrackPrediction
from classifier.registry import stored_models
from classifier.serving import champion as serving
from classifier.training_config import TrainingConfig
from genrebase.errors import UserError
from genrebase.store import names, tables
from genrebase.store.find import UnknownTrack

AUDIO_SOURCE: Final = "audio"
"""The source of tracks that were imported from audio files; its ids are hashes of the audio."""
MAX_SEARCH_RESULTS: Final = 10
"""Tracks that a search returns."""

NUMERIC_INPUTS: Final = (*tables.FEATURES, "release_year", "duration_ms", "popularity", "explicit")
"""The numeric features of a described track."""
NUMERIC_RANGES: Final = {
    **tables.FEATURE_RANGES,
    "release_year": (1900, 2200),
    "duration_ms": (0, 2**31 - 1),
    "popularity": (0, 100),
    "explicit": (0, 1),
}
"""Minimum and maximum of each of them."""
_FILE_DESCRIPTORS: Final = tuple(
    audio.descriptor_column(name, "") for name in ("genrebase-1", "fma518")
)
"""Prefixes of the columns of descriptors that are extracted from audio files."""


@dataclass(frozen=True, slots=True)
class TrackDescription:
    """A track that need not be in the database."""

    title: str | None = None
    artists: tuple[str, ...] = ()
    album: str | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    """Some of `NUMERIC_INPUTS`, in the units of the view `scoring_tracks`."""
    audio: Mapping[str, float | str | bytes] = field(default_factory=dict)
    """Audio analysis features by column: harmony, descriptors, spectrogram, `provider`."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is described: a model predicts how frequent the genres are."""
        return not any((self.title, self.artists, self.album, self.numbers, self.audio))

    def __post_init__(self) -> None:
        """Raise `BadTrainingConfig` for an unknown feature or a value out of range."""
        for name, value in self.numbers.items():
            if name not in NUMERIC_INPUTS:
                hint = did_you_mean(name, NUMERIC_INPUTS)
                raise BadTrainingConfig(
                    f"There is no feature {name!r}.{hint} Known: {', '.join(NUMERIC_INPUTS)}."
                )
            minimum, maximum = NUMERIC_RANGES[name]
            if not minimum <= value <= maximum:
                raise BadTrainingConfig(
                    f"{name} is between {minimum:g} and {maximum:g}, not {value:g}."
                )


def described_rows(tracks: Sequence[TrackDescription]) -> pd.DataFrame:
    """Return a row of the view `scoring_tracks` per track; what is not described is missing."""
    texts = {
        "title": [track.title for track in tracks],
        "artists": ["; ".join(track.artists) or None for track in tracks],
        "album": [track.album for track in tracks],
    }
    features = [{**track.numbers, **track.audio} for track in tracks]
    columns = dict.fromkeys(name for row in features for name in row)
    return pd.DataFrame(
        {
            **{name: pd.array(cells, dtype="string") for name, cells in texts.items()},
            **{name: [row.get(name, np.nan) for row in features] for name in columns},
        }
    )


def unused_texts(model: StoredModel, track: TrackDescription) -> tuple[str, ...]:
    """Return the texts of a description that a model was trained without."""
    given = {"title": track.title, "artists": track.artists, "album": track.album}
    used = model.feature_schema["columns"]
    return tuple(name for name, text in given.items() if text and name not in used)


def predict_track(
    database: Database, text: str, *, task: str = "main", pool_siblings: bool = False
) -> TrackPrediction:
    """Return the champion's prediction for the track that `text` names (`genrebase.store.find`).

    The stored prediction is returned if there is one and the track did not change since: for a
    training track it is out of fold. Otherwise it is computed, and not stored. With
    `pool_siblings` a track of an unseen artist is pooled with the artist's other tracks.
    Raise `NoChampion` or `UnknownTrack`.
    """
    champion = stored_models.champion(database, task)
    predictor = _Predictor(database, champion, pool_siblings=pool_siblings)
    track = dataset.find_track(database, text)
    if track is None:
        raise UnknownTrack(text, ", or search for its title with --search")
    return predictor.predict_stored(track)


def predict_search(
    database: Database, text: str, *, task: str = "main", pool_siblings: bool = False
) -> list[TrackPrediction]:
    """Return the champion's predictions for up to ten tracks that contain all words of `text`.

    Title and artists are searched; the best match is first. Raise `NoChampion`, or
    `UserError` if no track matches.
    """
    champion = stored_models.champion(database, task)
    predictor = _Predictor(database, champion, pool_siblings=pool_siblings)
    tracks = dataset.search_tracks(database, text, limit=MAX_SEARCH_RESULTS)
    if not tracks:
        raise UserError(
            f"No track has all of {text!r} in title and artists: try fewer words, or describe "
            "the track with --title and --artist."
        )
    return [predictor.predict_stored(track) for track in tracks]


class DescriptionPredictor:
    """Predicts tracks that need not be in the database, one after another; stores nothing.

    The predictions are the champion's, or those of its refit, which has seen more artists.
    """

    def __init__(
        self, database: Database, task: str = "main", *, pool_siblings: bool = False
    ) -> None:
        """Raise `NoChampion`."""
        champion = stored_models.champion(database, task)
        loaded = serving.serving_model(database, champion)
        self._database = database
        own = loaded if loaded.model.id == champion.id else None
        self._predictor = _Predictor(database, loaded.model, loaded, pool_siblings=pool_siblings)
        self._champion = _Predictor(database, champion, own, pool_siblings=pool_siblings)

    @property
    def uses_audio(self) -> bool:
        """Return whether the model was trained on descriptors or spectrograms of audio files."""
        model = self._predictor.model
        columns = model.feature_schema["columns"]
        uses_descriptors = any(name.startswith(_FILE_DESCRIPTORS) for name in columns)
        return uses_descriptors or MATRICES in TrainingConfig.from_model(model).features

    @property
    def descriptor_sets(self) -> tuple[str, ...]:
        """Return the descriptor sets that the model was trained on."""
        return TrainingConfig.from_model(self._predictor.model).descriptor_sets

    def predict(self, track: TrackDescription) -> TrackPrediction:
        """Return the prediction for a described track."""
        track_ids = dataset.tracks_of_artists(self._database, track.artists)
        train_ids = self._predictor.loaded.artifact.train_ids
        seen = bool(np.isin(track_ids, train_ids).any())
        siblings = np.array([], dtype=np.int64)
        if self._predictor.pool_siblings and track.artists and not seen:
            first = names.normalise(track.artists[0])
            siblings = sibling_tracks.tracks_of_artist(self._database, first)
        top = self._predictor.top_k(described_rows([track]), siblings)
        model = self._predictor.model
        return TrackPrediction(
            None,
            track.title or "",
            "; ".join(track.artists),
            top,
            model.id,
            regimes.regime_of(seen_artist=seen),
            in_training=False,
            origin=model.origin,
            held_out=None if seen else dataset.held_out_for(self._database, track_ids),
            siblings=len(siblings),
            unused_texts=unused_texts(model, track),
        )

    def predict_file(self, digest: str, track: TrackDescription) -> TrackPrediction:
        """Return the prediction for an audio file; if it is imported, that of its track."""
        stored = dataset.track_with_alias(self._database, AUDIO_SOURCE, digest)
        return self.predict(track) if stored is None else self._champion.predict_stored(stored)


@dataclass(frozen=True)
class _Predictor:
    """A model that is loaded once a prediction is not stored."""

    database: Database
    model: StoredModel
    given: serving.LoadedModel | None = None
    pool_siblings: bool = False

    @cached_property
    def loaded(self) -> serving.LoadedModel:
        return self.given or serving.load(self.database, self.model)

    def predict_stored(self, track: int) -> TrackPrediction:
        pooled = self.pool_siblings
        prediction = rows_to_predict.stored_predictions(
            self.database, self.model, [track], pooled=pooled
        ).get(track)
        if prediction is not None and pooled and self._is_outdated(track, prediction):
            prediction = None
        row = rows_to_predict.scoring_rows(self.database, np.array([track])).iloc[0]
        if prediction is None:
            prediction = self._compute(track)
        return TrackPrediction(
            track,
            str(row["title"]),
            str(row["artists"]),
            prediction.top,
            self.model.id,
            prediction.regime,
            prediction.in_training,
            self.model.origin,
            dataset.held_out_for(self.database, np.array([track])),
            prediction.siblings,
        )

    def top_k(self, frame: pd.DataFrame, siblings: Ids) -> tuple[tuple[str, float], ...]:
        """Return the best genres of the one row of `frame`, pooled with `siblings`."""
        probabilities = self.loaded.predict_proba(frame).iloc[0]
        if len(siblings):
            pool, config = self.loaded.sibling_pool, TrainingConfig.from_model(self.model)
            rows = pd.concat(
                rows_to_predict.scoring_rows(self.database, ids, config)
                for ids in dataframes.parts(siblings)
            )
            sums = pool.log_ratios(self.loaded.predict_proba(rows).to_numpy()).sum(axis=0)
            pooled = pool.predict_proba(
                probabilities.to_numpy()[np.newaxis], sums[np.newaxis], np.array([len(rows)])
            )
            probabilities = pd.Series(pooled[0], index=probabilities.index)
        ranked = probabilities.sort_values(ascending=False, kind="stable").head(
            serving.GENRES_PER_TRACK
        )
        return tuple((str(genre), float(share)) for genre, share in ranked.items())

    def _compute(self, track: int) -> rows_to_predict.StoredPrediction:
        ids, train_ids = np.array([track]), self.loaded.artifact.train_ids
        others = dataset.tracks_sharing_artists(self.database, track)
        seen = bool(np.isin(others, train_ids).any())
        config = TrainingConfig.from_model(self.model)
        siblings = self._siblings(track, seen=seen)
        top = self.top_k(rows_to_predict.scoring_rows(self.database, ids, config), siblings)
        regime, in_training = regimes.regime_of(seen_artist=seen), bool(np.isin(track, train_ids))
        return rows_to_predict.StoredPrediction(top, regime, in_training, len(siblings))

    def _siblings(self, track: int, *, seen: bool) -> Ids:
        """Return what a track is pooled with: nothing, if its artist is seen."""
        if seen or not self.pool_siblings:
            return np.array([], dtype=np.int64)
        return sibling_tracks.siblings_of(self.database, track)

    def _is_outdated(self, track: int, stored: rows_to_predict.StoredPrediction) -> bool:
        """Return whether the siblings of a stored prediction are others now, or changed."""
        siblings = self._siblings(track, seen=stored.regime == "seen_artist")
        if len(siblings) != stored.siblings:
            return True
        latest = sibling_tracks.latest_change(self.database, siblings)
        return (
            latest is not None
            and stored.predicted_at is not None
            and (stored.predicted_at < latest)
        )
