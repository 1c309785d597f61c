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

from classifier.evaluation.bootstrap import Resampled
from classifier.records import Interval

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]

BINS: Final = 15
"""Equal-width bins of the expected calibration error."""
TOP: Final = 3
_TINY: Final = float(np.finfo(np.float64).eps)
"""Where a probability is 0 its logarithm is taken here, as scikit-learn does."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure with its interval."""

    metric: str
    value: float | None
    interval: Interval | None = None
    n: int | None = None
    """Tracks it was measured on, where these are fewer than the slice's."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model said about some tracks, beside what is true of them. One row per track."""

    probabilities: Floats
    """(tracks, genres)"""
    truth: Codes
    """Column of the label; `genres` (one past the last) for a genre the model does not know."""
    artists: NDArray[np.int64]
    """Whose track it is: what the bootstrap draws."""
    also_right: Mask
    """The first answer is a genre the track was sighted under."""
    verdict: Mask
    """The label is a human's verdict."""
    near: Mask | None = None
    """The first answer lies in the broad genre of the label; None: no mapping says."""

    def __len__(self) -> int:
        """Return how many tracks there are."""
        return len(self.truth)

    @property
    def genres(self) -> int:
        """Return how many genres the model tells apart."""
        return int(self.probabilities.shape[1])

    def only(self, chosen: Mask) -> "Answers":
        """Return the answers about the chosen tracks."""
        return Answers(
            self.probabilities[chosen],
            self.truth[chosen],
            self.artists[chosen],
            self.also_right[chosen],
            self.verdict[chosen],
            None if self.near is None else self.near[chosen],
        )

    @property
    def first(self) -> Codes:
        """Return the first answer."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def hits(self) -> Mask:
        """Tell where the first answer is right."""
        return np.asarray(self.first == self.truth)

    def of_truth(self) -> Floats:
        """Return the probability given to the truth."""
        padded = np.hstack([self.probabilities, np.zeros((len(self), 1))])
        return np.asarray(padded[np.arange(len(self)), self.truth])

    def in_top(self, size: int) -> Mask:
        """Tell where the truth is among the first `size` answers."""
        best = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :size]
        return np.asarray((best == self.truth[:, np.newaxis]).any(axis=1))


def overall(answers: Answers, common: int, resampled: Resampled | None) -> list[Measured]:
    """Return the figures over all genres; `common` is the genre commonest in training."""
    hits = answers.hits.astype(np.float64)
    loss = -np.log(np.clip(answers.of_truth(), _TINY, 1.0))
    found = [
        _mean("accuracy", hits, resampled),
        _mean("baseline", (answers.truth == common).astype(np.float64), resampled),
        _mean("top3", answers.in_top(TOP).astype(np.float64), resampled),
        _mean("log_loss", loss, resampled),
        _mean("any_genre_accuracy", answers.also_right.astype(np.float64), resampled),
        _calibration(answers, resampled),
        _on_verdicts(answers),
        *_broadly(answers, resampled),
        *_averaged(answers, resampled),
    ]
    areas, precisions = areas_under(answers)
    return [
        *found,
        Measured("roc_auc", _nan_mean(areas)),
        Measured("average_precision", _nan_mean(precisions)),
    ]


def _broadly(answers: Answers, resampled: Resampled | None) -> Iterator[Measured]:
    """Yield how often the broad genre is right, and how many of the misses have it right."""
    if answers.near is None:
        return
    yield _mean("broad_accuracy", answers.near.astype(np.float64), resampled)
    missed = ~answers.hits
    if missed.any():
        inside = float(answers.near[missed].mean())
        yield Measured("misses_inside", inside, n=int(missed.sum()))


def per_genre(answers: Answers, resampled: Resampled | None) -> dict[int, list[Measured]]:
    """Return the figures of each genre that was shown or answered."""
    tables = _Tables.of(answers)
    spread = None if resampled is None else _Tables.resampled(answers, resampled)
    areas, precisions = areas_under(answers)
    found: dict[int, list[Measured]] = {}
    for genre in np.flatnonzero(tables.present[: answers.genres]):
        n = int(tables.shown[genre])
        found[int(genre)] = [
            *(
                Measured(
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
            Measured("roc_auc", _number(areas[genre]), n=n),
            Measured("average_precision", _number(precisions[genre]), n=n),
        ]
    return found


def gains(before: Answers, after: Answers, resampled: Resampled) -> dict[int | None, Measured]:
    """Return by how much `after` is better than `before` on the same tracks, paired.

    F1 per genre (`f1_gain`), and under None the accuracy (`accuracy_gain`).
    """
    more = after.hits.astype(np.float64) - before.hits
    found: dict[int | None, Measured] = {None: _mean("accuracy_gain", more, resampled)}
    one, other = _Tables.of(before), _Tables.of(after)
    spread = _Tables.resampled(after, resampled).f1 - _Tables.resampled(before, resampled).f1
    for genre in np.flatnonzero(other.shown[: after.genres]):
        interval = resampled.interval(spread[:, genre])
        gain = float(other.f1[genre] - one.f1[genre])
        found[int(genre)] = Measured("f1_gain", gain, interval, int(other.shown[genre]))
    return found


def areas_under(answers: Answers) -> tuple[Floats, Floats]:
    """Return per genre, one against the rest, the area under ROC and the average precision.

    NaN where a genre was never, or always, the truth.
    """
    areas = np.full(answers.genres, np.nan)
    precisions = np.full(answers.genres, np.nan)
    shown = np.bincount(answers.truth, minlength=answers.genres + 1)[: answers.genres]
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
    def of(cls, answers: Answers) -> "_Tables":
        size = answers.genres + 1
        counted = [
            np.bincount(codes, minlength=size).astype(np.float64)
            for codes in (answers.truth[answers.hits], answers.first, answers.truth)
        ]
        return cls(*counted)

    @classmethod
    def resampled(cls, answers: Answers, resampled: Resampled) -> "_Tables":
        size = answers.genres + 1
        return cls(
            resampled.counts(answers.truth, size, answers.hits),
            resampled.counts(answers.first, size),
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


def _averaged(answers: Answers, resampled: Resampled | None) -> list[Measured]:
    tables = _Tables.of(answers)
    spread = None if resampled is None else _Tables.resampled(answers, resampled)
    found = []
    for average in ("macro", "weighted"):
        for name in ("precision", "recall", "f1"):
            value = float(getattr(tables, average)(getattr(tables, name)))
            interval = None
            if spread is not None and resampled is not None:
                interval = resampled.interval(getattr(spread, average)(getattr(spread, name)))
            found.append(Measured(f"{average}_{name}", value, interval))
    return found


def _mean(name: str, values: Floats, resampled: Resampled | None) -> Measured:
    interval = None if resampled is None else resampled.interval(resampled.means(values))
    return Measured(name, float(values.mean()), interval)


def _calibration(answers: Answers, resampled: Resampled | None) -> Measured:
    """Return the expected calibration error of the first answer (Guo et al., ICML 2017, eq. 3)."""
    confidence = answers.probabilities.max(axis=1)
    bins = np.minimum((confidence * BINS).astype(np.intp), BINS - 1)
    gaps = confidence - answers.hits
    per_bin = np.bincount(bins, weights=gaps, minlength=BINS)
    value = float(np.abs(per_bin).sum() / len(answers))
    if resampled is None:
        return Measured("ece", value)
    spread = np.abs(resampled.grouped_sums(bins, BINS, gaps)).sum(axis=1) / resampled.tracks
    return Measured("ece", value, resampled.interval(spread))


def _on_verdicts(answers: Answers) -> Measured:
    judged = answers.hits[answers.verdict]
    value = float(judged.mean()) if len(judged) else None
    return Measured("verdict_accuracy", value, n=len(judged))


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
