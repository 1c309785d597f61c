"""Fit the trials of an experiment: in this process, or on the workers of a cluster.

Workers get the rows once and return metrics, so a trial has the same result wherever it is fitted.
The client stores the results in the planned order, as if there were one process.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, replace
from functools import lru_cache
from typing import Any, Final

from classifier import threads
from classifier.data import training_data
from classifier.data.raw_dataset import RawDataset
from classifier.data.training_data import SplitDataset
from classifier.experiments import cross_validation, trials
from classifier.experiments.trials import HeldOutPredictions, TrialConfig, TrialResult
from classifier.training_config import TrainingConfig
from genrebase.runtime.clock import Clock, SystemClock
from genrebase.runtime.cluster import Cluster, ClusterTask
from genrebase.store.split import TEST_FOLD

TRIALS_AHEAD: Final = 8
"""Trials per worker that are submitted ahead: results wait for those planned before them."""
_OF_PROCESS: Final = ("clock", "_split")
"""What a fitter of another process makes itself."""

TrialOutput = tuple[TrialResult, HeldOutPredictions | None]
"""The result of a trial; its predictions, if they are wanted and the fit did not fail."""


@dataclass(eq=False, repr=False)
class TrialFitter:
    """Fits trials on one dataset."""

    raw: RawDataset
    config: TrainingConfig
    clock: Clock
    _: KW_ONLY
    side: str = "test"
    """Names the metrics: what `tune` holds out is no test split."""
    cores: int | None = None
    cached_splits: int = 1
    """Splits that are kept: successive trials mostly share one."""
    with_predictions: bool = False
    """Whether the output has the predictions."""

    def __post_init__(self) -> None:
        self._split = lru_cache(self.cached_splits)(self._split_dataset)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs: neither the clock nor the cached splits."""
        return {name: value for name, value in vars(self).items() if name not in _OF_PROCESS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the fitter of another process, which fits with one thread."""
        vars(self).update(state, cores=1, clock=SystemClock())
        self.__post_init__()

    def fit(self, trial: TrialConfig) -> TrialOutput:
        """Fit and evaluate a trial without storing it."""
        test, validation = trial.test_fold, trial.validation_fold
        if self.side == "validation":  # the test fold is excluded: the next two are held out
            test, validation = validation, (validation - 1) % TEST_FOLD
        split = self._split(test, validation, trial.per_genre)
        if trial.binary_genre is not None:
            split = trials.one_vs_rest(split, trial.binary_genre)
        cores = threads.thread_count(len(split.tracks), len(split.classes), self.cores)
        with threads.limit_threads(cores):
            result, held_out = trials.run_trial(
                split, trial.apply_to(self.config), self.clock, cores=cores, side=self.side
            )
        return result, held_out if self.with_predictions else None

    def _split_dataset(self, test: int, validation: int, per_genre: int | None) -> SplitDataset:
        raw = cross_validation.with_held_out_folds(self.raw, test=test, validation=validation)
        return training_data.split_dataset(raw, replace(self.config, per_genre=per_genre))


class ClusterFitter:
    """Fits trials on the workers of a cluster, those that are planned ahead."""

    def __init__(self, cluster: Cluster, fitter: TrialFitter) -> None:
        self._cluster, self._shared = cluster, cluster.share(fitter)
        self._planned: deque[TrialConfig] = deque()
        self._running: dict[str, ClusterTask[TrialOutput]] = {}
        """By `TrialConfig.key`."""

    def plan(self, planned: Iterable[TrialConfig]) -> None:
        """Note which trials will be fitted next, in this order."""
        self._planned.extend(planned)

    def fit(self, trial: TrialConfig) -> TrialOutput:
        """Return the output of a trial, once its worker has it."""
        self._submit_ahead()
        running = self._running.pop(trial.key, None) or self._submit(trial)
        output = running.result()
        self._submit_ahead()
        return output

    def _submit_ahead(self) -> None:
        while self._planned and len(self._running) < TRIALS_AHEAD * self._cluster.n_threads:
            trial = self._planned.popleft()
            if trial.key not in self._running:
                self._running[trial.key] = self._submit(trial)

    def _submit(self, trial: TrialConfig) -> ClusterTask[TrialOutput]:
        return self._cluster.submit(TrialFitter.fit, trial, self._shared)
