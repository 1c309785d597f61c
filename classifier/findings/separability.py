"""Which genres can be told apart best, by what a model says about tracks it did not learn from."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from classifier import threads
from classifier.data.dataset import Database
from classifier.errors import BadChoice, TooFewTracks
from classifier.findings import held_out, pairwise_auc
from classifier.findings import store as findings
from classifier.findings.pairwise_auc import Best, Held, Pair
from classifier.records import Choice

REGIMES: Final = ("all", "new_artist", "seen_artist")
FEWEST: Final = 5
"""Validation tracks that a genre needs to be judged by."""


@dataclass(frozen=True, slots=True)
class Separated:
    """The set of genres that can be told apart best, and all pairs."""

    model: int
    task: str
    origin: str | None
    regime: str
    genres: tuple[str, ...]
    best: Best
    worst: tuple[str, str]
    """The two of the set that are told apart least."""
    validation: Held | None
    """What it was chosen by."""
    test: Held | None
    """What it is worth on tracks that chose nothing."""
    pairs: tuple[tuple[str, str, float], ...]
    """All pairs with their area, the hardest first."""
    left_out: tuple[str, ...]
    """Genres with too few validation tracks."""
    choice: Choice
    """Asks as the model was asked, but for these genres only, as a task of its own."""

    def as_json(self) -> dict[str, Any]:
        """Return what `separability --json` shows."""
        return {
            "model": self.model,
            "task": self.task,
            "origin": self.origin,
            "regime": self.regime,
            "genres": list(self.genres),
            "mean_auc": self.best.mean,
            "worst_pair": {"genres": list(self.worst), "auc": self.best.worst.auc},
            "search": self.best.search,
            "sets_compared": self.best.looked_at,
            "validation": _shown(self.validation),
            "test": _shown(self.test),
            "left_out": list(self.left_out),
            "pairs": [
                {"genre": one, "other_genre": other, "auc": auc} for one, other, auc in self.pairs
            ],
        }


def run(
    database: Database,
    size: int,
    *,
    number: int | None = None,
    task: str = "main",
    regime: str = "all",
    seed: int = 0,
    cores: int | None = None,
) -> Separated:
    """Return the `size` genres that a model (None: the champion) tells apart best.

    Chosen on the validation tracks of a regime, reported on the test tracks of the same. What
    was found about every pair is stored.
    """
    if regime not in REGIMES:
        raise BadChoice(f"There is no regime {regime!r}. Known: {', '.join(REGIMES)}.")
    examined = held_out.held_out(database, number, task, "validation")
    shares, truth, artists = _answers(examined, regime, cores)
    classes = np.asarray(examined.champion.classes)
    shown = np.bincount(truth, minlength=len(classes))
    judged = np.isin(truth, np.flatnonzero(shown >= FEWEST))
    found = list(pairwise_auc.pairs(shares[judged], truth[judged]))
    there = len({pair.one for pair in found} | {pair.other for pair in found})
    if not 2 <= size <= there:
        raise TooFewTracks(
            f"{size} genres were asked for, and {there} have at least {FEWEST} validation tracks: "
            f"ask for 2 to {there}, or harvest more."
        )
    _store(database, examined, regime, found, classes)
    best = pairwise_auc.best(found, size)
    tested = held_out.held_out(database, number, task, "test")
    worst, row = best.worst, examined.model
    genres = tuple(str(genre) for genre in classes[list(best.genres)])
    return Separated(
        model=row.id,
        task=row.task,
        origin=row.origin,
        regime=regime,
        genres=genres,
        best=best,
        worst=(str(classes[worst.one]), str(classes[worst.other])),
        validation=pairwise_auc.held(shares, truth, artists, best.genres, seed=seed),
        test=pairwise_auc.held(*_answers(tested, regime, cores), best.genres, seed=seed),
        pairs=tuple(
            (str(classes[pair.one]), str(classes[pair.other]), pair.auc)
            for pair in sorted(found, key=lambda pair: (pair.auc, pair.one, pair.other))
        ),
        left_out=tuple(str(genre) for genre in classes[shown < FEWEST]),
        choice=replace(
            Choice.of(row), task=f"separable-{size}", genres=genres, exclude=(), within=None
        ),
    )


def _answers(
    examined: held_out.Examined, regime: str, cores: int | None
) -> tuple[pairwise_auc.Floats, pairwise_auc.Codes, Any]:
    asked = examined.asked
    if regime != "all":
        asked = asked.only(asked.regimes == regime)
    with threads.capped(cores or threads.unused()):
        shares = examined.champion.packed.estimator.predict_proba(asked.frame)
    return shares, np.searchsorted(examined.champion.classes, asked.labels), asked.artists


def _store(
    database: Database,
    examined: held_out.Examined,
    regime: str,
    found: list[Pair],
    classes: Any,
) -> None:
    known = [examined.genres.get(str(genre)) for genre in classes]
    rows = [
        (one, other, pair.auc, pair.n, pair.other_n)
        for pair in found
        for one, other in [(known[pair.one], known[pair.other])]
        if one is not None and other is not None
    ]
    findings.store_pairs(database, examined.model.id, regime, rows)


def _shown(held: Held | None) -> dict[str, Any] | None:
    if held is None:
        return None
    interval = held.interval
    return {
        "accuracy": held.accuracy,
        "interval": None if interval is None else [interval.low, interval.high],
        "baseline": held.baseline,
        "n": held.n,
    }
