"""Run the trials of an experiment: skip stored ones, fit, evaluate, store, report progress.

`compare`, `learning-curve` and `tune` share this loop. A trial is stored as soon as it is done, so
an interrupted experiment resumes where it stopped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from classifier import threads
from classifier.data import dataset, training_data
from classifier.data.dataset import Database
from classifier.data.raw_dataset import RawDataset
from classifier.data.training_data import SplitDataset
from classifier.experiments import cross_validation, store, trials
from classifier.experiments.progress import ExperimentProgress
from classifier.experiments.store import ExperimentSpec
from classifier.experiments.trials import FittedTrial, TrialConfig, TrialResult
from classifier.training_config import TrainingConfig
from genrebase.progress import ProgressCallback
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import RunRecorder
from genrebase.store.split import TEST_FOLD

Finish = Callable[[TrialResult, FittedTrial], TrialResult]


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

    def load(self, config: TrainingConfig) -> RawDataset:
        """Return the snapshot, else the rows of the database."""
        return self.snapshot or dataset.load_dataset(self.database, config)


class TrialRunner:
    """Runs trials of one experiment on one dataset."""

    def __init__(
        self,
        context: ExperimentContext,
        raw: RawDataset,
        spec: ExperimentSpec,
        n_tracks: Sequence[int],
        *,
        side: str = "test",
        cached_splits: int = 1,
    ) -> None:
        """Resume the experiment of `spec`, or create it.

        `n_tracks` are the training tracks of each planned trial. `side` names the metrics: what
        `tune` holds out is no test split. Successive trials mostly share a split, so the last
        `cached_splits` are kept.
        """
        self._context, self._raw, self._config, self._side = context, raw, spec.config, side
        self.experiment = store.create_or_resume(
            context.database, spec, context.clock.now(), again=context.again
        )
        self.progress = ExperimentProgress(context.progress, n_tracks)
        self.n_run = 0
        """Trials that were fitted in this run."""
        self._split = lru_cache(cached_splits)(self._split_dataset)

    def run(self, trial: TrialConfig, description: str, finish: Finish | None = None) -> None:
        """Fit, evaluate and store a trial, unless it is stored.

        `finish` returns the result to store; it is not called where the fit failed.
        """
        if self.experiment.has_trial(trial):
            self.progress.skip_trial()
            return
        self.progress.start_trial(description)
        if self.experiment.finished:
            store.mark_finished(self._context.database, self.experiment, None)
        result = self.fit(trial, finish)
        store.store_trial(
            self._context.database, self.experiment, trial, result, self._context.clock
        )
        self.n_run += 1
        self.progress.finish_trial(description)

    def fit(self, trial: TrialConfig, finish: Finish | None = None) -> TrialResult:
        """Fit and evaluate a trial without storing it."""
        test, validation = trial.test_fold, trial.validation_fold
        if self._side == "validation":  # the test fold is excluded: the next two are held out
            test, validation = validation, (validation - 1) % TEST_FOLD
        split = self._split(test, validation, trial.per_genre)
        if trial.binary_genre is not None:
            split = trials.one_vs_rest(split, trial.binary_genre)
        cores = threads.thread_count(len(split.tracks), len(split.classes), self._context.cores)
        with threads.limit_threads(cores):
            result, fitted = trials.run_trial(
                split,
                trial.apply_to(self._config),
                self._context.clock,
                cores=cores,
                side=self._side,
            )
            return result if fitted is None or finish is None else finish(result, fitted)

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

    def _split_dataset(self, test: int, validation: int, per_genre: int | None) -> SplitDataset:
        raw = cross_validation.with_held_out_folds(self._raw, test=test, validation=validation)
        return training_data.split_dataset(raw, replace(self._config, per_genre=per_genre))
