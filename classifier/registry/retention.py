"""Decide which models keep their artifact and predictions, so that a database stays small.

The champion of a task, the two champions before it, pinned models and the latest model (it may
have been rejected, and somebody may want to look at it) keep artifact and predictions; so do
refits of the champion. The two champions before it keep only the first prediction for each track,
unless they are pinned. Of the latest other models of a task the row and the metrics are kept.
Older models are archived: their row keeps what they were, the decision and its reason, and main
metrics.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from classifier.model_records import StoredModel
from classifier.registry import model_store, prediction_store, stored_models
from genrebase.store import Engine

PREVIOUS_CHAMPIONS_KEPT: Final = 2
"""Former champions that are kept for a rollback."""

DEFAULT_KEEP_LAST: Final = 50
"""Latest models of a task whose row and metrics are kept: seven weeks of daily trainings."""


@dataclass(frozen=True, slots=True)
class PruneResult:
    """The result of pruning (with `dry_run`: what it would be); the JSON of `prune`."""

    given_up: tuple[int, ...]
    """Models that lost artifact and predictions."""
    predictions: int
    """Rows of predictions that were deleted."""
    reduced: tuple[int, ...] = ()
    """Former champions that keep only the first prediction for each track since then."""
    shortened: tuple[int, ...] = ()
    """Models that were reduced to main metrics."""
    dry_run: bool = False


def models_to_keep(models: Iterable[StoredModel]) -> set[int]:
    """Return the models that keep artifact and predictions. Pure."""
    return {number for of_task in _by_task(models) for number in _kept(of_task)}


def previous_champions(models: Iterable[StoredModel]) -> list[StoredModel]:
    """Return the former champions, the latest first. Pure."""
    former = [one for one in models if one.promoted_at is not None and one.status != "champion"]
    return sorted(former, key=lambda one: (one.promoted_at, one.id), reverse=True)


def models_to_archive(models: Iterable[StoredModel], keep_last: int) -> set[int]:
    """Return the models to archive: all of a task before the latest `keep_last`. Pure.

    Models that keep their artifact are never among them, nor are parents of kept refits.
    """
    listed = list(models)
    whole = models_to_keep(listed)
    spared = whole | {one.parent_id for one in listed if one.id in whole and one.parent_id}
    numbers = [sorted(one.id for one in of_task) for of_task in _by_task(listed)]
    return {number for of_task in numbers for number in of_task[:-keep_last]} - spared


def _by_task(models: Iterable[StoredModel]) -> Iterable[list[StoredModel]]:
    by_task: dict[str, list[StoredModel]] = defaultdict(list)
    for model in models:
        by_task[model.task].append(model)
    return by_task.values()


def _kept(models: Sequence[StoredModel]) -> set[int]:
    champions = {one.id for one in models if one.status == "champion"}
    return {
        *champions,
        *(one.id for one in previous_champions(models)[:PREVIOUS_CHAMPIONS_KEPT]),
        max(one.id for one in models),
        *(one.id for one in models if one.pinned),
        *(one.id for one in models if one.status == "refit" and one.parent_id in champions),
    }


def prune(
    database: Engine,
    task: str | None = None,
    *,
    keep_last: int = DEFAULT_KEEP_LAST,
    dry_run: bool = False,
) -> PruneResult:
    """Drop artifact and predictions of every model (of `task`) that does not keep them.

    The two previous champions keep the first prediction for each track, see `prediction_store`.

    Models before the latest `keep_last` of their task are archived. Each model has a transaction
    of its own; after an interruption the next call continues.
    """
    models = stored_models.models(database, task)
    keeping = models_to_keep(models)
    dropped, reduced, predictions = [], [], 0
    for model in models:
        if model.artifact_sha256 is None:
            predictions += 0 if dry_run else prediction_store.drop_left_over(database, model.id)
            continue
        if model.id in keeping:
            lower_ranks = _reduce(database, model, dry_run=dry_run)
            if lower_ranks:
                reduced.append(model.id)
                predictions += lower_ranks
            continue
        if dry_run:
            deleted: int | None = stored_models.prediction_count(database, model.id)
        else:
            deleted = model_store.drop_artifact(
                database, model.id, keep_metrics=model.promoted_at is not None
            )
        if deleted is not None:
            dropped.append(model.id)
            predictions += deleted
    to_archive = models_to_archive(models, keep_last)
    archived = tuple(
        model.id
        for model in reversed(models)
        if model.id in to_archive
        and not model.is_archived
        and (dry_run or model_store.archive(database, model.id))
    )
    return PruneResult(
        tuple(sorted(dropped)), predictions, tuple(sorted(reduced)), archived, dry_run
    )


def _reduce(database: Engine, model: StoredModel, *, dry_run: bool) -> int:
    """Delete all but the first predictions of a former champion; return how many those are."""
    if model.status != "retired" or model.pinned:
        return 0
    if dry_run:
        return stored_models.prediction_count(database, model.id, from_rank=2)
    return prediction_store.drop_lower_ranks(database, model.id)
