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

from classifier.data import dataset
from classifier.data.dataset import Database
from classifier.records import StoredModel
from classifier.registry import model_store

BEFORE: Final = 2
"""Champions before the present one that are kept to roll back to."""


REMEMBERED: Final = 50
"""Models of a task, the latest, whose row and figures are kept: seven weeks of daily trainings."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What retention came to."""

    given_up: tuple[int, ...]
    """Models that lost, or would lose, artifact and answers."""
    predictions: int
    """Rows of answers that went, or would go."""
    shortened: tuple[int, ...] = ()
    """Models of which a line stays, or would stay."""
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as `prune --json` shows it."""
        return {
            "given_up": list(self.given_up),
            "predictions": self.predictions,
            "shortened": list(self.shortened),
            "dry_run": self.dry_run,
        }


def kept(models: Iterable[StoredModel]) -> set[int]:
    """Return the models that keep artifact and answers. Pure."""
    by_task: dict[str, list[StoredModel]] = defaultdict(list)
    for model in models:
        by_task[model.task].append(model)
    return {number for of_task in by_task.values() for number in _kept(of_task)}


def before(models: Iterable[StoredModel]) -> list[StoredModel]:
    """Return the models that were champion and are it no more, the last to reign first. Pure."""
    reigned = [one for one in models if one.crowned_at is not None and one.status != "champion"]
    return sorted(reigned, key=lambda one: (one.crowned_at, one.id), reverse=True)


def long_gone(models: Iterable[StoredModel], remembered: int) -> set[int]:
    """Return the models of which a line stays: all before the latest `remembered`. Pure.

    What is kept whole never is among them, nor is what a refit that is kept was made from.
    """
    there = list(models)
    whole = kept(there)
    spared = whole | {one.parent_id for one in there if one.id in whole and one.parent_id}
    by_task: dict[str, list[int]] = defaultdict(list)
    for model in there:
        by_task[model.task].append(model.id)
    gone = {number for of_task in by_task.values() for number in sorted(of_task)[:-remembered]}
    return gone - spared


def _kept(models: Sequence[StoredModel]) -> set[int]:
    champions = {one.id for one in models if one.status == "champion"}
    latest = [max(one.id for one in models)]
    pinned = [one.id for one in models if one.pinned]
    refits = [one.id for one in models if one.status == "refit" and one.parent_id in champions]
    return {*champions, *(one.id for one in before(models)[:BEFORE]), *latest, *pinned, *refits}


def prune(
    database: Database,
    task: str | None = None,
    *,
    remembered: int = REMEMBERED,
    dry_run: bool = False,
) -> Pruned:
    """Give up artifact and answers of every model (of `task`) that does not keep them.

    Of those before the latest `remembered` of their task a line stays.
    Each model in a transaction of its own; stopped anywhere, the next time goes on.
    """
    models = dataset.models(database, task)
    keeping = kept(models)
    given_up, predictions = [], 0
    for model in models:
        if model.id in keeping or model.artifact_sha256 is None:
            continue
        if dry_run:
            gone: int | None = dataset.answers_of(database, model.id)
        else:
            gone = model_store.give_up(database, model.id, figures=model.crowned_at is not None)
        if gone is not None:
            given_up.append(model.id)
            predictions += gone
    gone_long = long_gone(models, remembered)
    shortened = tuple(
        model.id
        for model in reversed(models)
        if model.id in gone_long
        and not model.shortened
        and (dry_run or model_store.shorten(database, model.id))
    )
    return Pruned(tuple(sorted(given_up)), predictions, shortened, dry_run)


def pin(database: Database, number: int, *, pinned: bool) -> StoredModel:
    """Keep a model whatever comes, or leave it to retention again; raise `UnknownModel`."""
    if dataset.model(database, number).pinned is not pinned:
        model_store.pin(database, number, pinned=pinned)
    return dataset.model(database, number)
