"""Batch inference: store the champion's predictions for all new and changed tracks."""

from dataclasses import asdict, dataclass

import numpy as np

from classifier.arrays import Ids
from classifier.data import rows_to_predict, sibling_tracks
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringResult(ScoredTracks):
    """The result of a batch prediction."""

    model: int
    seconds: float
    origin: str | None
    in_training: int
    """Training tracks: their out-of-fold predictions are from the training."""


def run(
    database: Database,
    clock: Clock,
    *,
    task: str = "main",
    cores: int | None = None,
    progress: ProgressCallback,
    cluster: Cluster | None = None,
    pool_siblings: bool = False,
) -> ScoringResult:
    """Predict new and changed tracks and record the run; raise `NoChampion`.

    The workers of `cluster` do it, if one is given. With `pool_siblings` (without a cluster)
    tracks of unseen artists are pooled with their siblings.
    """
    model = stored_models.champion(database, task)
    with jobs.job_run(database, clock, JOB_NAME) as job:
        began = clock.monotonic()
        at = clock.now()  # before reading: a track that changes meanwhile is predicted again
        tracks = rows_to_predict.tracks_to_predict(database, model, pooled=pool_siblings)
        if pool_siblings:
            scorer = TrackScorer(database, serving.load(database, model), at, cores)
            done = _score_with_siblings(scorer, tracks, progress)
        elif len(tracks) == 0:
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
        job.set_facts(model=model.id, **asdict(done))
        if done.scored == 0:
            job.set_outcome("nothing_new")
        return ScoringResult(
            **asdict(done),
            model=model.id,
            seconds=seconds,
            origin=model.origin,
            in_training=in_training,
        )


def _score_with_siblings(
    scorer: TrackScorer, tracks: Ids, progress: ProgressCallback
) -> ScoredTracks:
    """Predict `tracks`, and those whose siblings changed; pool those of unseen artists."""
    model, artists = scorer.champion.model, scorer.trained_artists
    state = sibling_tracks.read_state(scorer.database, model, artists)
    chosen = state.is_outdated | np.isin(state.tracks, tracks)
    is_pooled = state.siblings > 0
    chosen |= is_pooled & np.isin(state.artists, state.artists[chosen & is_pooled])
    chosen &= ~np.isin(state.tracks, scorer.champion.artifact.train_ids)
    done = scorer.score(state.tracks[chosen & ~is_pooled], progress)
    return done + scorer.score_with_siblings(state.tracks[chosen & is_pooled], state, progress)
