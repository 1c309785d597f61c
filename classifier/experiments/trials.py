"""One trial: a configuration fitted once, and every figure of it on held-out tracks."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifier import estimators
from classifier.data import soft_labels
from classifier.data.training_data import SplitDataset
from classifier.evaluation import report
from classifier.ports import Estimator
from classifier.records import MetricRow
from classifier.registry import artifacts
from classifier.training_config import TrainingConfig
from genrebase.errors import GenrebaseError
from genrebase.runtime.clock import Clock
from genrebase.store.split import TEST_FOLD, VALIDATION_FOLD

TRAINING_SCORE_SAMPLE: Final = 5_000
"""Training tracks that the training score is taken on: its third digit is not the question."""
PER_GENRE_METRICS: Final = frozenset({"precision", "recall", "f1", "average_precision"})
"""Figures that are kept for every genre."""


@dataclass(frozen=True, slots=True)
class TrialConfig:
    """What one trial tries."""

    estimator: str
    features: tuple[str, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    per_genre: int | None = None
    binary_genre: str | None = None
    """The genre told from the rest; None: all genres are told apart."""
    test_fold: int = TEST_FOLD
    validation_fold: int = VALIDATION_FOLD

    @property
    def key(self) -> str:
        """Return what tells this trial from the others of its experiment."""
        folds = [self.test_fold, self.validation_fold]
        return _hashed([self.configuration_key, self.per_genre, folds])

    @property
    def configuration_key(self) -> str:
        """Return what trials on other folds, or on more tracks, have in common with this one."""
        asked = [self.estimator, list(self.features), dict(self.params), self.binary_genre]
        return _hashed(asked)

    def apply_to(self, choice: TrainingConfig) -> TrainingConfig:
        """Return `choice` with what is tried here in the place of its own."""
        return replace(
            choice,
            estimator=self.estimator,
            features=self.features,
            params=dict(self.params),
            per_genre=self.per_genre,
        )


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What came of a trial."""

    trained_rows: int
    seconds: float
    """Of learning and answering."""
    artifact_bytes: int | None = None
    """Size of what would be stored; None: was not measured."""
    training_score: float | None = None
    """Accuracy on tracks that were learned from."""
    score: float | None = None
    """What is chosen by; None where nothing is chosen."""
    metrics: tuple[MetricRow, ...] = ()
    error: str | None = None
    """Why there are no figures."""


@dataclass(frozen=True, slots=True)
class FittedTrial:
    """A fitted estimator, and how long that took."""

    estimator: Estimator
    selection: SplitDataset
    seconds: float

    @property
    def majority_class(self) -> int:
        """Return the genre that is commonest among the tracks learned from."""
        codes = {genre: place for place, genre in enumerate(self.selection.classes)}
        return report.majority_class(self.selection.labels[self.selection.train_mask], codes)


def fit(
    selection: SplitDataset, choice: TrainingConfig, clock: Clock, *, cores: int
) -> FittedTrial:
    """Return the estimator that `choice` asks for, fitted."""
    began = clock.monotonic()
    estimator = estimators.build(choice, threads=cores)
    fitted = soft_labels.fit(estimator, selection.training_set(), selection.validation())
    return FittedTrial(fitted, selection, clock.monotonic() - began)


def evaluate(
    fitted: FittedTrial,
    choice: TrainingConfig,
    clock: Clock,
    *,
    side: str = "test",
    measure_size: bool = True,
) -> TrialResult:
    """Measure a fitted estimator on the test side of its selection, in every regime.

    `side` is what the figures are called: what `tune` holds out is no test. With `sized` the
    artifact is packed to see how big it is.
    """
    selection, began = fitted.selection, clock.monotonic()
    chosen = selection.held_out("test")
    answers = selection.predict(fitted.estimator, chosen)
    seconds = fitted.seconds + clock.monotonic() - began
    metrics = report.held_out_metrics(
        side,
        answers,
        selection.regimes[chosen],
        selection.classes,
        common=fitted.majority_class,
        seed=choice.seed,
    )
    known = selection.predict(fitted.estimator, _sample(selection.train_mask, choice.seed))
    return TrialResult(
        trained_rows=int(selection.train_mask.sum()),
        seconds=seconds,
        artifact_bytes=_size(fitted) if measure_size else None,
        training_score=float(known.correct.mean()),
        metrics=tuple(
            row for row in metrics if row.genre is None or row.metric in PER_GENRE_METRICS
        ),
    )


def run_trial(
    selection: SplitDataset,
    choice: TrainingConfig,
    clock: Clock,
    *,
    cores: int,
    side: str = "test",
) -> tuple[TrialResult, FittedTrial | None]:
    """Fit and judge; what cannot be fitted is a trial that failed, with its reason."""
    began = clock.monotonic()
    try:
        fitted = fit(selection, choice, clock, cores=cores)
        return evaluate(fitted, choice, clock, side=side, measure_size=side == "test"), fitted
    except (GenrebaseError, ValueError, ArithmeticError, MemoryError) as error:
        # scikit-learn refuses many a value in fit only, each time as a ValueError
        said = " ".join(str(error).split()) or type(error).__name__
        seconds = clock.monotonic() - began
        return TrialResult(int(selection.train_mask.sum()), seconds, error=said), None


def one_vs_rest(selection: SplitDataset, genre: str) -> SplitDataset:
    """Return the same tracks with two labels: the genre, and everything else."""
    rest = f"not {genre}"
    labels = np.where(selection.labels == genre, genre, rest)
    classes = tuple(sorted((genre, rest)))
    sighted = (
        {genre: selection.tracks_by_genre[genre]} if genre in selection.tracks_by_genre else {}
    )
    told = selection.sightings[selection.sightings["genre"] == genre]
    return replace(
        selection,
        labels=labels,
        classes=classes,
        tracks_by_genre=sighted,
        sightings=told,
        broad_of={},
    )


def _size(fitted: FittedTrial) -> int:
    packed = artifacts.ModelArtifact(fitted.estimator, fitted.selection.train_ids)
    return len(artifacts.serialise(packed))


def _sample(learned: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    rows = np.flatnonzero(learned)
    if len(rows) <= TRAINING_SCORE_SAMPLE:
        return learned
    sampled = np.zeros(len(learned), dtype=bool)
    sampled[np.random.default_rng(seed).choice(rows, TRAINING_SCORE_SAMPLE, replace=False)] = True
    return sampled


def _hashed(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
