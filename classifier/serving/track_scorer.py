"""Score tracks with one model, and store its predictions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier import threads
from classifier.data import dataset, regimes
from classifier.data.dataset import Database
from classifier.registry import model_store
from classifier.serving.champion import LoadedModel, top_k
from classifier.training_config import TrainingConfig
from genrebase.progress import ProgressCallback, no_progress


@dataclass(frozen=True, slots=True)
class ScoredTracks:
    """What was predicted and stored."""

    scored: int = 0
    """Tracks with new predictions."""
    written: int = 0
    """Rows: up to five per track."""

    def __add__(self, other: "ScoredTracks") -> "ScoredTracks":
        """Return the sums."""
        return ScoredTracks(self.scored + other.scored, self.written + other.written)


@dataclass(frozen=True)
class TrackScorer:
    """Predicts tracks with one loaded model."""

    database: Database
    champion: LoadedModel
    at: datetime
    """The time of the predictions: not later than when the tracks are read."""
    cores: int | None = None

    @cached_property
    def track_credits(self) -> pd.DataFrame:
        """Return the credits of all tracks."""
        return dataset.track_credits(self.database)

    def score_range(self, first: int, last: int) -> ScoredTracks:
        """Predict what has no prediction yet, or changed since, of the tracks with these ids."""
        tracks = dataset.tracks_to_predict(self.database, self.champion.model, (first, last))
        return self.score(tracks)

    def score(
        self, tracks: NDArray[np.int64], progress: ProgressCallback = no_progress
    ) -> ScoredTracks:
        """Predict `tracks` (sorted ids) and store each chunk; training tracks are left out."""
        tracks = np.setdiff1d(tracks, self.champion.artifact.train_ids)
        done = ScoredTracks()
        for batch in self._predict(tracks):
            for n_tracks, n_rows in model_store.write_predictions(
                self.database, self.champion.model.id, batch, self.at
            ):
                done += ScoredTracks(n_tracks, n_rows)
                progress(done.scored, len(tracks))
        return done

    def _predict(self, tracks: NDArray[np.int64]) -> Iterator[model_store.PredictionBatch]:
        if len(tracks) == 0:
            return
        champion, artifact = self.champion, self.champion.artifact
        config = TrainingConfig.from_model(champion.model)
        with threads.limit_threads(self.cores or threads.idle_cores()):
            for frame in dataset.scoring_chunks(self.database, tracks, config):
                ids = regimes.ids_of(frame)
                seen = regimes.has_seen_artist(ids, self.track_credits, artifact.train_ids)
                genres, probabilities = top_k(
                    artifact.estimator.predict_proba(frame), champion.genre_ids
                )
                yield model_store.PredictionBatch(
                    ids, genres, probabilities, seen, in_training=False
                )
