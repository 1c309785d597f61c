"""How well models that say yes or no to one genre each do so. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from classifier.evaluation.metrics import LabelledPredictions, ranking_metrics
from classifier.evaluation.report import REGIMES
from classifier.records import MetricRow

Floats = NDArray[np.float64]

_SURE = 0.5
"""From this probability on the answer is yes."""


def one_vs_rest_metrics(
    side: str,
    answers: LabelledPredictions,
    yes: Floats,
    regimes: NDArray[np.str_],
    classes: Sequence[str],
) -> Iterator[MetricRow]:
    """Yield the figures of one held-out side, in each regime, per genre that was shown.

    `yes` holds a probability per track and genre; rows need not sum to 1. Accuracy beside that of
    always saying no, for with ten genres this is right nine times in ten; balanced accuracy is
    the mean of the shares of yeses and of noes that were recognised (0.5: guessing).
    """
    asked = replace(answers, probabilities=yes)
    for regime in REGIMES:
        here = np.ones(len(asked), dtype=bool) if regime == "all" else regimes == regime
        if not here.any():
            continue
        for genre, metric, value in _figures(asked.select(here)):
            yield MetricRow(
                side, regime, classes[genre], metric, value, None, None, int(here.sum())
            )


def _figures(asked: LabelledPredictions) -> Iterator[tuple[int, str, float | None]]:
    areas, precisions = ranking_metrics(asked)
    for genre in range(asked.n_genres):
        truth = asked.truth == genre
        if not truth.any():
            continue
        said = asked.probabilities[:, genre] >= _SURE
        yield genre, "binary_roc_auc", _number(areas[genre])
        yield genre, "binary_average_precision", _number(precisions[genre])
        yield genre, "binary_balanced_accuracy", _balanced(truth, said)
        yield genre, "binary_accuracy", float((said == truth).mean())
        yield genre, "always_no_accuracy", float((~truth).mean())


def _balanced(truth: NDArray[np.bool_], said: NDArray[np.bool_]) -> float | None:
    if truth.all():
        return None
    return float((said[truth].mean() + (~said[~truth]).mean()) / 2)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
