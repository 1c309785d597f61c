"""Batch inference: store the champion's predictions for all new and changed tracks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier import threads
from classifier.data import dataset, regimes
from classifier.data.dataset import Database
from classifier.records import StoredModel
from classifier.registry import model_store, stored_models
from classifier.serving import champion as serving
from classifier.training_config import TrainingConfig
from genrebase.progress import ProgressCallback
from genrebase.runtime import jobs
from genrebase.runtime.clock import Clock

JOB_NAME = "predict"


@dataclass(frozen=True, slots=True)
class ScoringResult:
    """The result of a batch prediction."""

    model: int
    scored: int
    """Tracks with new predictions."""
    written: int
    """Rows written: up to five per track."""
    seconds: float
    origin: str | None
    in_training: int = 0
    """Training tracks: their out-of-fold predictions are from the training."""


def run(
    database: Database,
    clock: Clock,
    *,
    task: str = "main",
    cores: int | None = None,
    progress: ProgressCallback,
) -> ScoringResult:
    """Predict new and changed tracks and record the run; raise `NoChampion`."""
    model = stored_models.champion(database, task)
    with jobs.job_run(database, clock, JOB_NAME) as job:
        done = _run(database, clock, model, cores, progress)
        job.set_facts(model=done.model, scored=done.scored, written=done.written)
        if done.scored == 0:
            job.set_outcome("nothing_new")
        return done


def _run(
    database: Database,
    clock: Clock,
    model: StoredModel,
    cores: int | None,
    progress: ProgressCallback,
) -> ScoringResult:
    began = clock.monotonic()
    at = clock.now()  # before reading: a track that changes meanwhile is predicted again
    tracks = dataset.tracks_to_predict(database, model)
    scored = written = 0
    if len(tracks):
        champion = serving.load(database, model)
        tracks = np.setdiff1d(tracks, champion.artifact.train_ids)
        for batch in _predict(database, champion, tracks, cores):
            for n_tracks, n_rows in model_store.write_predictions(database, model.id, batch, at):
                scored, written = scored + n_tracks, written + n_rows
                progress(scored, len(tracks))
    seconds = clock.monotonic() - began
    in_training = stored_models.out_of_fold_count(database, model.id)
    return ScoringResult(model.id, scored, written, seconds, model.origin, in_training)


def _predict(
    database: Database, champion: serving.LoadedModel, tracks: NDArray[np.int64], cores: int | None
) -> Iterator[model_store.PredictionBatch]:
    track_credits = dataset.track_credits(database)
    config, artifact = TrainingConfig.from_model(champion.model), champion.artifact
    with threads.limit_threads(cores or threads.idle_cores()):
        for frame in dataset.scoring_chunks(database, tracks, config):
            ids = regimes.ids_of(frame)
            seen = regimes.has_seen_artist(ids, track_credits, artifact.train_ids)
            genres, probabilities = serving.top_k(
                artifact.estimator.predict_proba(frame), champion.genre_ids
            )
            yield model_store.PredictionBatch(ids, genres, probabilities, seen, in_training=False)
