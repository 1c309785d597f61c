"""Learning curve: what more training tracks per genre gain, and which genres they would help.

Metrics are of the test split, the same at every size; nothing is selected by them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np

from classifier import estimators
from classifier.data import audio_joins, training_data
from classifier.data.dataset import Database
from classifier.data.training_data import SplitDataset
from classifier.errors import TooFewTracks
from classifier.evaluation.bootstrap import ArtistBootstrap
from classifier.evaluation.metrics import LabelledPredictions, paired_gains
from classifier.evaluation.report import METRIC_REGIMES, metric_rows
from classifier.experiments import compare, cross_validation, store
from classifier.experiments.compare import interval
from classifier.experiments.fitting import TrialFitter
from classifier.experiments.progress import training_tracks
from classifier.experiments.runner import ExperimentContext, ExperimentResult, TrialRunner
from classifier.experiments.store import Experiment, ExperimentSpec
from classifier.experiments.trials import HeldOutPredictions, TrialConfig, TrialResult
from classifier.model_records import FEW_TRACKS, MetricRow
from classifier.training.fingerprint import data_fingerprint
from classifier.training_config import TrainingConfig
from genrebase.counts import counted
from genrebase.runtime import jobs

JOB: Final = "learning-curve"
KIND: Final = "learning_curve"
DEFAULT_SIZES: Final = (30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
"""Tracks per genre that are tried below the last doubling."""
MIN_TRACKS_OF_LARGEST: Final = 20
"""Tracks of the largest genre: fewer cannot be halved."""
MIN_GROWTH: Final = 1.5
"""A genre that grew by this factor in the last step shows the effect of more tracks."""
_TOO_NEAR_HALF: Final = 0.8
"""A size above this share of the last half adds nothing to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningCurve(ExperimentResult):
    """The metrics at each size; the fields are the keys of `learning-curve --json`."""

    sizes: tuple[Mapping[str, Any], ...]
    """A row per size, the smallest first."""
    last_step: Mapping[str, Any]
    """The gain of the last step, overall and per genre."""
    sentences: tuple[str, ...]
    sufficient_size: int | None
    """The tracks per genre from which on more show no gain of accuracy."""


def run(
    context: ExperimentContext,
    config: TrainingConfig,
    *,
    sizes: Sequence[int] | None = None,
    rotations: Sequence[int] = (0,),
) -> LearningCurve:
    """Fit the same configuration on more and more tracks; resume where an earlier run stopped.

    Without `sizes`: 30, 100, 300, 1,000, … and last the half and the whole of what there is.
    Raise `TooFewTracks`, `BadTrainingConfig`, `BadParameter`, or `UserError` for an
    unknown estimator.
    """
    estimators.build(config, threads=1)  # refuse a wrong name or parameter before loading
    config = audio_joins.resolve_features(context.database, config)
    with jobs.job_run(context.database, context.clock, JOB) as job:
        raw = context.load(config)
        split = training_data.split_dataset(raw, replace(config, per_genre=None))
        largest = max(training_tracks(split, None).values())
        steps = _sizes(sizes, min(largest, config.per_genre or largest))
        settings = {
            "sizes": list(steps),
            "rotations": list(rotations),
            "estimator": config.estimator,
            "params": dict(config.params),
        }
        spec = ExperimentSpec(KIND, settings, config, data_fingerprint(split), raw.origin)
        n_tracks = [sum(training_tracks(split, size).values()) for size in steps] * len(rotations)
        fitter = TrialFitter(
            raw, config, context.clock, cores=context.cores, with_predictions=True
        )
        runner = TrialRunner(context, fitter, spec, n_tracks)
        sequences = [[_trial(config, size, rotation) for size in steps] for rotation in rotations]
        for sequence in sequences:
            runner.plan(sequence)
        for sequence in sequences:
            _SizeSequence(runner, config.seed).run(sequence)
        runner.finish(job)
        step = _last_step(context.database, runner.experiment, split, steps[-2:])
        gains = _accuracy_gains(context.database, runner.experiment)
        sufficient = sufficient_size(steps, gains)
        return LearningCurve(
            sizes=tuple(_rows(context.database, runner.experiment)),
            last_step=step,
            sentences=(*_sentences(step), *_size_sentence(sufficient, steps[-1])),
            sufficient_size=sufficient,
            **runner.facts(split),
        )


def default_sizes(largest: int) -> tuple[int, ...]:
    """Return the sizes to try for a largest genre of so many tracks: last its half and all."""
    half = largest // 2
    return (*(size for size in DEFAULT_SIZES if size < half * _TOO_NEAR_HALF), half, largest)


def sufficient_size(sizes: Sequence[int], gains: Mapping[int, Mapping[str, Any]]) -> int | None:
    """Return the size from which on more tracks per genre show no gain; None without gains.

    `gains` maps a size to its gain of accuracy over the size before. It is one where the interval
    is above 0.
    """
    if not gains:
        return None
    with_gain = [one for one in sizes if one in gains and (gains[one]["interval"] or [0])[0] > 0]
    return max(with_gain, default=sizes[0])


def _size_sentence(sufficient: int | None, largest: int) -> Iterator[str]:
    if sufficient is None:
        return
    tracks = counted(sufficient, "track")
    if sufficient == largest:
        yield f"More than {tracks} per genre may gain more: no number here is enough."
    else:
        yield (
            f"More than {tracks} per genre show no gain: `classifier train --tracks-per-genre "
            f"{sufficient}` reads no more."
        )


def _accuracy_gains(database: Database, experiment: Experiment) -> dict[int, dict[str, Any]]:
    """Return size to its gain of accuracy over the size before, with its interval."""
    rows = store.metric_rows(database, experiment, metrics=("accuracy_gain",))
    return {
        row["per_genre"]: {"gain": row["value"], "interval": interval(row)}
        for row in rows
        if row["regime"] == "all" and row["genre"] is None
    }


def _sizes(requested: Sequence[int] | None, largest: int) -> tuple[int, ...]:
    if largest < MIN_TRACKS_OF_LARGEST:
        raise TooFewTracks(
            f"A learning curve needs a genre with {MIN_TRACKS_OF_LARGEST} training tracks."
        )
    if requested is None:
        return default_sizes(largest)
    sizes = tuple(sorted({min(size, largest) for size in requested}))
    if len(sizes) < 2:
        raise TooFewTracks(
            f"The largest genre has {counted(largest, 'training track')}: name two sizes up to "
            "that."
        )
    return sizes


def _trial(config: TrainingConfig, size: int, rotation: int) -> TrialConfig:
    test, validation = cross_validation.held_out_folds(rotation)
    return TrialConfig(
        config.estimator, config.features, config.params, size, None, test, validation
    )


class _SizeSequence:
    """Fits at growing sizes, and compares each with the one before on the same test tracks."""

    def __init__(self, runner: TrialRunner, seed: int) -> None:
        self._runner, self._seed = runner, seed
        self._predictions: dict[str, LabelledPredictions] = {}
        """Of the trial that was fitted last, by its key."""

    def run(self, sequence: Sequence[TrialConfig]) -> None:
        """Run the trials of one rotation, the smallest first."""
        for smaller, trial in zip([None, *sequence[:-1]], sequence, strict=True):
            description = f"{counted(trial.per_genre or 0, 'track')} per genre"
            self._runner.run(trial, description, partial(self._add_gains, smaller, trial))

    def _add_gains(
        self,
        smaller: TrialConfig | None,
        trial: TrialConfig,
        result: TrialResult,
        held_out: HeldOutPredictions | None,
    ) -> TrialResult:
        before = None if smaller is None else self._predictions_of(smaller)
        self._predictions = {} if held_out is None else {trial.key: held_out.predictions}
        if held_out is None or before is None:
            return result
        gains = _gains(held_out, before, self._seed)
        return replace(result, metrics=(*result.metrics, *gains))

    def _predictions_of(self, trial: TrialConfig) -> LabelledPredictions | None:
        """Return the predictions of a trial; fit again what an earlier run stored."""
        if trial.key in self._predictions:
            return self._predictions[trial.key]
        _, held_out = self._runner.fit(trial)
        return None if held_out is None else held_out.predictions


def _gains(
    held_out: HeldOutPredictions, before: LabelledPredictions, seed: int
) -> Iterator[MetricRow]:
    """Yield the gain of the larger size per regime; the regimes are those of the larger size."""
    regimes, after = held_out.regimes, held_out.predictions
    for regime in METRIC_REGIMES:
        rows = np.isin(regimes, METRIC_REGIMES if regime == "all" else [regime])
        if not rows.any():
            continue
        small, large = before.select(rows), after.select(rows)
        bootstrap = ArtistBootstrap(large.artists, seed=seed)
        for genre, gain in paired_gains(small, large, bootstrap).items():
            name = None if genre is None else held_out.classes[genre]
            yield from metric_rows("test", regime, name, [gain], len(large))


def _rows(database: Database, experiment: Experiment) -> list[dict[str, Any]]:
    rows = sorted(compare.result_rows(database, experiment), key=lambda row: int(row["per_genre"]))
    genres: dict[int, dict[str, Any]] = {}
    for row in store.metric_rows(database, experiment, metrics=("f1",), per_genre=True):
        if row["regime"] == "all":
            metrics = {"f1": row["value"], "interval": interval(row), "n": row["n"]}
            genres.setdefault(row["per_genre"], {})[row["genre"]] = metrics
    return [{**row, "genres": genres.get(row["per_genre"], {})} for row in rows]


def _last_step(
    database: Database, experiment: Experiment, split: SplitDataset, sizes: Sequence[int]
) -> dict[str, Any]:
    small, large = sizes
    before, after = training_tracks(split, small), training_tracks(split, large)
    overall, genres = None, []
    for row in (
        *store.metric_rows(database, experiment, metrics=("accuracy_gain",)),
        *store.metric_rows(database, experiment, metrics=("f1_gain",), per_genre=True),
    ):
        if row["per_genre"] != large or row["regime"] != "all":
            continue
        gain = {"gain": row["value"], "interval": interval(row), "n": row["n"]}
        genre = row["genre"]
        if genre is None:
            overall = gain
        else:
            gain |= {"before": before.get(genre, 0), "after": after.get(genre, 0)}
            genres.append({"genre": genre, **gain, "says": _conclusion(gain)})
    genres.sort(key=lambda one: -one["gain"])
    return {"from": small, "to": large, "accuracy": overall, "genres": genres}


def _conclusion(gain: Mapping[str, Any]) -> str:
    """Return whether more tracks of a genre help, as far as its last step shows."""
    if gain["after"] < MIN_GROWTH * gain["before"]:
        return "no_more_tracks"
    if gain["interval"] is None or gain["n"] < FEW_TRACKS:
        return "too_few_tracks"
    if gain["interval"][0] > 0:
        return "helps"
    return "hurts" if gain["interval"][1] < 0 else "no_help_seen"


_SENTENCES: Final = {
    "helps": "More tracks would help {genres}.",
    "no_help_seen": "More tracks show no gain for {genres}.",
    "hurts": "More tracks made {genres} worse: check their labels.",
    "no_more_tracks": "Too few further tracks to judge: {genres}.",
    "too_few_tracks": "Too few test tracks to judge: {genres}.",
}


def _sentences(step: Mapping[str, Any]) -> Iterator[str]:
    overall = step["accuracy"]
    if overall is not None:
        yield (
            f"From {step['from']:,} to {counted(step['to'], 'track')} per genre: accuracy "
            f"{_format_gain(overall)}."
        )
    for conclusion, sentence in _SENTENCES.items():
        certain = conclusion in {"helps", "no_help_seen", "hurts"}
        genres = [
            f"{one['genre']} (F1 {_format_gain(one)})" if certain else one["genre"]
            for one in step["genres"]
            if one["says"] == conclusion
        ]
        if genres:
            yield sentence.format(genres=", ".join(genres))


def _format_gain(gain: Mapping[str, Any]) -> str:
    bounds = gain["interval"]
    span = "" if bounds is None else f", 95% interval {bounds[0]:+.3f} to {bounds[1]:+.3f}"
    return f"{gain['gain']:+.3f}{span}"
