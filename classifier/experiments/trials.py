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
from classifier.data.training_data import Selection
from classifier.evaluation import report
from classifier.ports import Estimator
from classifier.records import Choice, MetricRow
from classifier.registry import artifacts
from genrebase.errors import GenrebaseError
from genrebase.runtime.clock import Clock
from genrebase.store.split import TEST_FOLD, VALIDATION_FOLD

SAMPLE: Final = 5_000
"""Training tracks that the training score is taken on: its third digit is not the question."""
PER_GENRE: Final = frozenset({"precision", "recall", "f1", "average_precision"})
"""Figures that are kept for every genre."""


@dataclass(frozen=True, slots=True)
class Configuration:
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
        return _hashed([self.recipe, self.per_genre, folds])

    @property
    def recipe(self) -> str:
        """Return what trials on other folds, or on more tracks, have in common with this one."""
        asked = [self.estimator, list(self.features), dict(self.params), self.binary_genre]
        return _hashed(asked)

    def of(self, choice: Choice) -> Choice:
        """Return `choice` with what is tried here in the place of its own."""
        return replace(
            choice,
            estimator=self.estimator,
            features=self.features,
            params=dict(self.params),
            per_genre=self.per_genre,
        )


@dataclass(frozen=True, slots=True)
class Tried:
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
class Fitted:
    """A fitted estimator, and how long that took."""

    estimator: Estimator
    selection: Selection
    seconds: float

    @property
    def common(self) -> int:
        """Return the genre that is commonest among the tracks learned from."""
        codes = {genre: place for place, genre in enumerate(self.selection.classes)}
        return report.commonest(self.selection.labels[self.selection.learned], codes)


def fit(selection: Selection, choice: Choice, clock: Clock, *, cores: int) -> Fitted:
    """Return the estimator that `choice` asks for, fitted."""
    began = clock.monotonic()
    estimator = estimators.build(choice, threads=cores)
    fitted = soft_labels.fit(estimator, selection.learning(), selection.validation())
    return Fitted(fitted, selection, clock.monotonic() - began)


def judge(
    fitted: Fitted, choice: Choice, clock: Clock, *, side: str = "test", sized: bool = True
) -> Tried:
    """Measure a fitted estimator on the test side of its selection, in every regime.

    `side` is what the figures are called: what `tune` holds out is no test. With `sized` the
    artifact is packed to see how big it is.
    """
    selection, began = fitted.selection, clock.monotonic()
    chosen = selection.on("test")
    answers = selection.ask(fitted.estimator, chosen)
    seconds = fitted.seconds + clock.monotonic() - began
    metrics = report.held_out(
        side,
        answers,
        selection.regimes[chosen],
        selection.classes,
        common=fitted.common,
        seed=choice.seed,
    )
    known = selection.ask(fitted.estimator, _sample(selection.learned, choice.seed))
    return Tried(
        trained_rows=int(selection.learned.sum()),
        seconds=seconds,
        artifact_bytes=_size(fitted) if sized else None,
        training_score=float(known.hits.mean()),
        metrics=tuple(row for row in metrics if row.genre is None or row.metric in PER_GENRE),
    )


def attempt(
    selection: Selection, choice: Choice, clock: Clock, *, cores: int, side: str = "test"
) -> tuple[Tried, Fitted | None]:
    """Fit and judge; what cannot be fitted is a trial that failed, with its reason."""
    began = clock.monotonic()
    try:
        fitted = fit(selection, choice, clock, cores=cores)
        return judge(fitted, choice, clock, side=side, sized=side == "test"), fitted
    except (GenrebaseError, ValueError, ArithmeticError, MemoryError) as error:
        # scikit-learn refuses many a value in fit only, each time as a ValueError
        said = " ".join(str(error).split()) or type(error).__name__
        seconds = clock.monotonic() - began
        return Tried(int(selection.learned.sum()), seconds, error=said), None


def against_rest(selection: Selection, genre: str) -> Selection:
    """Return the same tracks with two labels: the genre, and everything else."""
    rest = f"not {genre}"
    labels = np.where(selection.labels == genre, genre, rest)
    classes = tuple(sorted((genre, rest)))
    sighted = {genre: selection.sighted[genre]} if genre in selection.sighted else {}
    told = selection.sightings[selection.sightings["genre"] == genre]
    return replace(
        selection,
        labels=labels,
        classes=classes,
        sighted=sighted,
        sightings=told,
        broad_of={},
    )


def _size(fitted: Fitted) -> int:
    packed = artifacts.Packed(fitted.estimator, fitted.selection.learned_ids)
    return len(artifacts.pack(packed))


def _sample(learned: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    rows = np.flatnonzero(learned)
    if len(rows) <= SAMPLE:
        return learned
    sampled = np.zeros(len(learned), dtype=bool)
    sampled[np.random.default_rng(seed).choice(rows, SAMPLE, replace=False)] = True
    return sampled


def _hashed(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
