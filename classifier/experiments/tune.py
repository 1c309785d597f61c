"""Hyperparameter search by cross-validation within the training folds.

Points are sampled at random, by TPE with successive halving, or exhaustively.

The test fold is excluded: tracks with an artist, a guest or a name in it are dropped before
anything is tried, so nothing leaks from it. Each trial is evaluated on one of the other nine folds
after another; the fold before it serves early stopping, and the rest are trained on.

Trials are rows of the database. Optuna's study is in memory only: the same seed suggests the same
points, so an interrupted search resumes by replaying the stored scores.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from classifier import estimators
from classifier.data import audio_joins, training_data
from classifier.data.training_data import SplitDataset
from classifier.errors import BadTrainingConfig
from classifier.experiments import compare, cross_validation, search_spaces
from classifier.experiments.fitting import TrialFitter
from classifier.experiments.progress import training_tracks
from classifier.experiments.runner import ExperimentContext, ExperimentResult, TrialRunner
from classifier.experiments.search_settings import (
    REDUCTION_FACTOR,
    TUNING_REGIMES,
    SearchSettings,
)
from classifier.experiments.store import Experiment, ExperimentSpec
from classifier.experiments.trials import TrialConfig, TrialResult
from classifier.training.fingerprint import data_fingerprint
from classifier.training_config import TrainingConfig
from genrebase.counts import counted
from genrebase.runtime import jobs
from genrebase.runtime.clock import Clock
from genrebase.store.split import TEST_FOLD

if TYPE_CHECKING:
    from optuna import Study, Trial

JOB: Final = "tune"
_MAX_REPEATS: Final = 10
"""Suggestions per point: a sampler suggests points of a small space again."""


@dataclass(frozen=True, slots=True)
class BestParameters:
    """The best point of one search."""

    genre: str | None
    """The positive class of a one-vs-rest search; None: multi-class."""
    params: Mapping[str, Any]
    score: float | None
    """None: no point was evaluated on all folds."""
    default: float | None
    """The score of the defaults on the same tracks."""
    per_genre: int | None
    """The number of tracks per genre; None: all."""
    folds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningResult(ExperimentResult):
    """The best parameters, and every point that was tried."""

    found: tuple[BestParameters, ...]
    table: tuple[Mapping[str, Any], ...]
    """A row per point and number of tracks, the best first."""
    failed: tuple[Mapping[str, Any], ...]
    stopped: str | None
    """`time`: the time limit was reached, and the same command resumes."""


def run(
    context: ExperimentContext,
    config: TrainingConfig,
    settings: SearchSettings,
    *,
    seconds: float | None = None,
) -> TuningResult:
    """Search the space, starting no trial after `seconds`.

    Raise `BadTrainingConfig`, `BadParameter`, `TooFewTracks`, or `UserError` for an
    unknown estimator.
    """
    settings.validate()
    estimators.build(config, threads=1)  # refuse a wrong name or parameter before loading
    if settings.search == "exhaustive":
        list(search_spaces.grid_points(settings.space))  # likewise
    config = audio_joins.resolve_features(context.database, config)
    with jobs.job_run(context.database, context.clock, JOB) as job:
        raw = cross_validation.without_test_fold(context.load(config))
        split = training_data.split_dataset(raw, config)
        genres = _genres(settings, split)
        rungs = settings.rungs(max(training_tracks(split, None).values()))
        tried = {"estimator": config.estimator, "params": dict(config.params)}
        spec = ExperimentSpec(
            JOB,
            {**tried, **settings.as_json()},
            config,
            data_fingerprint(split),
            raw.origin,
        )
        of_rungs = [sum(training_tracks(split, size).values()) for size in rungs]
        n_tracks = [tracks for tracks in of_rungs for _ in range(settings.cv_folds)]
        n_tracks *= len(genres) * (1 + settings.n_points)
        fitter = TrialFitter(
            raw,
            config,
            context.clock,
            side="validation",
            cores=context.cores,
            cached_splits=2 * settings.cv_folds,
        )
        runner = TrialRunner(context, fitter, spec, n_tracks)
        end = math.inf if seconds is None else context.clock.monotonic() + seconds
        search = _Search(runner, config, settings, rungs, context.clock, end)
        stopped = None
        if context.cluster is not None:
            for genre in genres:
                search.plan(genre)
        try:
            for genre in genres:
                search.run(genre)
        except _OutOfTime:
            stopped = "time"
        runner.finish(job, complete=stopped is None)
        experiment = runner.experiment
        facts = runner.facts(split)
        return TuningResult(
            found=tuple(_best(experiment, config, settings, genre) for genre in genres),
            table=tuple(_table(experiment, settings)),
            failed=tuple(compare.failed_trials(experiment)),
            stopped=stopped,
            **{**facts, "nothing_new": facts["nothing_new"] and stopped is None},
        )


class _OutOfTime(Exception):
    """The time limit was reached."""


@dataclass(frozen=True, slots=True)
class _Search:
    """Asks Optuna for points, evaluates them, and tells it their scores."""

    runner: TrialRunner
    config: TrainingConfig
    settings: SearchSettings
    rungs: Sequence[int | None]
    clock: Clock
    end: float
    """Of the time limit, on the monotonic clock."""

    def plan(self, genre: str | None) -> None:
        """Announce the trials of a search whose points do not depend on scores."""
        if self.settings.search != "halving":
            for _, point in ((None, {}), *self._points(self._study())):
                self.runner.plan(self._trials(point, genre, None))

    def run(self, genre: str | None) -> None:
        """Evaluate the defaults, then the points that Optuna suggests."""
        from optuna.trial import TrialState  # slow to import: only a search needs it

        self._evaluate({}, genre)
        study = self._study()
        for trial, point in self._points(study):
            score, complete = self._evaluate(point, genre, trial)
            if complete:
                study.tell(trial, score)
            else:
                study.tell(trial, state=TrialState.FAIL if score is None else TrialState.PRUNED)

    def _study(self) -> "Study":
        """Return a study, with the points to begin with where all of the space are tried."""
        settings, study = self.settings, self.settings.study(self.config.seed)
        if settings.n_points == search_spaces.n_points(settings.space):
            for point in search_spaces.grid_points(settings.space):
                study.enqueue_trial({name: json.dumps(value) for name, value in point.items()})
        return study

    def _points(self, study: "Study") -> "Iterator[tuple[Trial, Mapping[str, Any]]]":
        """Yield the points to try, each once; TPE suggests the next by the scores before it."""
        from optuna.trial import TrialState  # slow to import: only a search needs it

        settings, tried = self.settings, set[str]()
        for _ in range(_MAX_REPEATS * settings.n_points):
            if len(tried) == settings.n_points:
                return
            trial = study.ask()
            point = search_spaces.suggest(trial, settings.space)
            key = json.dumps(point, sort_keys=True)
            if key in tried:
                study.tell(trial, state=TrialState.FAIL)
                continue
            tried.add(key)
            yield trial, point

    def _evaluate(
        self, point: Mapping[str, Any], genre: str | None, trial: "Trial | None" = None
    ) -> tuple[float | None, bool]:
        """Return the last score of a point, and whether it is on all tracks: not pruned."""
        score = None
        for rung, size in enumerate(self.rungs):
            score = self._cross_validate(point, genre, size)
            if trial is not None and score is not None:
                trial.report(score, REDUCTION_FACTOR**rung)
            last = rung + 1 == len(self.rungs)
            if score is None or (trial is not None and not last and trial.should_prune()):
                for _ in range((len(self.rungs) - rung - 1) * self.settings.cv_folds):
                    self.runner.progress.skip_trial()
                return score, False
        return score, True

    def _trials(
        self, point: Mapping[str, Any], genre: str | None, size: int | None
    ) -> list[TrialConfig]:
        """Return a trial per validation fold."""
        config = self.config
        per_genre = config.per_genre if size is None else size
        return [
            TrialConfig(
                config.estimator,
                config.features,
                {**config.params, **point},
                per_genre,
                genre,
                TEST_FOLD,
                fold,
            )
            for fold in self.settings.validation_folds
        ]

    def _cross_validate(
        self, point: Mapping[str, Any], genre: str | None, size: int | None
    ) -> float | None:
        """Return the mean score over folds; None if a fold failed."""
        trials = self._trials(point, genre, size)
        if self.settings.search == "halving":  # others are planned before the search begins
            self.runner.plan(trials)
        for trial in trials:
            if self.clock.monotonic() >= self.end:
                raise _OutOfTime
            self.runner.run(
                trial,
                _describe(point, genre, size),
                lambda result, _: _with_score(result, self.settings, genre),
            )
        stored = self.runner.experiment.trials
        return _mean_score([stored[trial.key][1] for trial in trials], self.settings)


def _with_score(result: TrialResult, settings: SearchSettings, genre: str | None) -> TrialResult:
    """Return a result with its criterion; one-vs-rest keeps the metrics of its genre only."""
    metrics = tuple(row for row in result.metrics if genre is None or row.genre in (None, genre))
    regimes = TUNING_REGIMES[1:] if settings.regime == TUNING_REGIMES[0] else (settings.regime,)
    values = [
        row.value
        for row in metrics
        if row.regime in regimes and row.metric == settings.metric and row.genre == genre
        if row.value is not None
    ]
    if not values:
        return replace(result, metrics=metrics, error="There is no validation track to score it.")
    sign = -1.0 if settings.metric == "log_loss" else 1.0
    return replace(result, metrics=metrics, score=sign * float(np.mean(values)))


def _genres(settings: SearchSettings, split: SplitDataset) -> list[str | None]:
    if settings.one_vs_rest_genres is None:
        return [None]
    for genre in settings.one_vs_rest_genres:
        if genre not in split.classes:
            raise BadTrainingConfig(
                f"There is no genre {genre!r} to classify. There are: {', '.join(split.classes)}."
            )
    return list(settings.one_vs_rest_genres or split.classes)


def _by_point(experiment: Experiment) -> Iterator[tuple[TrialConfig, list[TrialResult]]]:
    """Yield a trial of each point and number of tracks, and the results of all."""
    groups: dict[tuple[str, int | None], tuple[TrialConfig, list[TrialResult]]] = {}
    for trial, result in experiment.trials.values():
        key = (trial.configuration_key, trial.per_genre)
        groups.setdefault(key, (trial, []))[1].append(result)
    yield from groups.values()


def _best(
    experiment: Experiment, config: TrainingConfig, settings: SearchSettings, genre: str | None
) -> BestParameters:
    complete = []
    for trial, results in _by_point(experiment):
        score = _mean_score(results, settings)
        if trial.binary_genre == genre and score is not None:
            all_tracks = trial.per_genre == config.per_genre
            complete.append((math.inf if all_tracks else trial.per_genre or 0, score, trial))
    if not complete:
        return BestParameters(
            genre, dict(config.params), None, None, config.per_genre, settings.cv_folds
        )
    largest = max(size for size, _, _ in complete)
    scores = [(score, trial) for size, score, trial in complete if size == largest]
    score, best = max(scores, key=lambda one: one[0])
    default = next((score for score, one in scores if one.params == dict(config.params)), None)
    return BestParameters(
        genre, dict(best.params), score, default, best.per_genre, settings.cv_folds
    )


def _mean_score(results: Sequence[TrialResult], settings: SearchSettings) -> float | None:
    scores = [one.score for one in results if one.score is not None]
    return float(np.mean(scores)) if len(scores) == settings.cv_folds else None


def _table(experiment: Experiment, settings: SearchSettings) -> list[dict[str, Any]]:
    """Return a row per point and number of tracks; the most tracks, then the best, first."""
    rows = [
        {
            "number": experiment.configuration_number(trial),
            "genre": trial.binary_genre,
            "params": dict(trial.params),
            "per_genre": trial.per_genre,
            "trained_rows": round(np.mean([one.trained_rows for one in results])),
            "score": _mean_score(results, settings),
            "folds": len(results),
            "seconds": float(np.mean([one.seconds for one in results])),
        }
        for trial, results in _by_point(experiment)
    ]

    def order(row: Mapping[str, Any]) -> tuple[Any, ...]:
        score = -math.inf if row["score"] is None else row["score"]
        return row["genre"] or "", -row["trained_rows"], -score, row["number"]

    return sorted(rows, key=order)


def _describe(point: Mapping[str, Any], genre: str | None, size: int | None) -> str:
    params = ", ".join(f"{name}={value}" for name, value in point.items()) or "defaults"
    tracks = "" if size is None else f" on {counted(size, 'track')} per genre"
    return f"{'' if genre is None else genre + ': '}{params}{tracks}"
