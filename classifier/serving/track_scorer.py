"""Score tracks with one model, and store its predictions."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from functools import cached_property
from operator import add
from typing import Final

import numpy as np
import pandas as pd

from classifier import threads
from classifier.arrays import Ids, Mask
from classifier.data import dataframes, regimes, rows_to_predict
from classifier.data.dataset import Database
from classifier.data.sibling_tracks import SiblingState
from classifier.evaluation.sibling_sums import SiblingSums
from classifier.registry import prediction_store
from classifier.serving.champion import LoadedModel, top_k
from classifier.training_config import TrainingConfig
from genrebase.progress import ProgressCallback, no_progress

BATCH_SIZE: Final = 10_000
"""Tracks predicted and stored at once: an interrupted scoring loses no more."""


@dataclass(frozen=True, slots=True)
class ScoredTracks:
    """What was predicted and stored."""

    scored: int = 0
    """Tracks with new predictions."""
    written: int = 0
    """Rows: up to five per track."""
    pooled: int = 0
    """Tracks that were pooled with siblings."""

    def __add__(self, other: "ScoredTracks") -> "ScoredTracks":
        """Return the sums."""
        return ScoredTracks(*map(add, astuple(self), astuple(other)))


@dataclass(frozen=True)
class TrackScorer:
    """Predicts tracks with one loaded model."""

    database: Database
    champion: LoadedModel
    at: datetime
    """The time of the predictions: not later than when the tracks are read."""
    cores: int | None = None

    @cached_property
    def trained_artists(self) -> Ids:
        """Return the artists of the training tracks."""
        return rows_to_predict.artists_of(self.database, np.sort(self.champion.artifact.train_ids))

    def score(self, tracks: Ids, progress: ProgressCallback = no_progress) -> ScoredTracks:
        """Predict `tracks` (sorted ids) and store each chunk; training tracks are left out."""
        tracks = np.setdiff1d(tracks, self.champion.artifact.train_ids)
        predicted = (self.predict(rows, seen) for rows, seen in self.batches(tracks))
        return self._store(predicted, len(tracks), progress)

    def score_with_siblings(
        self, tracks: Ids, state: SiblingState, progress: ProgressCallback
    ) -> ScoredTracks:
        """Predict `tracks` of unseen artists, each pooled with its siblings, and store them.

        All tracks of an artist are predicted at once, so the result does not depend on which of
        them are new.
        """
        chunks = _chunks(state.tracks_of_artists(tracks))
        predicted = (self._predict_pooled(ids, tracks, state) for ids in chunks)
        return self._store(predicted, len(tracks), progress)

    def _store(
        self,
        predicted: Iterator[prediction_store.PredictionBatch],
        total: int,
        progress: ProgressCallback,
    ) -> ScoredTracks:
        """Store each batch once it is predicted."""
        done = ScoredTracks()
        with threads.limit_threads(self.cores or threads.idle_cores()):
            for batch in predicted:
                for n_tracks, n_rows in prediction_store.write_predictions(
                    self.database, self.champion.model.id, batch, self.at
                ):
                    pooled = 0 if batch.siblings is None else n_tracks
                    done += ScoredTracks(n_tracks, n_rows, pooled)
                    progress(done.scored, total)
        return done

    def _predict_pooled(
        self, ids: Ids, wanted: Ids, state: SiblingState
    ) -> prediction_store.PredictionBatch:
        """Return the pooled predictions for the `wanted` ones of all tracks of some artists."""
        parts = [*self.batches(ids)]
        rows = pd.concat([part for part, _ in parts])
        seen = np.concatenate([one for _, one in parts])
        tracks = regimes.ids_of(rows)
        probabilities = self.champion.artifact.estimator.predict_proba(rows)
        pool, artists = self.champion.sibling_pool, state.artist_of(tracks)
        sums, counts = SiblingSums(artists, tracks, pool.log_ratios(probabilities)).first()
        counts = np.where(seen, 0, counts)
        genres, best = top_k(
            pool.predict_proba(probabilities, sums, counts), self.champion.genre_ids
        )
        chosen = np.isin(tracks, wanted)
        return prediction_store.PredictionBatch(
            tracks[chosen],
            genres[chosen],
            best[chosen],
            seen[chosen],
            in_training=False,
            siblings=counts[chosen],
        )

    def batches(self, tracks: Ids) -> Iterator[tuple[pd.DataFrame, Mask]]:
        """Yield rows of `tracks`, and whether an artist of each is seen; no training tracks.

        The rows of one range of tracks are in memory. Nothing is read between two batches of it.
        """
        if len(tracks) == 0:
            return
        artists, config = self.trained_artists, TrainingConfig.from_model(self.champion.model)
        with dataframes.state_reader(self.database, len(tracks)) as open_state:
            for ids in dataframes.parts(tracks):
                with open_state() as source:
                    rows, seen = rows_to_predict.rows_with_seen_artists(
                        source, ids, config, artists
                    )
                for start in range(0, len(rows), BATCH_SIZE):
                    part = slice(start, start + BATCH_SIZE)
                    yield rows.iloc[part], seen[part]

    def predict(self, rows: pd.DataFrame, seen: Mask) -> prediction_store.PredictionBatch:
        """Return the predictions for these rows."""
        probabilities = self.champion.artifact.estimator.predict_proba(rows)
        genres, best = top_k(probabilities, self.champion.genre_ids)
        return prediction_store.PredictionBatch(
            regimes.ids_of(rows), genres, best, seen, in_training=False
        )


def _chunks(groups: Sequence[Ids]) -> Iterator[Ids]:
    """Yield the sorted ids of whole groups: `BATCH_SIZE` or more, less in the last chunk."""
    chunk: list[Ids] = []
    for group in groups:
        chunk.append(group)
        if sum(map(len, chunk)) >= BATCH_SIZE:
            yield np.sort(np.concatenate(chunk))
            chunk = []
    if chunk:
        yield np.sort(np.concatenate(chunk))
