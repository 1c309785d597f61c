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
from classifier.data.dataset import Database, Snapshot
from classifier.data.training_data import Selection
from classifier.errors import BadChoice
from classifier.experiments import compare, cross_validation, trials
from classifier.experiments import store as experiments
from classifier.experiments.progress import Progress, Work, learned
from classifier.experiments.search import FOLDS, REGIMES, Study
from classifier.experiments.store import Experiment, Question
from classifier.experiments.trials import Configuration, Tried
from classifier.records import Choice
from genrebase.runtime import jobs
from genrebase.runtime.clock import Clock
from genrebase.store.split import TEST_FOLD

JOB: Final = "tune"


@dataclass(frozen=True, slots=True)
class Found:
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
class Tuned:
    """What a tuning came to."""

    experiment: int
    found: tuple[Found, ...]
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
    choice: Choice,
    study: Study,
    clock: Clock,
    *,
    progress: Progress,
    seconds: float | None = None,
    found: Snapshot | None = None,
    cores: int | None = None,
    again: bool = False,
) -> Tuned:
    """Try points of a space, each written down when done; go on where it was left off.

    After `seconds` nothing new is begun. Raise `BadChoice`, `BadParameter`, `TooFewTracks` or
    `UnknownPlugin` where nothing can be tried.
    """
    study.check()
    estimators.build(choice, threads=1)  # a wrong name or parameter is refused before the loading
    points = study.points(choice.seed)
    choice = audio_joins.settled(database, choice)
    with jobs.job_run(database, clock, JOB) as job:
        found = dataset.snapshot(database, choice) if found is None else found
        asked = selecting.select(cross_validation.without_test(found), choice)
        genres = _genres(study, asked)
        told = {"estimator": choice.estimator, "params": dict(choice.params), **study.as_json()}
        question = Question(JOB, told, choice, selecting.fingerprint(asked), found.origin)
        experiment = experiments.begin(database, question, clock.now(), again=again)
        measuring = _Measuring(database, experiment, found, choice, study, clock, cores)
        search = _Search(measuring, study, points, seconds)
        stopped = search.run(genres, study.rungs(_most(asked)), asked, progress)
        if stopped is None and not experiment.finished:
            experiments.finish(database, experiment, clock.now())
        job.note(experiment=experiment.id, trials=len(experiment.done))
        if not measuring.tried:
            job.outcome("nothing_new")
        return Tuned(
            experiment.id,
            tuple(_best(experiment, choice, study, genre) for genre in genres),
            tuple(_table(experiment, study)),
            tuple(compare.failures(experiment)),
            stopped,
            nothing_new=measuring.tried == 0,
            left_out=dict(asked.left_out),
            origin=found.origin,
        )


class _Measuring:
    """Measures one configuration on one fold at a time, and writes it down."""

    def __init__(
        self,
        database: Database,
        experiment: Experiment,
        found: Snapshot,
        choice: Choice,
        study: Study,
        clock: Clock,
        cores: int | None,
    ) -> None:
        self._database, self._experiment, self.clock = database, experiment, clock
        self._found = cross_validation.without_test(found)
        self._choice, self._study, self._cores = choice, study, cores
        self._last: tuple[Any, Selection] | None = None
        self.tried = 0

    def configuration(
        self, point: Mapping[str, Any], genre: str | None, size: int | None, fold: int
    ) -> Configuration:
        choice = self._choice
        return Configuration(
            choice.estimator,
            choice.features,
            {**choice.params, **point},
            choice.per_genre if size is None else size,
            genre,
            TEST_FOLD,
            fold,
        )

    def measure(self, configuration: Configuration, work: Work, what: str) -> None:
        """Try a configuration, unless that was done."""
        if self._experiment.is_done(configuration):
            work.skip()
            return
        work.begin(what)
        if self._experiment.finished:
            experiments.reopen(self._database, self._experiment)
        selection = self._select(configuration)
        workers = threads.fitting(len(selection.tracks), len(selection.classes), self._cores)
        with threads.capped(workers):
            tried, _ = trials.attempt(
                selection,
                configuration.of(self._choice),
                self.clock,
                cores=workers,
                side="validation",
            )
        self.tried += 1
        experiments.record(
            self._database,
            self._experiment,
            configuration,
            _scored(tried, self._study, configuration.binary_genre),
            self.clock,
        )
        work.end(what)

    def score(self, configurations: Sequence[Configuration]) -> float | None:
        """Return the mean score over folds; None where one is missing or failed."""
        tried = [self._experiment.done.get(one.key) for one in configurations]
        return _score([trial for trial in tried if trial is not None], self._study)

    def _select(self, configuration: Configuration) -> Selection:
        fold = configuration.validation_fold
        key = (fold, configuration.per_genre)
        if self._last is None or self._last[0] != key:
            turned = cross_validation.rotated(
                self._found, test=fold, validation=(fold - 1) % FOLDS
            )
            self._last = (key, selecting.select(turned, configuration.of(self._choice)))
        selection = self._last[1]
        genre = configuration.binary_genre
        return selection if genre is None else trials.against_rest(selection, genre)


class _Search:
    """From rung to rung: all points on few tracks, the best of them on more."""

    def __init__(
        self,
        measuring: _Measuring,
        study: Study,
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
        asked: Selection,
        progress: Progress,
    ) -> str | None:
        """Search for every genre; return why it stopped before its end, or None."""
        work = Work(progress, len(genres) * self._tracks(rungs, asked))
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
        work.over()
        return None

    def _tracks(self, rungs: Sequence[int | None], asked: Selection) -> list[int]:
        """Return how many tracks each trial of one genre's search learns from."""
        found = []
        for rung, size in enumerate(rungs):
            points = 1 + min(self._study.kept(rung), len(self._points) - 1)
            found += [learned(asked, size)] * (points * self._study.folds)
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
        kept = sorted(scores, key=lambda one: one[:2])[: self._study.kept(rung)]
        return [left[0], *(point for _, _, point in kept)]


def _scored(tried: Tried, study: Study, genre: str | None) -> Tried:
    """Return a trial with the score it is chosen by; of a binary model only its genre is kept."""
    if tried.error is not None:
        return tried
    metrics = tuple(row for row in tried.metrics if genre is None or row.genre in (None, genre))
    wanted = REGIMES[1:] if study.regime == REGIMES[0] else (study.regime,)
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


def _genres(study: Study, asked: Selection) -> list[str | None]:
    if study.binary is None:
        return [None]
    unknown = [genre for genre in study.binary if genre not in asked.classes]
    if unknown:
        known = ", ".join(asked.classes)
        raise BadChoice(f"There is no genre {unknown[0]!r} to tell apart. There are: {known}.")
    return list(study.binary or asked.classes)


def _most(asked: Selection) -> int:
    """Return how many tracks the largest genre has to learn from."""
    _, counts = np.unique(asked.labels[asked.learned], return_counts=True)
    return int(counts.max())


def _groups(
    experiment: Experiment,
) -> dict[tuple[str, int | None], list[experiments.Trial]]:
    """Return the trials of each point and number of tracks."""
    found: dict[tuple[str, int | None], list[experiments.Trial]] = {}
    for trial in experiment.done.values():
        key = (trial.configuration.recipe, trial.configuration.per_genre)
        found.setdefault(key, []).append(trial)
    return found


def _best(experiment: Experiment, choice: Choice, study: Study, genre: str | None) -> Found:
    """Return the best point on the most tracks that a point was tried on to its end."""
    complete = []
    for group in _groups(experiment).values():
        tried = group[0].configuration
        score = _score(group, study)
        if tried.binary_genre == genre and score is not None:
            whole = tried.per_genre == choice.per_genre
            complete.append((math.inf if whole else tried.per_genre or 0, score, tried))
    if not complete:
        return Found(genre, dict(choice.params), None, None, choice.per_genre, study.folds)
    deepest = max(size for size, _, _ in complete)
    last = [one for one in complete if one[0] == deepest]
    _, score, best = max(last, key=lambda one: one[1])
    defaults = [one[1] for one in last if dict(one[2].params) == dict(choice.params)]
    return Found(
        genre,
        dict(best.params),
        score,
        defaults[0] if defaults else None,
        best.per_genre,
        study.folds,
    )


def _score(group: Sequence[experiments.Trial], study: Study) -> float | None:
    scores = [trial.score for trial in group if trial.score is not None]
    return float(np.mean(scores)) if len(scores) == study.folds else None


def _table(experiment: Experiment, study: Study) -> Iterator[dict[str, Any]]:
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
