"""Metrics of one-vs-rest binary classifiers, one per genre. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from classifier.arrays import Floats, Mask
from classifier.evaluation.metrics import LabelledPredictions, finite_or_none, ranking_metrics
from classifier.evaluation.report import METRIC_REGIMES
from classifier.records import MetricRow

_THRESHOLD: Final = 0.5
"""From this probability on the genre is predicted."""


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
        for genre, metric, value in _per_genre(binary.select(chosen)):
            n = int(chosen.sum())
            yield MetricRow(side, regime, classes[genre], metric, value, None, None, n)


def _per_genre(binary: LabelledPredictions) -> Iterator[tuple[int, str, float | None]]:
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
