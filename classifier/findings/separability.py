"""Which genres can be told apart best, by what a model says about tracks it did not learn from."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from classifier import threads
from classifier.data.dataset import Database
from classifier.errors import BadTrainingConfig, TooFewTracks
from classifier.findings import held_out, pairwise_auc
from classifier.findings import store as findings
from classifier.findings.pairwise_auc import GenrePair, GenreSubset, SubsetAccuracy
from classifier.training_config import TrainingConfig

REGIMES: Final = ("all", "new_artist", "seen_artist")
MIN_VALIDATION_TRACKS: Final = 5
"""Validation tracks that a genre needs to be judged by."""


@dataclass(frozen=True, slots=True)
class SeparabilityResult:
    """The set of genres that can be told apart best, and all pairs."""

    model: int
    task: str
    origin: str | None
    regime: str
    genres: tuple[str, ...]
    best_subset: GenreSubset
    worst_pair: tuple[str, str]
    """The two of the set that are told apart least."""
    validation: SubsetAccuracy | None
    """What it was chosen by."""
    test: SubsetAccuracy | None
    """What it is worth on tracks that chose nothing."""
    pairs: tuple[tuple[str, str, float], ...]
    """All pairs with their area, the hardest first."""
    left_out: tuple[str, ...]
    """Genres with too few validation tracks."""
    choice: TrainingConfig
    """Asks as the model was asked, but for these genres only, as a task of its own."""

    def as_json(self) -> dict[str, Any]:
        """Return what `separability --json` shows."""
        return {
            "model": self.model,
            "task": self.task,
            "origin": self.origin,
            "regime": self.regime,
            "genres": list(self.genres),
            "mean_auc": self.best_subset.mean_auc,
            "worst_pair": {
                "genres": list(self.worst_pair),
                "auc": self.best_subset.worst_pair.auc,
            },
            "search": self.best_subset.search,
            "sets_compared": self.best_subset.sets_compared,
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
) -> SeparabilityResult:
    """Return the `size` genres that a model (None: the champion) tells apart best.

    Chosen on the validation tracks of a regime, reported on the test tracks of the same. What
    was found about every pair is stored.
    """
    if regime not in REGIMES:
        raise BadTrainingConfig(f"There is no regime {regime!r}. Known: {', '.join(REGIMES)}.")
    examined = held_out.load_held_out(database, number, task, "validation")
    shares, truth, artists = _answers(examined, regime, cores)
    classes = np.asarray(examined.champion.classes)
    shown = np.bincount(truth, minlength=len(classes))
    judged = np.isin(truth, np.flatnonzero(shown >= MIN_VALIDATION_TRACKS))
    found = list(pairwise_auc.pairwise_auc(shares[judged], truth[judged]))
    there = len({pair.genre for pair in found} | {pair.other_genre for pair in found})
    if not 2 <= size <= there:
        raise TooFewTracks(
            f"{size} genres were asked for, and {there} have at least {MIN_VALIDATION_TRACKS} validation tracks: "
            f"ask for 2 to {there}, or harvest more."
        )
    _store(database, examined, regime, found, classes)
    best = pairwise_auc.best_subset(found, size)
    tested = held_out.load_held_out(database, number, task, "test")
    worst, row = best.worst_pair, examined.model
    genres = tuple(str(genre) for genre in classes[list(best.genres)])
    return SeparabilityResult(
        model=row.id,
        task=row.task,
        origin=row.origin,
        regime=regime,
        genres=genres,
        best_subset=best,
        worst_pair=(str(classes[worst.genre]), str(classes[worst.other_genre])),
        validation=pairwise_auc.subset_accuracy(shares, truth, artists, best.genres, seed=seed),
        test=pairwise_auc.subset_accuracy(
            *_answers(tested, regime, cores), best.genres, seed=seed
        ),
        pairs=tuple(
            (str(classes[pair.genre]), str(classes[pair.other_genre]), pair.auc)
            for pair in sorted(found, key=lambda pair: (pair.auc, pair.genre, pair.other_genre))
        ),
        left_out=tuple(str(genre) for genre in classes[shown < MIN_VALIDATION_TRACKS]),
        choice=replace(
            TrainingConfig.from_model(row),
            task=f"separable-{size}",
            genres=genres,
            exclude=(),
            within=None,
        ),
    )


def _answers(
    examined: held_out.HeldOutModel, regime: str, cores: int | None
) -> tuple[pairwise_auc.Floats, pairwise_auc.Codes, Any]:
    asked = examined.tracks
    if regime != "all":
        asked = asked.subset(asked.regimes == regime)
    with threads.limit_threads(cores or threads.idle_cores()):
        shares = examined.champion.artifact.estimator.predict_proba(asked.frame)
    return shares, np.searchsorted(examined.champion.classes, asked.labels), asked.artists


def _store(
    database: Database,
    examined: held_out.HeldOutModel,
    regime: str,
    found: list[GenrePair],
    classes: Any,
) -> None:
    known = [examined.genre_ids.get(str(genre)) for genre in classes]
    rows = [
        (one, other, pair.auc, pair.n, pair.other_n)
        for pair in found
        for one, other in [(known[pair.genre], known[pair.other_genre])]
        if one is not None and other is not None
    ]
    findings.store_pairs(database, examined.model.id, regime, rows)


def _shown(held: SubsetAccuracy | None) -> dict[str, Any] | None:
    if held is None:
        return None
    interval = held.interval
    return {
        "accuracy": held.accuracy,
        "interval": None if interval is None else [interval.low, interval.high],
        "baseline": held.baseline,
        "n": held.n,
    }
