"""Figures of one set of answers: pure functions of probabilities and truth.

Averages are scikit-learn's: macro over every genre that was shown or answered, precision and
recall 0 where they are undefined. A test holds them equal to scikit-learn's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from classifier.evaluation.bootstrap import ArtistBootstrap
from classifier.records import Interval

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]

N_BINS: Final = 15
"""Equal-width bins of the expected calibration error."""
TOP_K: Final = 3
_TINY: Final = float(np.finfo(np.float64).eps)
"""Where a probability is 0 its logarithm is taken here, as scikit-learn does."""


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One figure with its interval."""

    metric: str
    value: float | None
    interval: Interval | None = None
    n: int | None = None
    """Tracks it was measured on, where these are fewer than the slice's."""


@dataclass(frozen=True, slots=True)
class LabelledPredictions:
    """What a model said about some tracks, beside what is true of them. One row per track."""

    probabilities: Floats
    """(tracks, genres)"""
    truth: Codes
    """Column of the label; `n_genres` (one past the last) for a genre the model does not know."""
    artists: NDArray[np.int64]
    """Whose track it is: what the bootstrap draws."""
    any_genre_correct: Mask
    """The first answer is a genre the track was sighted under."""
    has_verdict: Mask
    """The label is a human's verdict."""
    broad_correct: Mask | None = None
    """The first answer lies in the broad genre of the label; None: no mapping says."""

    def __len__(self) -> int:
        """Return how many tracks there are."""
        return len(self.truth)

    @property
    def n_genres(self) -> int:
        """Return how many genres the model tells apart."""
        return int(self.probabilities.shape[1])

    def select(self, chosen: Mask) -> "LabelledPredictions":
        """Return the answers about the chosen tracks."""
        return LabelledPredictions(
            self.probabilities[chosen],
            self.truth[chosen],
            self.artists[chosen],
            self.any_genre_correct[chosen],
            self.has_verdict[chosen],
            None if self.broad_correct is None else self.broad_correct[chosen],
        )

    @property
    def predicted(self) -> Codes:
        """Return the first answer."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def correct(self) -> Mask:
        """Tell where the first answer is right."""
        return np.asarray(self.predicted == self.truth)

    def true_label_probability(self) -> Floats:
        """Return the probability given to the truth."""
        padded = np.hstack([self.probabilities, np.zeros((len(self), 1))])
        return np.asarray(padded[np.arange(len(self)), self.truth])

    def in_top_k(self, size: int) -> Mask:
        """Tell where the truth is among the first `size` answers."""
        best = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :size]
        return np.asarray((best == self.truth[:, np.newaxis]).any(axis=1))


def overall_metrics(
    answers: LabelledPredictions, common: int, resampled: ArtistBootstrap | None
) -> list[MetricValue]:
    """Return the figures over all genres; `common` is the genre commonest in training."""
    hits = answers.correct.astype(np.float64)
    loss = -np.log(np.clip(answers.true_label_probability(), _TINY, 1.0))
    found = [
        _mean("accuracy", hits, resampled),
        _mean("baseline", (answers.truth == common).astype(np.float64), resampled),
        _mean("top3", answers.in_top_k(TOP_K).astype(np.float64), resampled),
        _mean("log_loss", loss, resampled),
        _mean("any_genre_accuracy", answers.any_genre_correct.astype(np.float64), resampled),
        _calibration(answers, resampled),
        _on_verdicts(answers),
        *_broadly(answers, resampled),
        *_averaged(answers, resampled),
    ]
    areas, precisions = ranking_metrics(answers)
    return [
        *found,
        MetricValue("roc_auc", _nan_mean(areas)),
        MetricValue("average_precision", _nan_mean(precisions)),
    ]


def _broadly(
    answers: LabelledPredictions, resampled: ArtistBootstrap | None
) -> Iterator[MetricValue]:
    """Yield how often the broad genre is right, and how many of the misses have it right."""
    if answers.broad_correct is None:
        return
    yield _mean("broad_accuracy", answers.broad_correct.astype(np.float64), resampled)
    missed = ~answers.correct
    if missed.any():
        inside = float(answers.broad_correct[missed].mean())
        yield MetricValue("misses_inside", inside, n=int(missed.sum()))


def per_genre_metrics(
    answers: LabelledPredictions, resampled: ArtistBootstrap | None
) -> dict[int, list[MetricValue]]:
    """Return the figures of each genre that was shown or answered."""
    tables = _Tables.batch(answers)
    spread = None if resampled is None else _Tables.resampled(answers, resampled)
    areas, precisions = ranking_metrics(answers)
    found: dict[int, list[MetricValue]] = {}
    for genre in np.flatnonzero(tables.present[: answers.n_genres]):
        n = int(tables.shown[genre])
        found[int(genre)] = [
            *(
                MetricValue(
                    name,
                    float(values[genre]),
                    None
                    if spread is None or resampled is None or n == 0
                    else resampled.interval(getattr(spread, name)[:, genre]),
                    n,
                )
                for name, values in (
                    ("precision", tables.precision),
                    ("recall", tables.recall),
                    ("f1", tables.f1),
                )
            ),
            MetricValue("roc_auc", _number(areas[genre]), n=n),
            MetricValue("average_precision", _number(precisions[genre]), n=n),
        ]
    return found


def paired_gains(
    before: LabelledPredictions, after: LabelledPredictions, resampled: ArtistBootstrap
) -> dict[int | None, MetricValue]:
    """Return by how much `after` is better than `before` on the same tracks, paired.

    F1 per genre (`f1_gain`), and under None the accuracy (`accuracy_gain`).
    """
    more = after.correct.astype(np.float64) - before.correct
    found: dict[int | None, MetricValue] = {None: _mean("accuracy_gain", more, resampled)}
    one, other = _Tables.batch(before), _Tables.batch(after)
    spread = _Tables.resampled(after, resampled).f1 - _Tables.resampled(before, resampled).f1
    for genre in np.flatnonzero(other.shown[: after.n_genres]):
        interval = resampled.interval(spread[:, genre])
        gain = float(other.f1[genre] - one.f1[genre])
        found[int(genre)] = MetricValue("f1_gain", gain, interval, int(other.shown[genre]))
    return found


def ranking_metrics(answers: LabelledPredictions) -> tuple[Floats, Floats]:
    """Return per genre, one against the rest, the area under ROC and the average precision.

    NaN where a genre was never, or always, the truth.
    """
    areas = np.full(answers.n_genres, np.nan)
    precisions = np.full(answers.n_genres, np.nan)
    shown = np.bincount(answers.truth, minlength=answers.n_genres + 1)[: answers.n_genres]
    told = np.flatnonzero((shown > 0) & (shown < len(answers)))
    if len(told) == 0:
        return areas, precisions
    truth = answers.truth[:, np.newaxis] == told
    scores = answers.probabilities[:, told]
    ranks = np.column_stack([_midranks(column) for column in scores.T])
    positive = truth.sum(axis=0)
    negative = len(answers) - positive
    above = (ranks * truth).sum(axis=0) - positive * (positive + 1) / 2
    areas[told] = above / (positive * negative)
    precisions[told] = average_precision_score(truth, scores, average=None)
    return areas, precisions


@dataclass(frozen=True, slots=True)
class _Tables:
    """Right, answered and shown per genre; one row, or one row per resample.

    The last column stands for every genre the model does not know.
    """

    right: Floats
    answered: Floats
    shown: Floats

    @classmethod
    def batch(cls, answers: LabelledPredictions) -> "_Tables":
        size = answers.n_genres + 1
        counted = [
            np.bincount(codes, minlength=size).astype(np.float64)
            for codes in (answers.truth[answers.correct], answers.predicted, answers.truth)
        ]
        return cls(*counted)

    @classmethod
    def resampled(cls, answers: LabelledPredictions, resampled: ArtistBootstrap) -> "_Tables":
        size = answers.n_genres + 1
        return cls(
            resampled.counts(answers.truth, size, answers.correct),
            resampled.counts(answers.predicted, size),
            resampled.counts(answers.truth, size),
        )

    @property
    def present(self) -> Mask:
        return np.asarray((self.answered + self.shown) > 0)

    @property
    def precision(self) -> Floats:
        return self.right / np.maximum(self.answered, 1.0)

    @property
    def recall(self) -> Floats:
        return self.right / np.maximum(self.shown, 1.0)

    @property
    def f1(self) -> Floats:
        return 2 * self.right / np.maximum(self.answered + self.shown, 1.0)

    def macro(self, values: Floats) -> Floats:
        present = self.present
        return np.asarray((values * present).sum(axis=-1) / np.maximum(present.sum(axis=-1), 1))

    def weighted(self, values: Floats) -> Floats:
        return np.asarray((values * self.shown).sum(axis=-1) / self.shown.sum(axis=-1))


def _averaged(
    answers: LabelledPredictions, resampled: ArtistBootstrap | None
) -> list[MetricValue]:
    tables = _Tables.batch(answers)
    spread = None if resampled is None else _Tables.resampled(answers, resampled)
    found = []
    for average in ("macro", "weighted"):
        for name in ("precision", "recall", "f1"):
            value = float(getattr(tables, average)(getattr(tables, name)))
            interval = None
            if spread is not None and resampled is not None:
                interval = resampled.interval(getattr(spread, average)(getattr(spread, name)))
            found.append(MetricValue(f"{average}_{name}", value, interval))
    return found


def _mean(name: str, values: Floats, resampled: ArtistBootstrap | None) -> MetricValue:
    interval = None if resampled is None else resampled.interval(resampled.means(values))
    return MetricValue(name, float(values.mean()), interval)


def _calibration(answers: LabelledPredictions, resampled: ArtistBootstrap | None) -> MetricValue:
    """Return the expected calibration error of the first answer (Guo et al., ICML 2017, eq. 3)."""
    confidence = answers.probabilities.max(axis=1)
    bins = np.minimum((confidence * N_BINS).astype(np.intp), N_BINS - 1)
    gaps = confidence - answers.correct
    per_bin = np.bincount(bins, weights=gaps, minlength=N_BINS)
    value = float(np.abs(per_bin).sum() / len(answers))
    if resampled is None:
        return MetricValue("ece", value)
    spread = np.abs(resampled.grouped_sums(bins, N_BINS, gaps)).sum(axis=1) / resampled.n_tracks
    return MetricValue("ece", value, resampled.interval(spread))


def _on_verdicts(answers: LabelledPredictions) -> MetricValue:
    judged = answers.correct[answers.has_verdict]
    value = float(judged.mean()) if len(judged) else None
    return MetricValue("verdict_accuracy", value, n=len(judged))


def _midranks(values: Floats) -> Floats:
    """Return ranks from 1; equal values share the mean of theirs."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[codes])


def _nan_mean(values: Floats) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else None


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
