"""The evaluation report: metrics per side, regime and genre. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifier.arrays import Floats, Mask
from classifier.evaluation.bootstrap import ArtistBootstrap
from classifier.evaluation.metrics import (
    LabelledPredictions,
    MetricValue,
    finite_or_none,
    overall_metrics,
    per_genre_metrics,
    ranking_metrics,
)
from classifier.model_records import SIBLINGS_REGIME, MetricRow, Regime

METRIC_REGIMES: Final[tuple[Regime, ...]] = ("seen_artist", "new_artist", "other", "all")
"""The test conditions that metrics are computed for, and all test tracks together."""
METRICS_BESIDE_ACCURACY: Final = (
    "macro_f1",
    "top3",
    "log_loss",
    "ece",
    "ece_by_chance",
    "baseline",
    "weighted_f1",
    "roc_auc",
    "any_genre_accuracy",
    "verdict_accuracy",
    "several_genres_accuracy",
    "several_genres_any_accuracy",
    "several_genres_ranking",
)
"""The metrics of each regime in `train` and `models`, besides accuracy and its interval."""

SIBLINGS_CURVE: Final = (0, 1, 3, 10)
"""Numbers of siblings that the accuracy is measured with, besides all."""
SIBLING_METRICS: Final = (
    *(f"accuracy_with_{number}_siblings" for number in SIBLINGS_CURVE),
    *(f"tracks_with_{number}_siblings" for number in SIBLINGS_CURVE if number),
    "accuracy_gain",
    "siblings_per_track",
    "siblings_seen_under_own_genre",
    "accuracy_with_siblings_seen_elsewhere",
    "accuracy_with_siblings_labels",
)
"""The metrics that only this test condition has."""

_THRESHOLD: Final = 0.5
"""From this probability on a one-vs-rest classifier predicts its genre."""

BROAD_METRICS: Final = ("broad_accuracy", "misses_inside")
"""Metrics that exist only with a genre mapping."""


def held_out_metrics(
    side: str,
    predictions: LabelledPredictions,
    regimes: NDArray[np.str_],
    classes: Sequence[str],
    *,
    common: int,
    seed: int,
) -> Iterator[MetricRow]:
    """Yield every metric of one held-out side, in each regime, over all and per genre."""
    for regime in METRIC_REGIMES:
        chosen = predictions if regime == "all" else predictions.select(regimes == regime)
        if len(chosen) == 0:
            continue
        bootstrap = ArtistBootstrap(chosen.artists, seed=seed)
        overall = overall_metrics(chosen, common, bootstrap)
        yield from metric_rows(side, regime, None, overall, len(chosen))
        for genre, metrics in per_genre_metrics(chosen, bootstrap).items():
            yield from metric_rows(side, regime, classes[genre], metrics, len(chosen))


def one_vs_rest_metrics(
    side: str,
    predictions: LabelledPredictions,
    binary_probabilities: Floats,
    regimes: NDArray[np.str_],
    classes: Sequence[str],
) -> Iterator[MetricRow]:
    """Yield the metrics of one held-out side, in each regime, per genre that has tracks.

    `binary_probabilities` (tracks, genres) need not sum to 1. Accuracy comes with that of always
    predicting "no", which with ten genres is right nine times in ten; balanced accuracy is the
    mean of the recalls of "yes" and "no" (0.5: guessing).
    """
    binary = replace(predictions, probabilities=binary_probabilities)
    for regime in METRIC_REGIMES:
        chosen = np.ones(len(binary), dtype=bool) if regime == "all" else regimes == regime
        if not chosen.any():
            continue
        for genre, metric, value in _binary_metrics(binary.select(chosen)):
            n = int(chosen.sum())
            yield MetricRow(side, regime, classes[genre], metric, value, None, None, n)


def unheld_metrics(
    side: str, predictions: LabelledPredictions, *, common: int
) -> Iterator[MetricRow]:
    """Yield the metrics of tracks that were not honestly held out; they have no interval."""
    metrics = overall_metrics(predictions, common, None)
    yield from metric_rows(side, "all", None, metrics, len(predictions))


def headline_metrics(rows: Sequence[MetricRow]) -> dict[str, Any]:
    """Return the metrics of the test side per regime, and those to compare them with.

    Every regime is there; one without tracks has n = 0 and no metrics.
    """
    metrics: dict[str, Any] = {
        regime: _headline_of(rows, regime) for regime in METRIC_REGIMES[:-1]
    }
    metrics[SIBLINGS_REGIME] = _headline_of(rows, SIBLINGS_REGIME)
    for name in SIBLING_METRICS:
        metrics[SIBLINGS_REGIME][name] = overall_value(rows, "test", SIBLINGS_REGIME, name)
    metrics["train"] = {"accuracy": overall_value(rows, "train", "all", "accuracy")}
    metrics["random_split"] = {
        "accuracy": overall_value(rows, "random", "all", "accuracy"),
        "note": "The metrics of a random 80/20 split of these rows, as is usual in publications.",
    }
    return metrics


def _headline_of(rows: Sequence[MetricRow], regime: str) -> dict[str, Any]:
    by_metric = {
        row.metric: row
        for row in rows
        if row.side == "test" and row.regime == regime and row.genre is None
    }
    accuracy = by_metric.get("accuracy")
    if accuracy is None:
        missing = dict.fromkeys(METRICS_BESIDE_ACCURACY)
        return {"n": 0, "accuracy": None, "interval": None, **missing}
    interval = None if accuracy.low is None else [accuracy.low, accuracy.high]
    return {
        "n": accuracy.n,
        "accuracy": accuracy.value,
        "interval": interval,
        **{name: by_metric[name].value for name in METRICS_BESIDE_ACCURACY if name in by_metric},
        **{name: by_metric[name].value for name in BROAD_METRICS if name in by_metric},
        "validation_accuracy": overall_value(rows, "validation", regime, "accuracy"),
    }


def overall_value(rows: Sequence[MetricRow], side: str, regime: str, metric: str) -> float | None:
    """Return a metric over all genres; None if it was not measured."""
    for row in rows:
        if (row.side, row.regime, row.genre, row.metric) == (side, regime, None, metric):
            return row.value
    return None


def metric_rows(
    side: str, regime: Regime, genre: str | None, metrics: Sequence[MetricValue], n: int
) -> Iterator[MetricRow]:
    for one in metrics:
        low, high = one.interval or (None, None)
        count = n if one.n is None else one.n
        yield MetricRow(side, regime, genre, one.metric, one.value, low, high, count)


def _binary_metrics(binary: LabelledPredictions) -> Iterator[tuple[int, str, float | None]]:
    areas, precisions = ranking_metrics(binary)
    for genre in range(binary.n_genres):
        truth = binary.truth == genre
        if not truth.any():
            continue
        predicted = binary.probabilities[:, genre] >= _THRESHOLD
        yield genre, "binary_roc_auc", finite_or_none(areas[genre])
        yield genre, "binary_average_precision", finite_or_none(precisions[genre])
        yield genre, "binary_balanced_accuracy", _balanced_accuracy(truth, predicted)
        yield genre, "binary_accuracy", float((predicted == truth).mean())
        yield genre, "always_no_accuracy", float((~truth).mean())


def _balanced_accuracy(truth: Mask, predicted: Mask) -> float | None:
    if truth.all():
        return None
    return float((predicted[truth].mean() + (~predicted[~truth]).mean()) / 2)


def majority_class(labels: Sequence[str] | NDArray[np.str_], classes: Mapping[str, int]) -> int:
    """Return the code of the genre with most tracks; ties to the first by name."""
    names, counts = np.unique(np.asarray(labels), return_counts=True)
    return classes[str(names[counts.argmax()])]
