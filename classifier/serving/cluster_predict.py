"""Batch inference on a cluster: each worker reads, predicts and stores ranges of track ids.

A worker has its own connection to the database, from its own environment; a task holds ids only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

import numpy as np

from classifier.arrays import Ids
from classifier.data import rows_to_predict
from classifier.data.dataset import Database
from classifier.errors import BrokenArtifact
from classifier.model_records import StoredModel
from classifier.registry import stored_models
from classifier.serving import champion as serving
from classifier.serving.track_scorer import ScoredTracks, TrackScorer
from genrebase import store
from genrebase.progress import ProgressCallback
from genrebase.runtime import jobs, range_leases
from genrebase.runtime.clock import Clock
from genrebase.runtime.cluster import Cluster
from genrebase.runtime.cluster_database import CommandRun, require_shared_database
from genrebase.runtime.range_leases import IdRange

RANGE_IDS: Final = 5_000
"""Ids of a task in a small database: a second of work, so that there are tasks for all workers."""
LARGE_RANGE_IDS: Final = 50_000
"""Ids of a task in a large one: so many rows are read as Arrow batches, which takes a fraction."""
LARGE_DATABASE_IDS: Final = 1_000_000
WAIT_SECONDS: Final = 5.0
"""Seconds between two looks at ranges that another run works on."""


@dataclass(frozen=True, slots=True)
class RangeTask:
    """The tracks of one task, and what they are predicted with."""

    run: CommandRun
    model: int
    checksum: str | None
    """Of the model's artifact."""
    at: datetime
    first: int
    last: int

    @property
    def rows(self) -> IdRange:
        """Return what is leased."""
        return IdRange(f"predict {self.model}", self.first, self.last)


@dataclass(frozen=True, slots=True)
class ClusterPrediction:
    """Lets the workers of a cluster predict the ranges of ids that hold tracks to predict."""

    database: Database
    cluster: Cluster
    clock: Clock
    progress: ProgressCallback
    range_ids: int | None = None
    """Ids of a task; None: by the size of the database."""

    def run(
        self, job: jobs.RunRecorder, model: StoredModel, tracks: Ids, at: datetime
    ) -> ScoredTracks:
        """Predict `tracks` (sorted ids); return what this run has stored.

        Ranges that another run works on come last, and only what that leaves is predicted.
        """
        require_shared_database(self.database, self.cluster.address)
        ours = CommandRun.of_this_process(job.id)
        done, n_tracks, total = ScoredTracks(), 0, len(tracks)
        size = self.range_ids or range_size(int(tracks.max(initial=0)))
        self.progress(0, total)
        while len(tracks):
            counts = dict(ranges_of(tracks, size))
            tasks = (RangeTask(ours, model.id, model.artifact_sha256, at, *ids) for ids in counts)
            busy: list[tuple[int, int]] = []
            for task, scored in self.cluster.results(score_on_worker, tasks):
                ids = (task.first, task.last)
                if scored is None:
                    busy.append(ids)
                    continue
                done += scored
                n_tracks += counts[ids]
                self.progress(n_tracks, total)
            tracks = self._left_in(busy, model)
            n_tracks += sum(counts[ids] for ids in busy) - len(tracks)
        self.progress(total, total)
        return done

    def _left_in(self, busy: Sequence[tuple[int, int]], model: StoredModel) -> Ids:
        """Return the tracks of ranges of other runs that are still to be predicted."""
        if not busy:
            return np.zeros(0, dtype=np.int64)
        self.clock.sleep(WAIT_SECONDS)
        return np.concatenate(
            [rows_to_predict.tracks_to_predict(self.database, model, ids) for ids in busy]
        )


def range_size(highest_id: int) -> int:
    """Return the ids of a task where this is the highest id to predict."""
    return RANGE_IDS if highest_id < LARGE_DATABASE_IDS else LARGE_RANGE_IDS


def ranges_of(tracks: Ids, size: int) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield (first id, last id) of the ranges that hold `tracks`, and how many of them.

    The ranges of a size are the same for every run: leases of two runs are of the same rows.
    """
    numbers, counts = np.unique(tracks // size, return_counts=True)
    for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
        yield (number * size, (number + 1) * size - 1), count


def score_on_worker(_shared: None, task: RangeTask) -> ScoredTracks | None:
    """Predict a range; return None if another run works on it."""
    database = _database()
    task.run.require(database)
    with range_leases.leased(database, task.rows, task.run.id) as ours:
        if not ours:
            return None
        scorer = _scorer(task.model, task.checksum, task.at)
        ids = (task.first, task.last)
        return scorer.score(
            rows_to_predict.tracks_to_predict(database, scorer.champion.model, ids)
        )


@lru_cache(1)
def _database() -> Database:
    """Return the database of this worker's settings."""
    return store.connect()


@lru_cache(1)
def _scorer(model: int, checksum: str | None, at: datetime) -> TrackScorer:
    """Return the scorer of this run, loaded once in this process."""
    stored = stored_models.model(_database(), model)
    if stored.artifact_sha256 != checksum:
        raise BrokenArtifact(f"Model {model} was changed meanwhile: predict again.")
    return TrackScorer(_database(), serving.load(_database(), stored), at, cores=1)
