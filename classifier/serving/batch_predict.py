"""Answer for every track that the champion has not answered for yet."""

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
"""The name of the job in `job_run`."""

"""Told (done, of how many) tracks."""


@dataclass(frozen=True, slots=True)
class ScoringResult:
    """What a scoring did."""

    model: int
    scored: int
    """Tracks answered for."""
    written: int
    """Rows written: up to five a track."""
    seconds: float
    origin: str | None


def run(
    database: Database,
    clock: Clock,
    *,
    task: str = "main",
    cores: int | None = None,
    progress: ProgressCallback,
) -> ScoringResult:
    """Score what is new or changed since, and write down that it was done.

    Raise `NoChampion` where no model answers yet.
    """
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
    at = clock.now()  # before reading: what changes meanwhile is scored again
    tracks = dataset.tracks_to_predict(database, model)
    scored = written = 0
    if len(tracks):
        champion = serving.load(database, model)
        tracks = np.setdiff1d(tracks, champion.artifact.train_ids)
        for answers in _answers(database, champion, tracks, cores):
            for tracks_done, rows in model_store.write_predictions(
                database, model.id, answers, at
            ):
                scored, written = scored + tracks_done, written + rows
                progress(scored, len(tracks))
    return ScoringResult(model.id, scored, written, clock.monotonic() - began, model.origin)


def _answers(
    database: Database, champion: serving.LoadedModel, tracks: NDArray[np.int64], cores: int | None
) -> Iterator[model_store.PredictionBatch]:
    credit = dataset.track_credits(database)
    owners = credit["track_id"].to_numpy(dtype=np.int64)
    credited = credit["artist_id"].to_numpy(dtype=np.int64)
    with threads.limit_threads(cores or threads.idle_cores()):
        for frame in dataset.scoring_chunks(
            database, tracks, TrainingConfig.from_model(champion.model)
        ):
            ids = frame["track_id"].to_numpy(dtype=np.int64)
            seen = regimes.has_seen_artist(ids, owners, credited, champion.artifact.train_ids)
            shares = champion.artifact.estimator.predict_proba(frame)
            genres, probabilities = serving.top_k(shares, champion.genre_ids)
            yield model_store.PredictionBatch(ids, genres, probabilities, seen, in_training=False)
