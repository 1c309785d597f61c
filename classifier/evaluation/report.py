"""How good a model is: every figure, per side, regime and genre. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifier.evaluation.bootstrap import ArtistBootstrap
from classifier.evaluation.metrics import (
    LabelledPredictions,
    MetricValue,
    overall_metrics,
    per_genre_metrics,
)
from classifier.records import ConfusionCell, MetricRow, Regime

REGIMES: Final[tuple[Regime, ...]] = ("seen_artist", "new_artist", "other", "all")
HEADLINE_METRICS: Final = (
    "macro_f1",
    "top3",
    "log_loss",
    "ece",
    "baseline",
    "weighted_f1",
    "roc_auc",
    "any_genre_accuracy",
    "verdict_accuracy",
)
"""The figures that `train` and `models` show of each regime, beside accuracy and its interval."""

BROAD_METRICS: Final = ("broad_accuracy", "misses_inside")
"""Figures there are only where a mapping knows the genres."""


def held_out_metrics(
    side: str,
    answers: LabelledPredictions,
    regimes: NDArray[np.str_],
    classes: Sequence[str],
    *,
    common: int,
    seed: int,
) -> Iterator[MetricRow]:
    """Yield every figure of one held-out side, in each regime, over all and per genre."""
    for regime in REGIMES:
        chosen = answers if regime == "all" else answers.select(regimes == regime)
        if len(chosen) == 0:
            continue
        resampled = ArtistBootstrap(chosen.artists, seed=seed)
        yield from _rows(
            side, regime, None, overall_metrics(chosen, common, resampled), len(chosen)
        )
        for genre, found in per_genre_metrics(chosen, resampled).items():
            yield from _rows(side, regime, classes[genre], found, len(chosen))


def unheld_metrics(side: str, answers: LabelledPredictions, *, common: int) -> Iterator[MetricRow]:
    """Yield the figures of tracks that were not held out honestly; they carry no interval."""
    yield from _rows(side, "all", None, overall_metrics(answers, common, None), len(answers))


def confusion_cells(
    answers: LabelledPredictions, regimes: NDArray[np.str_], classes: Sequence[str]
) -> Iterator[ConfusionCell]:
    """Yield how often each genre was taken for which, per regime."""
    size = answers.n_genres
    for regime in REGIMES[:-1]:
        chosen = answers.select(regimes == regime)
        known = chosen.truth < size
        counted = np.bincount(
            chosen.truth[known] * size + chosen.predicted[known], minlength=size * size
        )
        for cell in np.flatnonzero(counted):
            genre, predicted = divmod(int(cell), size)
            yield ConfusionCell(regime, classes[genre], classes[predicted], int(counted[cell]))


def headline_metrics(rows: Sequence[MetricRow]) -> dict[str, Any]:
    """Return the figures of the test side per regime, and what puts them into proportion.

    Every regime is there; one without tracks has n = 0 and no figures.
    """
    found: dict[str, Any] = {
        regime: _headline_of(rows, regime) for regime in ("seen_artist", "new_artist", "other")
    }
    found["train"] = {"accuracy": _value(rows, "train", "all", "accuracy")}
    found["random_split"] = {
        "accuracy": _value(rows, "random", "all", "accuracy"),
        "note": "What a random 80/20 split of these rows, as usually published, would have said.",
    }
    return found


def _headline_of(rows: Sequence[MetricRow], regime: str) -> dict[str, Any]:
    of_regime = {
        row.metric: row
        for row in rows
        if row.side == "test" and row.regime == regime and row.genre is None
    }
    accuracy = of_regime.get("accuracy")
    if accuracy is None:
        return {"n": 0, "accuracy": None, "interval": None, **dict.fromkeys(HEADLINE_METRICS)}
    interval = None if accuracy.low is None else [accuracy.low, accuracy.high]
    return {
        "n": accuracy.n,
        "accuracy": accuracy.value,
        "interval": interval,
        **{name: of_regime[name].value for name in HEADLINE_METRICS},
        **{name: of_regime[name].value for name in BROAD_METRICS if name in of_regime},
        "validation_accuracy": _value(rows, "validation", regime, "accuracy"),
    }


def _value(rows: Sequence[MetricRow], side: str, regime: str, metric: str) -> float | None:
    for row in rows:
        if (row.side, row.regime, row.genre, row.metric) == (side, regime, None, metric):
            return row.value
    return None


def _rows(
    side: str, regime: Regime, genre: str | None, found: Sequence[MetricValue], n: int
) -> Iterator[MetricRow]:
    for one in found:
        low = None if one.interval is None else one.interval.low
        high = None if one.interval is None else one.interval.high
        counted = n if one.n is None else one.n
        yield MetricRow(side, regime, genre, one.metric, one.value, low, high, counted)


def majority_class(labels: Sequence[str] | NDArray[np.str_], classes: Mapping[str, int]) -> int:
    """Return the code of the genre with most tracks; ties to the first by name."""
    names, counts = np.unique(np.asarray(labels), return_counts=True)
    return classes[str(names[counts.argmax()])]
