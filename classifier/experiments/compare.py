"""Compare estimators, feature sets and training set sizes on the same frozen folds.

Metrics are of the test split; nothing is selected by them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any, Final

from classifier import estimators
from classifier.data import audio_joins, training_data
from classifier.data.dataset import Database
from classifier.errors import BadTrainingConfig
from classifier.experiments import cross_validation, store
from classifier.experiments.fitting import TrialFitter
from classifier.experiments.progress import training_tracks
from classifier.experiments.runner import ExperimentContext, ExperimentResult, TrialRunner
from classifier.experiments.store import Experiment, ExperimentSpec
from classifier.experiments.trials import TrialConfig
from classifier.model_records import REGIME_TITLES
from classifier.settings import ESTIMATORS_GROUP
from classifier.training.fingerprint import data_fingerprint
from classifier.training_config import FEATURE_GROUPS, SPLITS, TrainingConfig
from genrebase.runtime import jobs, plugins

JOB: Final = "compare"
COMPARED_METRICS: Final = ("accuracy", "macro_f1", "top3", "log_loss", "ece", "baseline")
"""Metrics in a comparison's rows; the database has all."""


@dataclass(frozen=True, slots=True)
class ComparisonGrid:
    """Every combination of these is compared."""

    estimators: tuple[str, ...]
    feature_sets: tuple[tuple[str, ...], ...] = ()
    """Empty: the features of the training config."""
    per_genre: tuple[int | None, ...] = (None,)
    rotations: tuple[int, ...] = (0,)

    def trials(self) -> Iterator[TrialConfig]:
        for rotation in self.rotations:
            test, validation = cross_validation.held_out_folds(rotation)
            for features, size, name in product(
                self.feature_sets, self.per_genre, self.estimators
            ):
                yield TrialConfig(name, features, {}, size, None, test, validation)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonResult(ExperimentResult):
    """The metrics of a comparison; the fields are the keys of `compare --json`."""

    rows: tuple[Mapping[str, Any], ...]
    """A row per configuration, the best on unseen artists first."""
    failed: tuple[Mapping[str, Any], ...]


def run(
    context: ExperimentContext, config: TrainingConfig, grid: ComparisonGrid
) -> ComparisonResult:
    """Run a trial for every combination of `grid`; resume where an earlier run stopped.

    Raise `TooFewTracks`, `BadTrainingConfig` or `UserError` if nothing can be compared; a
    combination that cannot be fitted is a row of `failed`.
    """
    for name in set(grid.estimators) - set(estimators.names()):
        plugins.load(ESTIMATORS_GROUP, name)  # its error lists the names
    if config.split != SPLITS[0] and grid.rotations != (0,):
        raise BadTrainingConfig("A published split is one split: leave out --rotations.")
    named = {group for groups in grid.feature_sets for group in groups}
    if named:  # load what any of the sets needs
        groups = tuple(group for group in FEATURE_GROUPS if group in named)
        config = replace(config, features=groups, auto_features=False)
    if context.snapshot is None:
        config = audio_joins.resolve_features(context.database, config)
    grid = replace(grid, feature_sets=grid.feature_sets or (config.features,))
    with jobs.job_run(context.database, context.clock, JOB) as job:
        raw = context.load(config)
        split = training_data.split_dataset(raw, config)
        spec = ExperimentSpec(JOB, asdict(grid), config, data_fingerprint(split), raw.origin)
        trials = list(grid.trials())
        n_tracks = [sum(training_tracks(split, one.per_genre).values()) for one in trials]
        fitter = TrialFitter(raw, config, context.clock, cores=context.cores)
        runner = TrialRunner(context, fitter, spec, n_tracks)
        runner.plan(trials)
        for trial in trials:
            runner.run(trial, _describe(trial))
        runner.finish(job)
        return ComparisonResult(
            rows=tuple(result_rows(context.database, runner.experiment)),
            failed=tuple(failed_trials(runner.experiment)),
            **runner.facts(split),
        )


def result_rows(database: Database, experiment: Experiment) -> list[dict[str, Any]]:
    """Return a row per configuration with its metrics in both regimes, the best first."""
    results: dict[tuple[int, int | None], dict[str, Any]] = {}
    for row in store.metric_rows(database, experiment, metrics=COMPARED_METRICS):
        result = results.setdefault((row["number"], row["per_genre"]), _result_row(row))
        if row["regime"] in REGIME_TITLES:
            metrics = result["metrics"].setdefault(row["regime"], {})
            metrics[row["metric"]] = row["value"]
            if row["metric"] == "accuracy":
                metrics |= {"n": row["n"], "interval": interval(row)}
    return sorted(results.values(), key=_best_first)


def failed_trials(experiment: Experiment) -> list[dict[str, Any]]:
    """Return the trials that could not be fitted, and why."""
    return [
        {
            "estimator": trial.estimator,
            "features": list(trial.features),
            "params": dict(trial.params),
            "per_genre": trial.per_genre,
            "test_fold": trial.test_fold,
            "error": result.error,
        }
        for trial, result in experiment.trials.values()
        if result.error is not None
    ]


def interval(row: Mapping[str, Any]) -> list[float] | None:
    """Return the 95% interval of a metric's row."""
    return None if row["low"] is None else [row["low"], row["high"]]


def _result_row(row: Mapping[str, Any]) -> dict[str, Any]:
    size = row["artifact_bytes"]
    return {
        **{name: row[name] for name in ("estimator", "per_genre", "folds", "seconds")},
        "artifact_bytes": None if size is None else round(size),
        "trained_rows": round(row["trained_rows"]),
        "features": row["features"].split(","),
        "training_accuracy": row["training_score"],
        "metrics": {},
    }


def _best_first(row: Mapping[str, Any]) -> tuple[float, str]:
    values = [row["metrics"].get(regime, {}).get("accuracy") for regime in REGIME_TITLES]
    return -next((value for value in values if value is not None), 0.0), row["estimator"]


def _describe(trial: TrialConfig) -> str:
    size = "" if trial.per_genre is None else f", {trial.per_genre} per genre"
    return f"{trial.estimator}, {'+'.join(trial.features)}{size}, fold {trial.test_fold}"
