"""One trial of an experiment: a configuration is fitted once and evaluated on held-out tracks."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifier import estimators
from classifier.data import soft_labels, vote_shares
from classifier.data.training_data import SplitDataset, random_rows
from classifier.evaluation import report
from classifier.evaluation.metrics import LabelledPredictions
from classifier.model_records import MetricRow
from classifier.registry import artifacts
from classifier.training_config import TrainingConfig
from genrebase.errors import GenrebaseError
from genrebase.runtime.clock import Clock
from genrebase.store.split import TEST_FOLD, VALIDATION_FOLD

TRAINING_SCORE_SAMPLE: Final = 5_000
"""Training tracks that the training score is measured on: its third digit does not matter."""
PER_GENRE_METRICS: Final = frozenset({"precision", "recall", "f1", "average_precision"})
"""Metrics that are kept for every genre."""


@dataclass(frozen=True, slots=True)
class TrialConfig:
    """An estimator, its inputs and parameters, and the folds that are held out."""

    estimator: str
    features: tuple[str, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    per_genre: int | None = None
    binary_genre: str | None = None
    """The positive class of a one-vs-rest trial; None: multi-class."""
    test_fold: int = TEST_FOLD
    validation_fold: int = VALIDATION_FOLD

    @property
    def key(self) -> str:
        """Return a hash that is unique within the experiment."""
        folds = [self.test_fold, self.validation_fold]
        return _hash([self.configuration_key, self.per_genre, folds])

    @property
    def configuration_key(self) -> str:
        """Return a hash shared by trials that differ in folds or number of tracks only."""
        return _hash([self.estimator, list(self.features), dict(self.params), self.binary_genre])

    def apply_to(self, config: TrainingConfig) -> TrainingConfig:
        """Return `config` with the settings of this trial."""
        return replace(
            config,
            estimator=self.estimator,
            features=self.features,
            params=dict(self.params),
            per_genre=self.per_genre,
        )


@dataclass(frozen=True, slots=True)
class TrialResult:
    """The metrics of a trial, or its error."""

    trained_rows: int
    seconds: float
    """Of fitting and predicting."""
    artifact_bytes: int | None = None
    """Size of the serialised model; None: not measured."""
    training_score: float | None = None
    """Accuracy on training tracks."""
    score: float | None = None
    """The criterion of a search; None without one."""
    metrics: tuple[MetricRow, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class HeldOutPredictions:
    """The predictions of a fitted estimator for the test split."""

    predictions: LabelledPredictions
    regimes: NDArray[np.str_]
    """The test condition of each track."""
    classes: tuple[str, ...]


def evaluate(
    split: SplitDataset,
    config: TrainingConfig,
    clock: Clock,
    *,
    cores: int,
    side: str = "test",
) -> tuple[TrialResult, HeldOutPredictions]:
    """Fit the estimator of `config`; return its metrics on the test split, in every regime.

    `side` names the metrics: what `tune` holds out is no test split. A model that is measured on
    a test split is serialised to measure its size.
    """
    started = clock.monotonic()
    estimator = estimators.build(config, threads=cores)
    fitted = soft_labels.fit(estimator, split.training_set(), split.validation())
    test = split.held_out("test")
    held_out = HeldOutPredictions(split.predict(fitted, test), split.regimes[test], split.classes)
    seconds = clock.monotonic() - started
    codes = {genre: code for code, genre in enumerate(split.classes)}
    metrics = report.held_out_metrics(
        side,
        held_out.predictions,
        held_out.regimes,
        split.classes,
        common=report.majority_class(split.labels[split.train_mask], codes),
        seed=config.seed,
    )
    train = split.predict(
        fitted, random_rows(split.train_mask, TRAINING_SCORE_SAMPLE, seed=config.seed)
    )
    size = None
    if side == "test":
        size = len(artifacts.serialise(artifacts.ModelArtifact(fitted, split.train_ids)))
    result = TrialResult(
        trained_rows=int(split.train_mask.sum()),
        seconds=seconds,
        artifact_bytes=size,
        training_score=float(train.correct.mean()),
        metrics=tuple(
            row for row in metrics if row.genre is None or row.metric in PER_GENRE_METRICS
        ),
    )
    return result, held_out


def run_trial(
    split: SplitDataset,
    config: TrainingConfig,
    clock: Clock,
    *,
    cores: int,
    side: str = "test",
) -> tuple[TrialResult, HeldOutPredictions | None]:
    """Fit and evaluate; if the fit fails, return a result with the error."""
    started = clock.monotonic()
    try:
        return evaluate(split, config, clock, cores=cores, side=side)
    except (GenrebaseError, ValueError, ArithmeticError, MemoryError) as error:
        # scikit-learn checks many parameters in `fit` only, and raises ValueError
        message = " ".join(str(error).split()) or type(error).__name__
        seconds = clock.monotonic() - started
        return TrialResult(int(split.train_mask.sum()), seconds, error=message), None


def one_vs_rest(split: SplitDataset, genre: str) -> SplitDataset:
    """Return the same tracks with two labels: the genre, and everything else."""
    rest = f"not {genre}"
    by_genre = split.tracks_by_genre
    shares = split.label_shares
    if shares is not None:
        shares = vote_shares.one_vs_rest(shares, genre, rest)
    return replace(
        split,
        labels=np.where(split.labels == genre, genre, rest),
        classes=tuple(sorted((genre, rest))),
        tracks_by_genre={genre: by_genre[genre]} if genre in by_genre else {},
        sightings=split.sightings[split.sightings["genre"] == genre],
        broad_of={},
        label_shares=shares,
    )


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
