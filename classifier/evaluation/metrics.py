"""Metrics of one set of predictions: pure functions of probabilities and true genres.

Averages are scikit-learn's: macro over every genre that is true or predicted somewhere, precision
and recall 0 where they are undefined. A test compares them with scikit-learn's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from scipy import sparse
from sklearn.metrics import average_precision_score

from classifier.arrays import Codes, Floats, Ids, Mask
from classifier.evaluation.bootstrap import ArtistBootstrap
from classifier.evaluation.rank_statistics import auc
from classifier.model_records import Interval

N_BINS: Final = 15
"""Equal-width bins of the expected calibration error."""
TOP_K: Final = 3
_TINY: Final = float(np.finfo(np.float64).eps)
"""Lower bound of probabilities before the logarithm, as in scikit-learn."""


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One metric with its interval."""

    metric: str
    value: float | None
    interval: Interval | None = None
    n: int | None = None
    """Tracks it was computed on, where these are fewer than the slice's."""


@dataclass(frozen=True, slots=True)
class LabelledPredictions:
    """The predictions of a model for some tracks, and their true genres. One row per track."""

    probabilities: Floats
    """(tracks, genres)"""
    truth: Codes
    """Column of the label; `n_genres` (one past the last) for a genre the model does not have."""
    artists: Ids
    """The artist of each track: the cluster of the bootstrap."""
    any_genre_correct: Mask
    """The predicted genre is one the track was sighted in."""
    has_verdict: Mask
    """The label is a human's verdict."""
    broad_correct: Mask | None = None
    """The predicted genre has the broad genre of the label; None without a mapping."""
    genres_sighted: Mask | None = None
    """(tracks, genres): the genres of the model that each track was sighted in."""

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def n_genres(self) -> int:
        """Return how many genres the model has."""
        return int(self.probabilities.shape[1])

    def select(self, chosen: Mask) -> "LabelledPredictions":
        """Return the predictions of the chosen tracks."""
        arrays = [getattr(self, field.name) for field in fields(self)]
        rows: Any = [None if one is None else one[chosen] for one in arrays]
        return LabelledPredictions(*rows)

    @property
    def predicted(self) -> Codes:
        """Return the most probable genre."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def correct(self) -> Mask:
        """Return where the predicted genre is the true one."""
        return np.asarray(self.predicted == self.truth)

    def true_label_probability(self) -> Floats:
        """Return the probability of the true genre."""
        padded = np.hstack([self.probabilities, np.zeros((len(self), 1))])
        return np.asarray(padded[np.arange(len(self)), self.truth])

    def in_top_k(self, size: int) -> Mask:
        """Return where the true genre is among the `size` most probable ones."""
        best = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :size]
        return np.asarray((best == self.truth[:, np.newaxis]).any(axis=1))


def overall_metrics(
    predictions: LabelledPredictions, majority: int, bootstrap: ArtistBootstrap | None
) -> list[MetricValue]:
    """Return the metrics over all genres; `majority` is the code of the majority class."""
    loss = -np.log(np.clip(predictions.true_label_probability(), _TINY, 1.0))
    areas, precisions = ranking_metrics(predictions)
    return [
        mean_metric("accuracy", predictions.correct, bootstrap),
        mean_metric("baseline", predictions.truth == majority, bootstrap),
        mean_metric("top3", predictions.in_top_k(TOP_K), bootstrap),
        mean_metric("log_loss", loss, bootstrap),
        mean_metric("any_genre_accuracy", predictions.any_genre_correct, bootstrap),
        *_calibration_errors(predictions, bootstrap),
        _verdict_accuracy(predictions),
        *_broad_metrics(predictions, bootstrap),
        *_multilabel_metrics(predictions, bootstrap),
        *_averages(predictions, bootstrap),
        MetricValue("roc_auc", _nan_mean(areas)),
        MetricValue("average_precision", _nan_mean(precisions)),
    ]


def per_genre_metrics(
    predictions: LabelledPredictions, bootstrap: ArtistBootstrap | None
) -> dict[int, list[MetricValue]]:
    """Return the metrics of each genre that is true or predicted somewhere."""
    counts = _Counts.of(predictions)
    resampled = None if bootstrap is None else _Counts.resampled(predictions, bootstrap)
    areas, precisions = ranking_metrics(predictions)
    metrics: dict[int, list[MetricValue]] = {}
    for genre in np.flatnonzero(counts.present[: predictions.n_genres]):
        n = int(counts.true[genre])
        rows = metrics[int(genre)] = []
        for name in ("precision", "recall", "f1"):
            interval = None
            if resampled is not None and bootstrap is not None and n:
                interval = bootstrap.interval(getattr(resampled, name)[:, genre])
            rows.append(MetricValue(name, float(getattr(counts, name)[genre]), interval, n))
        rows.append(MetricValue("roc_auc", finite_or_none(areas[genre]), n=n))
        rows.append(MetricValue("average_precision", finite_or_none(precisions[genre]), n=n))
    return metrics


def paired_gains(
    before: LabelledPredictions, after: LabelledPredictions, bootstrap: ArtistBootstrap
) -> dict[int | None, MetricValue]:
    """Return by how much `after` is better than `before` on the same tracks, paired.

    F1 per genre (`f1_gain`), and under None the accuracy (`accuracy_gain`).
    """
    more = after.correct.astype(np.float64) - before.correct
    gains: dict[int | None, MetricValue] = {None: mean_metric("accuracy_gain", more, bootstrap)}
    old, new = _Counts.of(before), _Counts.of(after)
    differences = _Counts.resampled(after, bootstrap).f1 - _Counts.resampled(before, bootstrap).f1
    for genre in np.flatnonzero(new.true[: after.n_genres]):
        interval = bootstrap.interval(differences[:, genre])
        gain = float(new.f1[genre] - old.f1[genre])
        gains[int(genre)] = MetricValue("f1_gain", gain, interval, int(new.true[genre]))
    return gains


def ranking_metrics(predictions: LabelledPredictions) -> tuple[Floats, Floats]:
    """Return per genre, one-vs-rest, the area under the ROC curve and the average precision.

    NaN where a genre is never, or always, the true one.
    """
    areas = np.full(predictions.n_genres, np.nan)
    precisions = np.full(predictions.n_genres, np.nan)
    counts = np.bincount(predictions.truth, minlength=predictions.n_genres + 1)[:-1]
    genres = np.flatnonzero((counts > 0) & (counts < len(predictions)))
    if len(genres) == 0:
        return areas, precisions
    truth = predictions.truth[:, np.newaxis] == genres
    scores = predictions.probabilities[:, genres]
    areas[genres] = [auc(s[t], s[~t]) for s, t in zip(scores.T, truth.T, strict=True)]
    precisions[genres] = average_precision_score(truth, scores, average=None)
    return areas, precisions


@dataclass(frozen=True, slots=True)
class _Counts:
    """Correct, predicted and true tracks per genre; one row, or one row per resample.

    The last column is for every genre the model does not have.
    """

    correct: Floats
    predicted: Floats
    true: Floats

    @classmethod
    def of(cls, predictions: LabelledPredictions) -> "_Counts":
        size = predictions.n_genres + 1
        correct = predictions.truth[predictions.correct]
        return cls(
            *(
                np.bincount(codes, minlength=size).astype(np.float64)
                for codes in (correct, predictions.predicted, predictions.truth)
            )
        )

    @classmethod
    def resampled(cls, predictions: LabelledPredictions, bootstrap: ArtistBootstrap) -> "_Counts":
        size = predictions.n_genres + 1
        return cls(
            bootstrap.counts(predictions.truth, size, predictions.correct),
            bootstrap.counts(predictions.predicted, size),
            bootstrap.counts(predictions.truth, size),
        )

    @property
    def present(self) -> Mask:
        return np.asarray((self.predicted + self.true) > 0)

    @property
    def precision(self) -> Floats:
        return self.correct / np.maximum(self.predicted, 1.0)

    @property
    def recall(self) -> Floats:
        return self.correct / np.maximum(self.true, 1.0)

    @property
    def f1(self) -> Floats:
        return 2 * self.correct / np.maximum(self.predicted + self.true, 1.0)

    def macro(self, values: Floats) -> Floats:
        present = self.present
        return np.asarray((values * present).sum(axis=-1) / np.maximum(present.sum(axis=-1), 1))

    def weighted(self, values: Floats) -> Floats:
        return np.asarray((values * self.true).sum(axis=-1) / self.true.sum(axis=-1))


def _averages(
    predictions: LabelledPredictions, bootstrap: ArtistBootstrap | None
) -> Iterator[MetricValue]:
    counts = _Counts.of(predictions)
    resampled = None if bootstrap is None else _Counts.resampled(predictions, bootstrap)
    for average in ("macro", "weighted"):
        for name in ("precision", "recall", "f1"):
            value = float(getattr(counts, average)(getattr(counts, name)))
            interval = None
            if resampled is not None and bootstrap is not None:
                values = getattr(resampled, average)(getattr(resampled, name))
                interval = bootstrap.interval(values)
            yield MetricValue(f"{average}_{name}", value, interval)


def _broad_metrics(
    predictions: LabelledPredictions, bootstrap: ArtistBootstrap | None
) -> Iterator[MetricValue]:
    """Yield how often the broad genre is correct, and among the misclassified tracks."""
    if predictions.broad_correct is None:
        return
    yield mean_metric("broad_accuracy", predictions.broad_correct, bootstrap)
    missed = ~predictions.correct
    if missed.any():
        inside = float(predictions.broad_correct[missed].mean())
        yield MetricValue("misses_inside", inside, n=int(missed.sum()))


def _multilabel_metrics(
    predictions: LabelledPredictions, bootstrap: ArtistBootstrap | None
) -> Iterator[MetricValue]:
    """Yield the metrics of the tracks that were sighted in several genres of the model.

    How often the first genre is the label, and how often any of the track's genres; and the label
    ranking average precision: the mean, over a track's genres, of the share of its genres among
    those that are at least as probable (Schapire & Singer, Machine Learning 39, 2000).
    """
    if predictions.genres_sighted is None:
        return
    several = predictions.genres_sighted.sum(axis=1) > 1
    n = int(several.sum())
    ranking = np.zeros(len(predictions))
    if n:
        ranking[several] = label_ranking_precision(
            predictions.probabilities[several], predictions.genres_sighted[several]
        )
    for name, values in (
        ("several_genres_accuracy", predictions.correct),
        ("several_genres_any_accuracy", predictions.any_genre_correct),
        ("several_genres_ranking", ranking),
    ):
        interval = None
        if bootstrap is not None and n:
            chosen = several.astype(np.float64)
            with np.errstate(invalid="ignore"):  # a resample may have none of these tracks
                shares = bootstrap.sums(values * chosen) / bootstrap.sums(chosen)
            interval = bootstrap.interval(shares)
        yield MetricValue(name, float(values[several].mean()) if n else None, interval, n)


def label_ranking_precision(probabilities: Floats, relevant: Mask) -> Floats:
    """Return the label ranking average precision of each track; each has a relevant genre.

    Of equally probable genres the first by name is ranked higher.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    hits = np.take_along_axis(relevant, order, axis=1)
    precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return np.asarray((precision * hits).sum(axis=1) / hits.sum(axis=1))


def mean_metric(
    name: str, values: Floats | Mask, bootstrap: ArtistBootstrap | None
) -> MetricValue:
    values = values.astype(np.float64)
    interval = None if bootstrap is None else bootstrap.interval(bootstrap.means(values))
    return MetricValue(name, float(values.mean()), interval)


def _calibration_errors(
    predictions: LabelledPredictions, bootstrap: ArtistBootstrap | None
) -> Iterator[MetricValue]:
    """Yield the expected calibration error (Guo et al., ICML 2017, eq. 3), and that by chance.

    A calibrated model has an error, too: in each bin the accuracy of some artists differs from
    the confidence. `ece_by_chance` is its expectation, with the errors of an artist summed up,
    because its tracks are no independent cases: per bin that of the absolute value of a normal
    variable whose variance is the sum of the artists' squared errors.
    """
    confidence = predictions.probabilities.max(axis=1)
    bins = np.minimum((confidence * N_BINS).astype(np.intp), N_BINS - 1)
    errors = confidence - predictions.correct
    _, artists = np.unique(predictions.artists, return_inverse=True)
    cells = sparse.coo_array((errors, (bins, artists)), shape=(N_BINS, len(predictions))).tocsr()
    value = float(np.abs(cells.sum(axis=1)).sum() / len(predictions))
    interval = None
    if bootstrap is not None:
        sums = np.abs(bootstrap.grouped_sums(bins, N_BINS, errors)).sum(axis=1)
        interval = _bias_corrected(sums / bootstrap.n_tracks, value, bootstrap)
    yield MetricValue("ece", value, interval)
    deviations = np.sqrt((cells * cells).sum(axis=1))
    chance = float(deviations.sum() * np.sqrt(2 / np.pi) / len(predictions))
    yield MetricValue("ece_by_chance", chance)


def _bias_corrected(
    resampled: Floats, value: float, bootstrap: ArtistBootstrap
) -> Interval | None:
    """Return the percentile interval without the bias of the resamples, around `value`.

    A sum of absolute values grows with the noise that resampling adds: uncorrected, the interval
    lies above the value (Davison & Hinkley, Bootstrap Methods and their Application, 1997, 2.1).
    """
    interval = bootstrap.interval(resampled - (np.nanmean(resampled) - value))
    if interval is None:
        return None
    return Interval(max(0.0, min(interval.low, value)), max(interval.high, value))


def _verdict_accuracy(predictions: LabelledPredictions) -> MetricValue:
    correct = predictions.correct[predictions.has_verdict]
    value = float(correct.mean()) if len(correct) else None
    return MetricValue("verdict_accuracy", value, n=len(correct))


def _nan_mean(values: Floats) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else None


def finite_or_none(value: float) -> float | None:
    """Return the value, None for NaN."""
    return float(value) if np.isfinite(value) else None
