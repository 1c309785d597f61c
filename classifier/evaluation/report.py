"""How good a model is: every figure, per side, regime and genre. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifier.evaluation.bootstrap import Resampled
from classifier.evaluation.metrics import Answers, Measured, overall, per_genre
from classifier.records import Confused, MetricRow, Regime

REGIMES: Final[tuple[Regime, ...]] = ("seen_artist", "new_artist", "other", "all")
HEADLINE: Final = (
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

BROADLY: Final = ("broad_accuracy", "misses_inside")
"""Figures there are only where a mapping knows the genres."""

FEW: Final = 30
"""Under so many tracks a figure is shown greyed."""


def held_out(
    side: str,
    answers: Answers,
    regimes: NDArray[np.str_],
    classes: Sequence[str],
    *,
    common: int,
    seed: int,
) -> Iterator[MetricRow]:
    """Yield every figure of one held-out side, in each regime, over all and per genre."""
    for regime in REGIMES:
        chosen = answers if regime == "all" else answers.only(regimes == regime)
        if len(chosen) == 0:
            continue
        resampled = Resampled(chosen.artists, seed=seed)
        yield from _rows(side, regime, None, overall(chosen, common, resampled), len(chosen))
        for genre, found in per_genre(chosen, resampled).items():
            yield from _rows(side, regime, classes[genre], found, len(chosen))


def unheld(side: str, answers: Answers, *, common: int) -> Iterator[MetricRow]:
    """Yield the figures of tracks that were not held out honestly; they carry no interval."""
    yield from _rows(side, "all", None, overall(answers, common, None), len(answers))


def confusions(
    answers: Answers, regimes: NDArray[np.str_], classes: Sequence[str]
) -> Iterator[Confused]:
    """Yield how often each genre was taken for which, per regime."""
    size = answers.genres
    for regime in REGIMES[:-1]:
        chosen = answers.only(regimes == regime)
        known = chosen.truth < size
        counted = np.bincount(
            chosen.truth[known] * size + chosen.first[known], minlength=size * size
        )
        for cell in np.flatnonzero(counted):
            genre, predicted = divmod(int(cell), size)
            yield Confused(regime, classes[genre], classes[predicted], int(counted[cell]))


def headline(rows: Sequence[MetricRow]) -> dict[str, Any]:
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
        return {"n": 0, "accuracy": None, "interval": None, **dict.fromkeys(HEADLINE)}
    interval = None if accuracy.low is None else [accuracy.low, accuracy.high]
    return {
        "n": accuracy.n,
        "accuracy": accuracy.value,
        "interval": interval,
        **{name: of_regime[name].value for name in HEADLINE},
        **{name: of_regime[name].value for name in BROADLY if name in of_regime},
        "validation_accuracy": _value(rows, "validation", regime, "accuracy"),
    }


def _value(rows: Sequence[MetricRow], side: str, regime: str, metric: str) -> float | None:
    for row in rows:
        if (row.side, row.regime, row.genre, row.metric) == (side, regime, None, metric):
            return row.value
    return None


def _rows(
    side: str, regime: Regime, genre: str | None, found: Sequence[Measured], n: int
) -> Iterator[MetricRow]:
    for one in found:
        low = None if one.interval is None else one.interval.low
        high = None if one.interval is None else one.interval.high
        counted = n if one.n is None else one.n
        yield MetricRow(side, regime, genre, one.metric, one.value, low, high, counted)


def commonest(labels: Sequence[str] | NDArray[np.str_], classes: Mapping[str, int]) -> int:
    """Return the code of the genre with most tracks; ties to the first by name."""
    names, counts = np.unique(np.asarray(labels), return_counts=True)
    return classes[str(names[counts.argmax()])]
