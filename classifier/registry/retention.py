"""What is kept of which model, so that a database does not grow with every training.

The champion of a task, the two champions before it, pinned models and the latest one (it may have
been rejected, and somebody may want to look at it) keep artifact and answers, and so does what was
refitted from the champion. Of the latest others of a task the row and the figures stay; of those
before them a line: what it was, what became of it and why, and its headline figures.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from classifier.records import StoredModel
from classifier.registry import model_store, stored_models
from genrebase.store import Engine

PREVIOUS_CHAMPIONS_KEPT: Final = 2
"""Champions before the present one that are kept to roll back to."""


DEFAULT_KEEP_LAST: Final = 50
"""Models of a task, the latest, whose row and figures are kept: seven weeks of daily trainings."""


@dataclass(frozen=True, slots=True)
class PruneResult:
    """What retention came to."""

    dropped_artifacts: tuple[int, ...]
    """Models that lost, or would lose, artifact and answers."""
    predictions: int
    """Rows of answers that went, or would go."""
    archived: tuple[int, ...] = ()
    """Models of which a line stays, or would stay."""
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as `prune --json` shows it."""
        return {
            "given_up": list(self.dropped_artifacts),
            "predictions": self.predictions,
            "shortened": list(self.archived),
            "dry_run": self.dry_run,
        }


def models_to_keep(models: Iterable[StoredModel]) -> set[int]:
    """Return the models that keep artifact and answers. Pure."""
    by_task: dict[str, list[StoredModel]] = defaultdict(list)
    for model in models:
        by_task[model.task].append(model)
    return {number for of_task in by_task.values() for number in _kept(of_task)}


def previous_champions(models: Iterable[StoredModel]) -> list[StoredModel]:
    """Return the models that were champion and are it no more, the last to reign first. Pure."""
    reigned = [one for one in models if one.promoted_at is not None and one.status != "champion"]
    return sorted(reigned, key=lambda one: (one.promoted_at, one.id), reverse=True)


def models_to_archive(models: Iterable[StoredModel], keep_last: int) -> set[int]:
    """Return the models of which a line stays: all before the latest `remembered`. Pure.

    What is kept whole never is among them, nor is what a refit that is kept was made from.
    """
    there = list(models)
    whole = models_to_keep(there)
    spared = whole | {one.parent_id for one in there if one.id in whole and one.parent_id}
    by_task: dict[str, list[int]] = defaultdict(list)
    for model in there:
        by_task[model.task].append(model.id)
    gone = {number for of_task in by_task.values() for number in sorted(of_task)[:-keep_last]}
    return gone - spared


def _kept(models: Sequence[StoredModel]) -> set[int]:
    champions = {one.id for one in models if one.status == "champion"}
    latest = [max(one.id for one in models)]
    pinned = [one.id for one in models if one.pinned]
    refits = [one.id for one in models if one.status == "refit" and one.parent_id in champions]
    return {
        *champions,
        *(one.id for one in previous_champions(models)[:PREVIOUS_CHAMPIONS_KEPT]),
        *latest,
        *pinned,
        *refits,
    }


def prune(
    database: Engine,
    task: str | None = None,
    *,
    keep_last: int = DEFAULT_KEEP_LAST,
    dry_run: bool = False,
) -> PruneResult:
    """Give up artifact and answers of every model (of `task`) that does not keep them.

    Of those before the latest `remembered` of their task a line stays.
    Each model in a transaction of its own; stopped anywhere, the next time goes on.
    """
    models = stored_models.models(database, task)
    keeping = models_to_keep(models)
    given_up, predictions = [], 0
    for model in models:
        if model.id in keeping or model.artifact_sha256 is None:
            continue
        if dry_run:
            gone: int | None = stored_models.prediction_count(database, model.id)
        else:
            gone = model_store.drop_artifact(
                database, model.id, keep_metrics=model.promoted_at is not None
            )
        if gone is not None:
            given_up.append(model.id)
            predictions += gone
    gone_long = models_to_archive(models, keep_last)
    shortened = tuple(
        model.id
        for model in reversed(models)
        if model.id in gone_long
        and not model.is_archived
        and (dry_run or model_store.archive(database, model.id))
    )
    return PruneResult(tuple(sorted(given_up)), predictions, shortened, dry_run)


def pin(database: Engine, number: int, *, pinned: bool) -> StoredModel:
    """Keep a model whatever comes, or leave it to retention again; raise `UnknownModel`."""
    if stored_models.model(database, number).pinned is not pinned:
        model_store.set_pinned(database, number, pinned=pinned)
    return stored_models.model(database, number)
