"""The learning curve: what more tracks of each genre bring, and which genres they would help.

Figures are of test tracks, the same at every size; nothing is chosen by them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from classifier import estimators, threads
from classifier.data import audio_joins, dataset
from classifier.data import training_data as selecting
from classifier.data.dataset import Database, RawDataset
from classifier.data.training_data import SplitDataset
from classifier.errors import TooFewTracks
from classifier.evaluation.bootstrap import ArtistBootstrap
from classifier.evaluation.metrics import LabelledPredictions, paired_gains
from classifier.evaluation.report import FEW_TRACKS, REGIMES
from classifier.experiments import compare, cross_validation, trials
from classifier.experiments import store as experiments
from classifier.experiments.progress import ExperimentProgress, TrialProgress, n_training_tracks
from classifier.experiments.store import Experiment, ExperimentSpec
from classifier.experiments.trials import TrialConfig, TrialResult
from classifier.records import MetricRow
from classifier.training_config import TrainingConfig
from genrebase.runtime import jobs
from genrebase.runtime.clock import Clock

JOB: Final = "learning-curve"
KIND: Final = "learning_curve"
DEFAULT_SIZES: Final = (30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
"""Tracks per genre that are tried below the last doubling."""
MIN_TRACKS: Final = 20
"""With fewer tracks of the largest genre there is nothing to halve."""
MIN_GROWTH: Final = 1.5
"""A genre that got so many times the tracks in the last step can tell what more of them bring."""
_APART: Final = 0.8
"""A step this near to the last half says nothing more than that half."""


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """What the curve came to."""

    experiment: int
    sizes: tuple[Mapping[str, Any], ...]
    """A row per size, the smallest first."""
    last_step: Mapping[str, Any]
    """What the last step brought, overall and per genre."""
    sentences: tuple[str, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    nothing_new: bool = False
    origin: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what `learning-curve --json` shows."""
        return {
            "experiment": self.experiment,
            "nothing_new": self.nothing_new,
            "sizes": list(self.sizes),
            "last_step": dict(self.last_step),
            "sentences": list(self.sentences),
            "left_out": dict(self.left_out),
            "origin": self.origin,
        }


def run(
    database: Database,
    choice: TrainingConfig,
    clock: Clock,
    *,
    progress: TrialProgress,
    sizes: Sequence[int] | None = None,
    rotations: Sequence[int] = (0,),
    snapshot: RawDataset | None = None,
    cores: int | None = None,
    again: bool = False,
) -> LearningCurve:
    """Fit the same recipe on more and more tracks; go on where it was left off.

    Without `sizes`: 100, 300, 1,000, … and last the half and the whole of what there is.
    Raise `TooFewTracks`, `BadChoice`, `BadParameter` or `UnknownPlugin`.
    """
    estimators.build(choice, threads=1)  # a wrong name or parameter is refused before the loading
    choice = audio_joins.resolve_features(database, choice)
    with jobs.job_run(database, clock, JOB) as job:
        snapshot = dataset.load_dataset(database, choice) if snapshot is None else snapshot
        asked = selecting.split_dataset(snapshot, replace(choice, per_genre=None))
        counts = _counts(asked, None)
        most = min(max(counts.values()), choice.per_genre or max(counts.values()))
        tried = _sizes(sizes, most)
        told = {"sizes": list(tried), "rotations": list(rotations)}
        recipe = {"estimator": choice.estimator, "params": dict(choice.params)}
        question = ExperimentSpec(
            KIND, {**told, **recipe}, choice, selecting.fingerprint(asked), snapshot.origin
        )
        experiment = experiments.create_or_resume(database, question, clock.now(), again=again)
        stood = experiment.finished
        walk = _Walk(database, experiment, snapshot, choice, clock, cores)
        steps = [(turn, size) for turn in rotations for size in tried]
        work = ExperimentProgress(progress, [n_training_tracks(asked, size) for _, size in steps])
        for turn, size in steps:
            walk.step(turn, size, work)
        work.complete()
        if not stood:
            experiments.mark_finished(database, experiment, clock.now())
        job.set_facts(experiment=experiment.id, trials=len(experiment.trials))
        if stood:
            job.set_outcome("nothing_new")
        step = _last_step(database, experiment, asked, tried[-2:])
        return LearningCurve(
            experiment.id,
            tuple(_rows(database, experiment)),
            step,
            tuple(_sentences(step)),
            dict(asked.left_out),
            nothing_new=stood,
            origin=snapshot.origin,
        )


def default_sizes(most: int) -> tuple[int, ...]:
    """Return the sizes to try where the largest genre has `most` tracks: last its half and all."""
    half = most // 2
    return (*(step for step in DEFAULT_SIZES if step < half * _APART), half, most)


def _sizes(asked: Sequence[int] | None, most: int) -> tuple[int, ...]:
    if most < MIN_TRACKS:
        raise TooFewTracks(
            f"No genre has {MIN_TRACKS} tracks to learn from: there is nothing to draw a curve of."
        )
    if asked is None:
        return default_sizes(most)
    found = tuple(sorted({min(size, most) for size in asked}))
    if len(found) < 2:
        raise TooFewTracks(
            f"The largest genre has {most:,} tracks to learn from: name two sizes up to that."
        )
    return found


class _Walk:
    """From size to size, each beside the one before it on the same test tracks."""

    def __init__(
        self,
        database: Database,
        experiment: Experiment,
        found: RawDataset,
        choice: TrainingConfig,
        clock: Clock,
        cores: int | None,
    ) -> None:
        self._database, self._experiment, self._clock = database, experiment, clock
        self._found, self._choice, self._cores = found, choice, cores
        self._before: tuple[int, int, LabelledPredictions] | None = None
        self._sizes: dict[int, int] = {}

    def step(self, turn: int, size: int, work: ExperimentProgress) -> None:
        """Fit at one size, compare it with the smaller one, and write both down."""
        configuration = self._configuration(turn, size)
        smaller = self._sizes.get(turn)
        self._sizes[turn] = size
        if self._experiment.has_trial(configuration):
            work.skip_trial()
            return
        what = f"{size:,} tracks per genre"
        work.start_trial(what)
        selection = self._select(configuration)
        tried, answers = self._try(selection, configuration)
        if answers is not None and smaller is not None:
            before = self._answers(turn, smaller)
            if before is not None:
                more = tuple(_gained(selection, before, answers, self._choice.seed))
                tried = replace(tried, metrics=(*tried.metrics, *more))
        self._before = None if answers is None else (turn, size, answers)
        experiments.store_trial(
            self._database, self._experiment, configuration, tried, self._clock
        )
        work.finish_trial(what)

    def _configuration(self, turn: int, size: int) -> TrialConfig:
        test, validation = cross_validation.held_out_folds(turn)
        return TrialConfig(
            self._choice.estimator,
            self._choice.features,
            self._choice.params,
            size,
            test_fold=test,
            validation_fold=validation,
        )

    def _select(self, configuration: TrialConfig) -> SplitDataset:
        test, validation = configuration.test_fold, configuration.validation_fold
        turned = cross_validation.with_held_out_folds(
            self._found, test=test, validation=validation
        )
        return selecting.split_dataset(turned, configuration.apply_to(self._choice))

    def _try(
        self, selection: SplitDataset, configuration: TrialConfig
    ) -> tuple[TrialResult, LabelledPredictions | None]:
        workers = threads.thread_count(len(selection.tracks), len(selection.classes), self._cores)
        choice = configuration.apply_to(self._choice)
        with threads.limit_threads(workers):
            tried, fitted = trials.run_trial(selection, choice, self._clock, cores=workers)
            if fitted is None:
                return tried, None
            return tried, selection.predict(fitted.estimator, selection.held_out("test"))

    def _answers(self, turn: int, size: int) -> LabelledPredictions | None:
        """Return the answers at a size that was tried; one that was left off is fitted again."""
        if self._before is not None and self._before[:2] == (turn, size):
            return self._before[2]
        configuration = self._configuration(turn, size)
        return self._try(self._select(configuration), configuration)[1]


def _gained(
    selection: SplitDataset, before: LabelledPredictions, after: LabelledPredictions, seed: int
) -> Iterator[MetricRow]:
    """Yield what the larger size gained per regime; the regimes are those of the larger one."""
    regimes = selection.regimes[selection.held_out("test")]
    for regime in REGIMES:
        chosen = np.isin(regimes, REGIMES if regime == "all" else [regime])
        if not chosen.any():
            continue
        one, other = before.select(chosen), after.select(chosen)
        for genre, gain in paired_gains(
            one, other, ArtistBootstrap(other.artists, seed=seed)
        ).items():
            span, n = gain.interval, len(other) if gain.n is None else gain.n
            yield MetricRow(
                "test",
                regime,
                None if genre is None else selection.classes[genre],
                gain.metric,
                gain.value,
                None if span is None else span.low,
                None if span is None else span.high,
                n,
            )


def _counts(selection: SplitDataset, most: int | None) -> dict[str, int]:
    """Return how many tracks of each genre are learned from, at most `most`."""
    names, counts = np.unique(selection.labels[selection.train_mask], return_counts=True)
    return {
        str(name): int(count if most is None else min(count, most))
        for name, count in zip(names, counts, strict=True)
    }


def _rows(database: Database, experiment: Experiment) -> list[dict[str, Any]]:
    rows = sorted(compare.result_rows(database, experiment), key=lambda row: int(row["per_genre"]))
    genres: dict[int, dict[str, Any]] = {}
    for row in experiments.metric_rows(database, experiment, metrics=("f1",), per_genre=True):
        if row["regime"] == "all":
            told = {"f1": row["value"], "interval": _interval(row), "n": row["n"]}
            genres.setdefault(row["per_genre"], {})[row["genre"]] = told
    return [{**row, "genres": genres.get(row["per_genre"], {})} for row in rows]


def _last_step(
    database: Database, experiment: Experiment, asked: SplitDataset, sizes: Sequence[int]
) -> dict[str, Any]:
    small, large = sizes
    before, after = _counts(asked, small), _counts(asked, large)
    overall, genres = None, []
    figures = [
        *experiments.metric_rows(database, experiment, metrics=("accuracy_gain",)),
        *experiments.metric_rows(database, experiment, metrics=("f1_gain",), per_genre=True),
    ]
    for row in figures:
        if row["per_genre"] != large or row["regime"] != "all":
            continue
        told = {"gain": row["value"], "interval": _interval(row), "n": row["n"]}
        genre = row["genre"]
        if genre is None:
            overall = told
        else:
            told |= {"before": before.get(genre, 0), "after": after.get(genre, 0)}
            genres.append({"genre": genre, **told, "says": _says(told)})
    genres.sort(key=lambda one: -one["gain"])
    return {"from": small, "to": large, "accuracy": overall, "genres": genres}


def _says(told: Mapping[str, Any]) -> str:
    """Return what the last step says about more tracks of one genre."""
    if told["after"] < MIN_GROWTH * told["before"]:
        return "no_more_tracks"
    if told["interval"] is None or told["n"] < FEW_TRACKS:
        return "too_few_tracks"
    if told["interval"][0] > 0:
        return "helps"
    return "hurts" if told["interval"][1] < 0 else "no_help_seen"


_SENTENCES: Final = {
    "helps": "More tracks would help {genres}.",
    "no_help_seen": "No help from more tracks is seen for {genres}.",
    "hurts": "More tracks made it worse for {genres}: look at their labels.",
    "no_more_tracks": "There were too few further tracks to tell for {genres}.",
    "too_few_tracks": "There are too few test tracks to tell for {genres}.",
}


def _sentences(step: Mapping[str, Any]) -> Iterator[str]:
    overall = step["accuracy"]
    if overall is not None:
        yield (
            f"From {step['from']:,} to {step['to']:,} tracks per genre: accuracy "
            f"{_signed(overall)}."
        )
    for says, sentence in _SENTENCES.items():
        certain = says in {"helps", "no_help_seen", "hurts"}
        named = [
            f"{one['genre']} (F1 {_signed(one)})" if certain else one["genre"]
            for one in step["genres"]
            if one["says"] == says
        ]
        if named:
            yield sentence.format(genres=", ".join(named))


def _signed(told: Mapping[str, Any]) -> str:
    interval = told["interval"]
    span = "" if interval is None else f", 95% interval {interval[0]:+.3f} to {interval[1]:+.3f}"
    return f"{told['gain']:+.3f}{span}"


def _interval(row: Mapping[str, Any]) -> list[float] | None:
    return None if row["low"] is None else [row["low"], row["high"]]
