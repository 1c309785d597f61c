"""Look for better parameters of an estimator, by validation tracks alone.

Nothing of the test fold is looked at: tracks of an artist, a guest or a name in it are left out
before anything is tried. Of the other nine folds one after another is what a trial is judged on,
and the one before it what may end a learning early; the rest is learned from.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from classifier import estimators, threads
from classifier.data import audio_joins, dataset
from classifier.data import training_data as selecting
from classifier.data.dataset import Database, RawDataset
from classifier.data.training_data import SplitDataset
from classifier.errors import BadTrainingConfig
from classifier.experiments import compare, cross_validation, trials
from classifier.experiments import store as experiments
from classifier.experiments.progress import ExperimentProgress, TrialProgress, n_training_tracks
from classifier.experiments.search import N_CV_FOLDS, TUNING_REGIMES, SearchSettings
from classifier.experiments.store import Experiment, ExperimentSpec
from classifier.experiments.trials import TrialConfig, TrialResult
from classifier.training_config import TrainingConfig
from genrebase.runtime import jobs
from genrebase.runtime.clock import Clock
from genrebase.store.split import TEST_FOLD

JOB: Final = "tune"


@dataclass(frozen=True, slots=True)
class BestParameters:
    """What came out best of one search."""

    genre: str | None
    """The genre told from the rest; None: all."""
    params: Mapping[str, Any]
    score: float | None
    """None: nothing was tried to its end."""
    default: float | None
    """What the defaults came to, on the same tracks."""
    per_genre: int | None
    """On how many tracks per genre that was; None: on all."""
    folds: int


@dataclass(frozen=True, slots=True)
class TuningResult:
    """What a tuning came to."""

    experiment: int
    found: tuple[BestParameters, ...]
    table: tuple[Mapping[str, Any], ...]
    """A row per point and number of tracks, the best first."""
    failed: tuple[Mapping[str, Any], ...]
    stopped: str | None
    """`time`: the budget ran out, and the same again goes on."""
    nothing_new: bool = False
    left_out: Mapping[str, int] = field(default_factory=dict)
    origin: str | None = None


def run(
    database: Database,
    choice: TrainingConfig,
    study: SearchSettings,
    clock: Clock,
    *,
    progress: TrialProgress,
    seconds: float | None = None,
    snapshot: RawDataset | None = None,
    cores: int | None = None,
    again: bool = False,
) -> TuningResult:
    """Try points of a space, each written down when done; go on where it was left off.

    After `seconds` nothing new is begun. Raise `BadTrainingConfig`, `BadParameter`, `TooFewTracks` or
    `UnknownPlugin` where nothing can be tried.
    """
    study.validate()
    estimators.build(choice, threads=1)  # a wrong name or parameter is refused before the loading
    points = study.candidates(choice.seed)
    choice = audio_joins.resolve_features(database, choice)
    with jobs.job_run(database, clock, JOB) as job:
        snapshot = dataset.load_dataset(database, choice) if snapshot is None else snapshot
        asked = selecting.split_dataset(cross_validation.without_test_fold(snapshot), choice)
        genres = _genres(study, asked)
        told = {"estimator": choice.estimator, "params": dict(choice.params), **study.as_json()}
        question = ExperimentSpec(JOB, told, choice, selecting.fingerprint(asked), snapshot.origin)
        experiment = experiments.create_or_resume(database, question, clock.now(), again=again)
        measuring = _Measuring(database, experiment, snapshot, choice, study, clock, cores)
        search = _Search(measuring, study, points, seconds)
        stopped = search.run(genres, study.rungs(_most(asked)), asked, progress)
        if stopped is None and not experiment.finished:
            experiments.mark_finished(database, experiment, clock.now())
        job.set_facts(experiment=experiment.id, trials=len(experiment.trials))
        if not measuring.tried:
            job.set_outcome("nothing_new")
        return TuningResult(
            experiment.id,
            tuple(_best(experiment, choice, study, genre) for genre in genres),
            tuple(_table(experiment, study)),
            tuple(compare.failed_trials(experiment)),
            stopped,
            nothing_new=measuring.tried == 0,
            left_out=dict(asked.left_out),
            origin=snapshot.origin,
        )


class _Measuring:
    """Measures one configuration on one fold at a time, and writes it down."""

    def __init__(
        self,
        database: Database,
        experiment: Experiment,
        found: RawDataset,
        choice: TrainingConfig,
        study: SearchSettings,
        clock: Clock,
        cores: int | None,
    ) -> None:
        self._database, self._experiment, self.clock = database, experiment, clock
        self._found = cross_validation.without_test_fold(found)
        self._choice, self._study, self._cores = choice, study, cores
        self._last: tuple[Any, SplitDataset] | None = None
        self.tried = 0

    def configuration(
        self, point: Mapping[str, Any], genre: str | None, size: int | None, fold: int
    ) -> TrialConfig:
        choice = self._choice
        return TrialConfig(
            choice.estimator,
            choice.features,
            {**choice.params, **point},
            choice.per_genre if size is None else size,
            genre,
            TEST_FOLD,
            fold,
        )

    def measure(self, configuration: TrialConfig, work: ExperimentProgress, what: str) -> None:
        """Try a configuration, unless that was done."""
        if self._experiment.has_trial(configuration):
            work.skip_trial()
            return
        work.start_trial(what)
        if self._experiment.finished:
            experiments.mark_unfinished(self._database, self._experiment)
        selection = self._select(configuration)
        workers = threads.thread_count(len(selection.tracks), len(selection.classes), self._cores)
        with threads.limit_threads(workers):
            tried, _ = trials.run_trial(
                selection,
                configuration.apply_to(self._choice),
                self.clock,
                cores=workers,
                side="validation",
            )
        self.tried += 1
        experiments.store_trial(
            self._database,
            self._experiment,
            configuration,
            _scored(tried, self._study, configuration.binary_genre),
            self.clock,
        )
        work.finish_trial(what)

    def score(self, configurations: Sequence[TrialConfig]) -> float | None:
        """Return the mean score over folds; None where one is missing or failed."""
        tried = [self._experiment.trials.get(one.key) for one in configurations]
        return _score([trial for trial in tried if trial is not None], self._study)

    def _select(self, configuration: TrialConfig) -> SplitDataset:
        fold = configuration.validation_fold
        key = (fold, configuration.per_genre)
        if self._last is None or self._last[0] != key:
            turned = cross_validation.with_held_out_folds(
                self._found, test=fold, validation=(fold - 1) % N_CV_FOLDS
            )
            self._last = (
                key,
                selecting.split_dataset(turned, configuration.apply_to(self._choice)),
            )
        selection = self._last[1]
        genre = configuration.binary_genre
        return selection if genre is None else trials.one_vs_rest(selection, genre)


class _Search:
    """From rung to rung: all points on few tracks, the best of them on more."""

    def __init__(
        self,
        measuring: _Measuring,
        study: SearchSettings,
        points: Sequence[Mapping[str, Any]],
        seconds: float | None,
    ) -> None:
        self._measuring, self._study, self._points = measuring, study, points
        self._clock = measuring.clock
        self._end = None if seconds is None else self._clock.monotonic() + seconds

    def run(
        self,
        genres: Sequence[str | None],
        rungs: Sequence[int | None],
        asked: SplitDataset,
        progress: TrialProgress,
    ) -> str | None:
        """Search for every genre; return why it stopped before its end, or None."""
        work = ExperimentProgress(progress, len(genres) * self._tracks(rungs, asked))
        for genre in genres:
            left = list(self._points)
            for rung, size in enumerate(rungs):
                for fold in self._study.validation_folds:  # the tracks of a fold are chosen once
                    for point in left:
                        if self._end is not None and self._clock.monotonic() >= self._end:
                            return "time"
                        configuration = self._measuring.configuration(point, genre, size, fold)
                        self._measuring.measure(configuration, work, _said(point, genre, size))
                if rung + 1 < len(rungs):
                    left = self._survivors(left, genre, size, rung + 1)
        work.complete()
        return None

    def _tracks(self, rungs: Sequence[int | None], asked: SplitDataset) -> list[int]:
        """Return how many tracks each trial of one genre's search learns from."""
        found = []
        for rung, size in enumerate(rungs):
            points = 1 + min(self._study.n_survivors(rung), len(self._points) - 1)
            found += [n_training_tracks(asked, size)] * (points * self._study.cv_folds)
        return found

    def _survivors(
        self, left: Sequence[Mapping[str, Any]], genre: str | None, size: int | None, rung: int
    ) -> list[Mapping[str, Any]]:
        """Return the points for the next rung: the defaults, and the best of the others."""
        scores = []
        for place, point in enumerate(left[1:]):
            told = [
                self._measuring.configuration(point, genre, size, fold)
                for fold in self._study.validation_folds
            ]
            score = self._measuring.score(told)
            if score is not None:
                scores.append((-score, place, point))
        kept = sorted(scores, key=lambda one: one[:2])[: self._study.n_survivors(rung)]
        return [left[0], *(point for _, _, point in kept)]


def _scored(tried: TrialResult, study: SearchSettings, genre: str | None) -> TrialResult:
    """Return a trial with the score it is chosen by; of a binary model only its genre is kept."""
    if tried.error is not None:
        return tried
    metrics = tuple(row for row in tried.metrics if genre is None or row.genre in (None, genre))
    wanted = TUNING_REGIMES[1:] if study.regime == TUNING_REGIMES[0] else (study.regime,)
    found = [
        row.value
        for row in metrics
        if row.regime in wanted and row.metric == study.metric and row.genre == genre
        if row.value is not None
    ]
    if not found:
        return replace(tried, metrics=metrics, error="No validation track to judge it by.")
    sign = -1.0 if study.metric == "log_loss" else 1.0
    return replace(tried, metrics=metrics, score=sign * float(np.mean(found)))


def _genres(study: SearchSettings, asked: SplitDataset) -> list[str | None]:
    if study.one_vs_rest_genres is None:
        return [None]
    unknown = [genre for genre in study.one_vs_rest_genres if genre not in asked.classes]
    if unknown:
        known = ", ".join(asked.classes)
        raise BadTrainingConfig(
            f"There is no genre {unknown[0]!r} to tell apart. There are: {known}."
        )
    return list(study.one_vs_rest_genres or asked.classes)


def _most(asked: SplitDataset) -> int:
    """Return how many tracks the largest genre has to learn from."""
    _, counts = np.unique(asked.labels[asked.train_mask], return_counts=True)
    return int(counts.max())


def _groups(
    experiment: Experiment,
) -> dict[tuple[str, int | None], list[experiments.StoredTrial]]:
    """Return the trials of each point and number of tracks."""
    found: dict[tuple[str, int | None], list[experiments.StoredTrial]] = {}
    for trial in experiment.trials.values():
        key = (trial.configuration.configuration_key, trial.configuration.per_genre)
        found.setdefault(key, []).append(trial)
    return found


def _best(
    experiment: Experiment, choice: TrainingConfig, study: SearchSettings, genre: str | None
) -> BestParameters:
    """Return the best point on the most tracks that a point was tried on to its end."""
    complete = []
    for group in _groups(experiment).values():
        tried = group[0].configuration
        score = _score(group, study)
        if tried.binary_genre == genre and score is not None:
            whole = tried.per_genre == choice.per_genre
            complete.append((math.inf if whole else tried.per_genre or 0, score, tried))
    if not complete:
        return BestParameters(
            genre, dict(choice.params), None, None, choice.per_genre, study.cv_folds
        )
    deepest = max(size for size, _, _ in complete)
    last = [one for one in complete if one[0] == deepest]
    _, score, best = max(last, key=lambda one: one[1])
    defaults = [one[1] for one in last if dict(one[2].params) == dict(choice.params)]
    return BestParameters(
        genre,
        dict(best.params),
        score,
        defaults[0] if defaults else None,
        best.per_genre,
        study.cv_folds,
    )


def _score(group: Sequence[experiments.StoredTrial], study: SearchSettings) -> float | None:
    scores = [trial.score for trial in group if trial.score is not None]
    return float(np.mean(scores)) if len(scores) == study.cv_folds else None


def _table(experiment: Experiment, study: SearchSettings) -> Iterator[dict[str, Any]]:
    """Yield a row per point and number of tracks, the best on the most tracks first."""
    rows = []
    for group in _groups(experiment).values():
        tried = group[0].configuration
        rows.append(
            {
                "number": group[0].number,
                "genre": tried.binary_genre,
                "params": dict(tried.params),
                "per_genre": tried.per_genre,
                "trained_rows": round(np.mean([trial.trained_rows for trial in group])),
                "score": _score(group, study),
                "folds": len(group),
                "seconds": float(np.mean([trial.seconds for trial in group])),
            }
        )
    yield from sorted(rows, key=_first)


def _first(row: Mapping[str, Any]) -> tuple[Any, ...]:
    score = -math.inf if row["score"] is None else row["score"]
    return row["genre"] or "", -row["trained_rows"], -score, row["number"]


def _said(point: Mapping[str, Any], genre: str | None, size: int | None) -> str:
    told = ", ".join(f"{name}={value}" for name, value in point.items()) or "defaults"
    most = "" if size is None else f" on {size:,} tracks per genre"
    return f"{'' if genre is None else genre + ': '}{told}{most}"
