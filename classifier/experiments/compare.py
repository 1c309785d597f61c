"""Compare estimators, feature sets and numbers of tracks on the same frozen folds.

Test sides are reported here, and nothing is chosen by them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Final

from classifier import estimators, threads
from classifier.data import audio_joins, dataset
from classifier.data import training_data as selecting
from classifier.data.dataset import Database, RawDataset
from classifier.data.training_data import SplitDataset
from classifier.errors import BadTrainingConfig
from classifier.experiments import cross_validation, trials
from classifier.experiments import store as experiments
from classifier.experiments.progress import ExperimentProgress, TrialProgress, n_training_tracks
from classifier.experiments.store import Experiment, ExperimentSpec
from classifier.experiments.trials import TrialConfig
from classifier.training_config import FEATURE_GROUPS, SPLITS, TrainingConfig
from genrebase.runtime import jobs, plugins
from genrebase.runtime.clock import Clock

JOB: Final = "compare"
REGIMES: Final = ("new_artist", "seen_artist")
COMPARED_METRICS: Final = ("accuracy", "macro_f1", "top3", "log_loss", "ece", "baseline")
"""Figures that a comparison shows of each regime; all are stored."""


@dataclass(frozen=True, slots=True)
class ComparisonGrid:
    """What is compared: every combination."""

    estimators: tuple[str, ...]
    feature_sets: tuple[tuple[str, ...], ...] = ()
    """None: the one that is chosen."""
    per_genre: tuple[int | None, ...] = (None,)
    rotations: tuple[int, ...] = (0,)

    def as_json(self) -> dict[str, Any]:
        """Return what is asked, as it is stored."""
        return {
            "estimators": list(self.estimators),
            "feature_sets": [list(groups) for groups in self.feature_sets],
            "per_genre": list(self.per_genre),
            "rotations": list(self.rotations),
        }

    def configurations(self, turn: int) -> Iterator[TrialConfig]:
        """Yield all that is compared where the folds of one rotation are held out."""
        test, validation = cross_validation.held_out_folds(turn)
        for groups, most, name in product(self.feature_sets, self.per_genre, self.estimators):
            yield TrialConfig(
                name, groups, per_genre=most, test_fold=test, validation_fold=validation
            )


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """What a comparison came to."""

    experiment: int
    rows: tuple[Mapping[str, Any], ...]
    """A row per configuration, the best on new artists first."""
    failed: tuple[Mapping[str, Any], ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    nothing_new: bool = False
    """All of it stood in the database already."""
    origin: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what `compare --json` shows."""
        return {
            "experiment": self.experiment,
            "nothing_new": self.nothing_new,
            "rows": list(self.rows),
            "failed": list(self.failed),
            "left_out": dict(self.left_out),
            "origin": self.origin,
        }


def run(
    database: Database,
    choice: TrainingConfig,
    grid: ComparisonGrid,
    clock: Clock,
    *,
    progress: TrialProgress,
    snapshot: RawDataset | None = None,
    cores: int | None = None,
    again: bool = False,
) -> ComparisonResult:
    """Try every combination of `grid`, each written down when done; go on where one was left.

    `found` are frozen rows in the place of the database's. Raise `TooFewTracks`, `BadTrainingConfig` or
    `UnknownPlugin` where nothing can be compared; a combination that cannot be fitted is a row
    of `failed`.
    """
    for name in set(grid.estimators) - set(estimators.names()):
        plugins.load(estimators.GROUP, name)  # tells which there are
    if choice.split != SPLITS[0] and grid.rotations != (0,):
        raise BadTrainingConfig("A published split is one split: leave out --folds.")
    choice, grid = _settled(database, choice, grid, snapshot)
    with jobs.job_run(database, clock, JOB) as job:
        snapshot = dataset.load_dataset(database, choice) if snapshot is None else snapshot
        asked = selecting.split_dataset(snapshot, choice)
        question = ExperimentSpec(
            JOB, grid.as_json(), choice, selecting.fingerprint(asked), snapshot.origin
        )
        experiment = experiments.create_or_resume(database, question, clock.now(), again=again)
        stood = experiment.finished
        planned = [one for turn in grid.rotations for one in grid.configurations(turn)]
        work = ExperimentProgress(
            progress, [n_training_tracks(asked, one.per_genre) for one in planned]
        )
        _try_all(database, experiment, snapshot, choice, planned, clock, work, cores)
        if not stood:
            experiments.mark_finished(database, experiment, clock.now())
        job.set_facts(experiment=experiment.id, trials=len(experiment.trials))
        if stood:
            job.set_outcome("nothing_new")
        return ComparisonResult(
            experiment.id,
            tuple(result_rows(database, experiment)),
            tuple(failed_trials(experiment)),
            dict(asked.left_out),
            nothing_new=stood,
            origin=snapshot.origin,
        )


def _settled(
    database: Database, choice: TrainingConfig, grid: ComparisonGrid, found: RawDataset | None
) -> tuple[TrainingConfig, ComparisonGrid]:
    """Return a choice of everything that a set looks at, and the sets."""
    named = {group for groups in grid.feature_sets for group in groups}
    if named:
        groups = tuple(group for group in FEATURE_GROUPS if group in named)
        choice = replace(choice, features=groups, auto_features=False)
    if found is None:
        choice = audio_joins.resolve_features(database, choice)
    return choice, replace(grid, feature_sets=grid.feature_sets or (choice.features,))


def _try_all(
    database: Database,
    experiment: Experiment,
    found: RawDataset,
    choice: TrainingConfig,
    planned: Sequence[TrialConfig],
    clock: Clock,
    work: ExperimentProgress,
    cores: int | None,
) -> None:
    selected = _Selections(found, choice)
    for configuration in planned:
        if experiment.has_trial(configuration):
            work.skip_trial()
            continue
        what = _said(configuration)
        work.start_trial(what)
        selection = selected.batch(configuration)
        workers = threads.thread_count(len(selection.tracks), len(selection.classes), cores)
        with threads.limit_threads(workers):
            tried, _ = trials.run_trial(
                selection, configuration.apply_to(choice), clock, cores=workers
            )
        experiments.store_trial(database, experiment, configuration, tried, clock)
        work.finish_trial(what)
    work.complete()


class _Selections:
    """The selection of a configuration; the last one is kept, for the next is mostly the same."""

    def __init__(self, found: RawDataset, choice: TrainingConfig) -> None:
        self._found, self._choice = found, choice
        self._last: tuple[Any, SplitDataset] | None = None

    def batch(self, configuration: TrialConfig) -> SplitDataset:
        folds = (configuration.test_fold, configuration.validation_fold)
        key = (*folds, configuration.per_genre)
        if self._last is None or self._last[0] != key:
            test, validation = folds
            turned = cross_validation.with_held_out_folds(
                self._found, test=test, validation=validation
            )
            self._last = (
                key,
                selecting.split_dataset(turned, configuration.apply_to(self._choice)),
            )
        return self._last[1]


def result_rows(database: Database, experiment: Experiment) -> list[dict[str, Any]]:
    """Return a row per configuration with its figures in both regimes, the best first."""
    found: dict[tuple[int, int | None], dict[str, Any]] = {}
    for row in experiments.metric_rows(database, experiment, metrics=COMPARED_METRICS):
        configuration = found.setdefault((row["number"], row["per_genre"]), _row(row))
        if row["regime"] in REGIMES:
            _fill(configuration["metrics"].setdefault(row["regime"], {}), row)
    return sorted(found.values(), key=_best_first)


def failed_trials(experiment: Experiment) -> list[dict[str, Any]]:
    """Return what could not be tried, and why."""
    return [
        {
            "estimator": trial.configuration.estimator,
            "features": list(trial.configuration.features),
            "params": dict(trial.configuration.params),
            "per_genre": trial.configuration.per_genre,
            "test_fold": trial.configuration.test_fold,
            "error": trial.error,
        }
        for trial in experiment.trials.values()
        if trial.error is not None
    ]


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    size = row["artifact_bytes"]
    return {
        **{name: row[name] for name in ("estimator", "per_genre", "folds", "seconds")},
        "artifact_bytes": None if size is None else round(size),
        "trained_rows": round(row["trained_rows"]),
        "features": row["features"].split(","),
        "training_accuracy": row["training_score"],
        "metrics": {},
    }


def _fill(metrics: dict[str, Any], row: Mapping[str, Any]) -> None:
    metrics[row["metric"]] = row["value"]
    if row["metric"] == "accuracy":
        metrics["n"] = row["n"]
        metrics["interval"] = None if row["low"] is None else [row["low"], row["high"]]


def _best_first(row: Mapping[str, Any]) -> tuple[float, str]:
    told = [row["metrics"].get(regime, {}).get("accuracy") for regime in REGIMES]
    best = next((value for value in told if value is not None), 0.0)
    return -best, row["estimator"]


def _said(configuration: TrialConfig) -> str:
    most = "" if configuration.per_genre is None else f", {configuration.per_genre} per genre"
    groups = "+".join(configuration.features)
    return f"{configuration.estimator}, {groups}{most}, fold {configuration.test_fold}"
