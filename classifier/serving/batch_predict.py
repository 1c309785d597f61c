"""Answer for every track that the champion has not answered for yet."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier import threads
from classifier.data import dataset, regimes
from classifier.data.dataset import Database
from classifier.records import Choice, StoredModel
from classifier.registry import model_store
from classifier.serving import champion as serving
from genrebase.runtime import jobs
from genrebase.runtime.clock import Clock

JOB = "predict"
"""The name of the job in `job_run`."""

Progress = Callable[[int, int], None]
"""Told (done, of how many) tracks."""


@dataclass(frozen=True, slots=True)
class Scored:
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
    progress: Progress,
) -> Scored:
    """Score what is new or changed since, and write down that it was done.

    Raise `NoChampion` where no model answers yet.
    """
    model = dataset.champion(database, task)
    with jobs.job_run(database, clock, JOB) as job:
        done = _run(database, clock, model, cores, progress)
        job.note(model=done.model, scored=done.scored, written=done.written)
        if done.scored == 0:
            job.outcome("nothing_new")
        return done


def _run(
    database: Database, clock: Clock, model: StoredModel, cores: int | None, progress: Progress
) -> Scored:
    began = clock.monotonic()
    at = clock.now()  # before reading: what changes meanwhile is scored again
    tracks = dataset.pending(database, model)
    scored = written = 0
    if len(tracks):
        champion = serving.load(database, model)
        tracks = np.setdiff1d(tracks, champion.packed.learned)
        for answers in _answers(database, champion, tracks, cores):
            for tracks_done, rows in model_store.write_predictions(
                database, model.id, answers, at
            ):
                scored, written = scored + tracks_done, written + rows
                progress(scored, len(tracks))
    return Scored(model.id, scored, written, clock.monotonic() - began, model.origin)


def _answers(
    database: Database, champion: serving.Champion, tracks: NDArray[np.int64], cores: int | None
) -> Iterator[model_store.Predictions]:
    credit = dataset.track_credits(database)
    owners = credit["track_id"].to_numpy(dtype=np.int64)
    credited = credit["artist_id"].to_numpy(dtype=np.int64)
    with threads.capped(cores or threads.unused()):
        for frame in dataset.scoring_chunks(database, tracks, Choice.of(champion.model)):
            ids = frame["track_id"].to_numpy(dtype=np.int64)
            seen = regimes.familiar(ids, owners, credited, champion.packed.learned)
            shares = champion.packed.estimator.predict_proba(frame)
            genres, probabilities = serving.best(shares, champion.genre_ids)
            yield model_store.Predictions(ids, genres, probabilities, seen, in_training=False)
