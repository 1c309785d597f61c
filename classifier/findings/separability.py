"""Separability of genres: pairwise AUC of a model's probabilities on held-out tracks."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from classifier import threads
from classifier.arrays import Codes, Floats
from classifier.config_options import check_value
from classifier.data.dataset import Database
from classifier.errors import TooFewTracks
from classifier.findings import held_out, pairwise_auc, store
from classifier.findings.pairwise_auc import GenrePair, SubsetAccuracy
from classifier.training_config import TrainingConfig

REGIMES: Final = ("all", "new_artist", "seen_artist")
MIN_VALIDATION_TRACKS: Final = 5
"""Validation tracks that a genre needs."""


@dataclass(frozen=True, slots=True)
class SeparabilityResult:
    """The most separable subset of genres, and all pairs."""

    model: int
    task: str
    origin: str | None
    regime: str
    genres: tuple[str, ...]
    mean_auc: float
    worst_pair: dict[str, Any]
    """The `genres` of the least separable pair of the subset, and its `auc`."""
    search: str
    sets_compared: int
    validation: SubsetAccuracy | None
    """On the tracks that it was selected by."""
    test: SubsetAccuracy | None
    """On tracks that nothing was selected by."""
    left_out: tuple[str, ...]
    """Genres with too few validation tracks."""
    pairs: tuple[dict[str, Any], ...]
    """All pairs (`genre`, `other_genre`) with their `auc`, the hardest first."""
    config: TrainingConfig
    """That of the model, for these genres only, as a task of its own."""

    def as_json(self) -> dict[str, Any]:
        """Return the JSON of `separability`."""
        fields = asdict(self)
        del fields["config"]
        return fields


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
    """Return the `size` genres that a model (None: the champion) separates best.

    They are selected on the validation tracks of a regime, and evaluated on its test tracks. The
    AUC of every pair is stored.
    """
    check_value("regime", regime, REGIMES)
    validation = held_out.load_held_out(database, number, task, "validation")
    model = validation.model
    probabilities, truth, artists = _predict(validation, regime, cores)
    classes = tuple(str(genre) for genre in validation.loaded_model.classes)
    counts = np.bincount(truth, minlength=len(classes))
    rows = np.isin(truth, np.flatnonzero(counts >= MIN_VALIDATION_TRACKS))
    pairs = sorted(
        pairwise_auc.pairwise_auc(probabilities[rows], truth[rows]),
        key=lambda pair: (pair.auc, pair.genre, pair.other_genre),
    )
    available = int((counts >= MIN_VALIDATION_TRACKS).sum())
    if not 2 <= size <= available:
        raise TooFewTracks(
            f"{size} genres were requested, and {available} have at least "
            f"{MIN_VALIDATION_TRACKS} validation tracks: ask for 2 to {available}, "
            "or harvest more."
        )
    _store_pairs(database, validation, regime, pairs, classes)
    best = pairwise_auc.best_subset(pairs, size)
    test = _predict(held_out.load_held_out(database, number, task, "test"), regime, cores)
    genres = tuple(classes[code] for code in best.genres)
    config = replace(
        TrainingConfig.from_model(model),
        task=f"separable-{size}",
        genres=genres,
        exclude=(),
        within=None,
    )
    return SeparabilityResult(
        model=model.id,
        task=model.task,
        origin=model.origin,
        regime=regime,
        genres=genres,
        mean_auc=best.mean_auc,
        worst_pair={
            "genres": (classes[best.worst_pair.genre], classes[best.worst_pair.other_genre]),
            "auc": best.worst_pair.auc,
        },
        search=best.search,
        sets_compared=best.sets_compared,
        validation=pairwise_auc.subset_accuracy(
            probabilities, truth, artists, best.genres, seed=seed
        ),
        test=pairwise_auc.subset_accuracy(*test, best.genres, seed=seed),
        left_out=tuple(
            genre
            for genre, count in zip(classes, counts, strict=True)
            if count < MIN_VALIDATION_TRACKS
        ),
        pairs=tuple(
            {
                "genre": classes[pair.genre],
                "other_genre": classes[pair.other_genre],
                "auc": pair.auc,
            }
            for pair in pairs
        ),
        config=config,
    )


def _predict(
    held_out_model: held_out.HeldOutModel, regime: str, cores: int | None
) -> tuple[Floats, Codes, Any]:
    """Return the probabilities, the true codes and the artists of the tracks of a regime."""
    tracks = held_out_model.tracks
    if regime != "all":
        tracks = tracks.subset(tracks.regimes == regime)
    with threads.limit_threads(cores or threads.idle_cores()):
        probabilities = held_out_model.loaded_model.artifact.estimator.predict_proba(tracks.frame)
    truth = np.searchsorted(held_out_model.loaded_model.classes, tracks.labels)
    return probabilities, truth, tracks.artists


def _store_pairs(
    database: Database,
    held_out_model: held_out.HeldOutModel,
    regime: str,
    pairs: Sequence[GenrePair],
    classes: Sequence[str],
) -> None:
    ids = [held_out_model.genre_ids.get(genre) for genre in classes]
    rows = [
        (one, other, pair.auc, pair.n, pair.other_n)
        for pair in pairs
        for one, other in [(ids[pair.genre], ids[pair.other_genre])]
        if one is not None and other is not None
    ]
    store.store_pairs(database, held_out_model.model.id, regime, rows)
