"""Batch inference: store the champion's predictions for all new and changed tracks."""

from dataclasses import dataclass

from classifier.data import scoring
from classifier.data.dataset import Database
from classifier.registry import stored_models
from classifier.serving import champion as serving
from classifier.serving.cluster_predict import ClusterPrediction
from classifier.serving.track_scorer import ScoredTracks, TrackScorer
from genrebase.progress import ProgressCallback
from genrebase.runtime import jobs
from genrebase.runtime.clock import Clock
from genrebase.runtime.cluster import Cluster

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
    cluster: Cluster | None = None,
) -> ScoringResult:
    """Predict new and changed tracks and record the run; raise `NoChampion`.

    The workers of `cluster` do it, if one is given.
    """
    model = stored_models.champion(database, task)
    with jobs.job_run(database, clock, JOB_NAME) as job:
        began = clock.monotonic()
        at = clock.now()  # before reading: a track that changes meanwhile is predicted again
        tracks = scoring.tracks_to_predict(database, model)
        if len(tracks) == 0:
            done = ScoredTracks()
        elif cluster is not None:
            done = ClusterPrediction(database, cluster, clock, progress).run(
                job, model, tracks, at
            )
        else:
            scorer = TrackScorer(database, serving.load(database, model), at, cores)
            done = scorer.score(tracks, progress)
        seconds = clock.monotonic() - began
        in_training = stored_models.out_of_fold_count(database, model.id)
        job.set_facts(model=model.id, scored=done.scored, written=done.written)
        if done.scored == 0:
            job.set_outcome("nothing_new")
        return ScoringResult(
            model.id, done.scored, done.written, seconds, model.origin, in_training
        )
