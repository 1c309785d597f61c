"""Run the trials of an experiment: skip stored ones, fit, evaluate, store, report progress.

`compare`, `learning-curve` and `tune` share this loop. A trial is stored as soon as it is done, so
an interrupted experiment resumes where it stopped.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classifier.data import dataset
from classifier.data.dataset import Database
from classifier.data.raw_dataset import RawDataset
from classifier.data.training_data import SplitDataset
from classifier.experiments import store
from classifier.experiments.fitting import ClusterFitter, TrialFitter, TrialOutput
from classifier.experiments.progress import ExperimentProgress
from classifier.experiments.store import ExperimentSpec
from classifier.experiments.trials import HeldOutPredictions, TrialConfig, TrialResult
from classifier.training_config import TrainingConfig
from genrebase.progress import ProgressCallback
from genrebase.runtime.clock import Clock
from genrebase.runtime.cluster import Cluster
from genrebase.runtime.jobs import RunRecorder

Finish = Callable[[TrialResult, HeldOutPredictions | None], TrialResult]


@dataclass(frozen=True, slots=True)
class ExperimentContext:
    """Where an experiment is stored, what it trains on, and how it reports."""

    database: Database
    clock: Clock
    progress: ProgressCallback
    snapshot: RawDataset | None = None
    """Rows of a snapshot, used instead of the database's."""
    cores: int | None = None
    again: bool = False
    """Run a new experiment even if the same one is stored."""
    cluster: Cluster | None = None
    """Whose workers fit the trials."""

    def load(self, config: TrainingConfig) -> RawDataset:
        """Return the snapshot, else the rows of the database."""
        return self.snapshot or dataset.load_dataset(self.database, config)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentResult:
    """What every experiment returns; the fields are keys of the JSON of its command."""

    experiment: int
    nothing_new: bool
    """All trials were stored already."""
    left_out: Mapping[str, int]
    origin: str | None
    sources: Mapping[str, Any]
    """`TrainingSources` as JSON: what was trained on, and what was left out."""


class TrialRunner:
    """Runs trials of one experiment on one dataset."""

    def __init__(
        self,
        context: ExperimentContext,
        fitter: TrialFitter,
        spec: ExperimentSpec,
        n_tracks: Sequence[int],
    ) -> None:
        """Resume the experiment of `spec`, or create it.

        `n_tracks` are the training tracks of each planned trial.
        """
        self._context, self._origin, cluster = context, spec.origin, context.cluster
        self._fitter = fitter if cluster is None else ClusterFitter(cluster, fitter)
        self.experiment = store.create_or_resume(
            context.database, spec, context.clock.now(), again=context.again
        )
        self.progress = ExperimentProgress(context.progress, n_tracks)
        self.n_run = 0
        """Trials that were fitted in this run."""

    def plan(self, planned: Iterable[TrialConfig]) -> None:
        """Announce trials that `run` will be called with, so that workers can begin."""
        if isinstance(self._fitter, ClusterFitter):
            self._fitter.plan(one for one in planned if not self.experiment.has_trial(one))

    def run(self, trial: TrialConfig, description: str, finish: Finish | None = None) -> None:
        """Fit, evaluate and store a trial, unless it is stored.

        `finish` returns the result to store; it is not called where the fit failed. It is called
        in this process.
        """
        if self.experiment.has_trial(trial):
            self.progress.skip_trial()
            return
        self.progress.start_trial(description)
        if self.experiment.finished:
            store.mark_finished(self._context.database, self.experiment, None)
        result, held_out = self.fit(trial)
        if result.error is None and finish is not None:
            result = finish(result, held_out)
        store.store_trial(
            self._context.database, self.experiment, trial, result, self._context.clock
        )
        self.n_run += 1
        self.progress.finish_trial(description)

    def fit(self, trial: TrialConfig) -> TrialOutput:
        """Fit and evaluate a trial without storing it."""
        return self._fitter.fit(trial)

    def facts(self, split: SplitDataset) -> dict[str, Any]:
        """Return the fields of `ExperimentResult`, once all trials were run on `split`."""
        return {
            "experiment": self.experiment.id,
            "nothing_new": self.n_run == 0,
            "left_out": dict(split.left_out),
            "origin": self._origin,
            "sources": split.sources.as_json(),
        }

    def finish(self, job: RunRecorder, *, complete: bool = True) -> None:
        """Mark the experiment as finished if it is `complete`, and note what the job did."""
        if complete:
            self.progress.complete()
            if not self.experiment.finished:
                store.mark_finished(
                    self._context.database, self.experiment, self._context.clock.now()
                )
        job.set_facts(experiment=self.experiment.id, trials=len(self.experiment.trials))
        if not self.n_run:
            job.set_outcome("nothing_new")
