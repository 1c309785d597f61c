"""The model registry: store models with metrics and predictions, promote, archive and pin them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from classifier.errors import ClassifierError
from classifier.model_records import (
    ConfusionCell,
    Epoch,
    MetricRow,
    PromotionDecision,
    TrainedModel,
)
from classifier.registry import prediction_store
from genrebase.store import Engine, bulk, tables
from genrebase.store.engine import transaction

_METRIC: Final = ("model_id", "side", "regime", "genre_id", "metric", "value", "low", "high", "n")
_CONFUSION: Final = ("model_id", "regime", "genre_id", "predicted_id", "tracks")
_ARCHIVED_METRICS: Final = (
    *("n", "accuracy", "interval", "macro_f1", "top3"),
    *("log_loss", "ece", "baseline"),
)
"""Metrics of each regime that an archived model keeps."""
_DIGITS: Final = 4
_CONFLICT: Final = "Another model became champion meanwhile: train again."


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateModel(TrainedModel):
    """A trained model before it is stored."""

    artifact: bytes


@dataclass(frozen=True, slots=True)
class PromotionRequest:
    """What a model needs to become champion."""

    predictions: prediction_store.PredictionBatch | None
    """For its training tracks; None if they are stored already. For a model that is not stored
    yet, the genres are indices of its classes."""
    expected_champion: int | None
    """The champion at the time of the decision."""


def store_model(
    database: Engine,
    candidate: CandidateModel,
    metrics: Sequence[MetricRow],
    confusions: Sequence[ConfusionCell],
    decision: PromotionDecision,
    request: PromotionRequest | None,
    epochs: Sequence[Epoch] = (),
    test: prediction_store.PredictionBatch | None = None,
) -> int:
    """Store a trained model with all that belongs to it, in one transaction; return its id.

    Broad genres that no track has, and genres of a snapshot, become genres without a target. A
    champion (`decision`, with a `request`) is stored with its predictions and retires the one
    before it; if another took its place meanwhile, the model is stored as rejected. A kill before
    the end leaves nothing; storing the same again, because the commit was not confirmed, changes
    nothing. `test`: predictions for test tracks; their genres are indices of its classes.
    """
    try:
        with _detect_concurrent_promotion(), bulk.exclusive_transaction(database) as connection:
            stored = _stored(connection, candidate)
            if stored is not None:
                return stored
            number, genres = _insert(connection, candidate, decision, request)
            metric_rows = [_metric_row(number, one, genres) for one in metrics]
            bulk.insert(connection, tables.model_metric, _METRIC, metric_rows)
            confusion_rows = [
                (number, one.regime, genres[one.genre], genres[one.predicted], one.tracks)
                for one in confusions
            ]
            bulk.insert(connection, tables.confusion, _CONFUSION, confusion_rows)
            columns, rows = ("model_id", *Epoch.__slots__), [(number, *astuple(e)) for e in epochs]
            bulk.insert(connection, tables.training_epoch, columns, rows)
            numbers = np.array(list(genres.values()), dtype=np.int64)
            for batch in (test, None if request is None else request.predictions):
                if batch is not None:
                    predictions = replace(batch, genres=numbers[batch.genres])
                    prediction_store.write(connection, number, predictions, candidate.created_at)
            return number
    except _ConcurrentPromotion as error:
        overtaken = PromotionDecision("rejected", str(error))
        return store_model(database, candidate, metrics, confusions, overtaken, None, epochs, test)


def _insert(
    connection: Connection,
    candidate: CandidateModel,
    decision: PromotionDecision,
    request: PromotionRequest | None,
) -> tuple[int, dict[str, int]]:
    """Insert the row of a model; return its id, and the ids of its genres."""
    values = {one.name: getattr(candidate, one.name) for one in fields(CandidateModel)}
    (number,) = bulk.next_ids(connection, tables.model, 1)
    genres = _genre_ids(connection, candidate)
    schema = {**candidate.feature_schema, "genre_ids": list(genres.values())}
    if request is not None:
        _demote(connection, candidate.task, request.expected_champion, number)
        values["promoted_at"] = candidate.created_at
    values |= {"id": number, "feature_schema": schema, **asdict(decision)}
    connection.execute(insert(tables.model).values(**values))
    return number, genres


def _genre_ids(connection: Connection, candidate: CandidateModel) -> dict[str, int]:
    """Return name to id of a model's genres, in their order; insert missing ones."""
    genre, classes = tables.genre, candidate.feature_schema["classes"]
    query = select(genre.c.name, genre.c.id).where(genre.c.name.in_(classes))
    ids = {row.name: row.id for row in connection.execute(query)}
    for name in [name for name in classes if name not in ids]:
        if (
            candidate.training_config.get("level") != "broad"
            and "snapshot" not in candidate.feature_schema
        ):
            raise ClassifierError(
                f"The genre {name!r} was removed while a model was trained on it: train again."
            )
        made = insert(genre).values(name=name, created_at=candidate.created_at)
        ids[name] = connection.execute(made.returning(genre.c.id)).scalar_one()
    return {name: ids[name] for name in classes}


def promote(
    database: Engine, number: int, task: str, reason: str, at: datetime, request: PromotionRequest
) -> None:
    """Make a model champion of its task, with its predictions, and retire the one before it.

    Raise `ClassifierError` if another model was promoted since the decision, or if the model or
    its artifact was deleted meanwhile.
    """
    model = tables.model
    promotion = (
        update(model)
        .where(model.c.id == number, model.c.artifact.is_not(None))
        .values(status="champion", reason=reason, promoted_at=at)
    )
    with _detect_concurrent_promotion(), bulk.exclusive_transaction(database) as connection:
        _demote(connection, task, request.expected_champion, number)
        if connection.execute(promotion).rowcount == 0:
            raise ClassifierError(f"Model {number} was deleted meanwhile.")
        if request.predictions is not None:
            prediction_store.write(connection, number, request.predictions, at)


def drop_artifact(database: Engine, number: int, *, keep_metrics: bool) -> int | None:
    """Drop artifact, predictions and confusions of a model; return the number of predictions.

    Its comparisons with other models are dropped, too.
    Without `keep_metrics` only metrics over all genres on test tracks are kept. Return None if the
    model became champion or was pinned meanwhile. The artifact goes first: from then on the model
    cannot be promoted, and `prediction_store.drop_left_over` deletes what a kill leaves.
    """
    model, metric, comparison = tables.model, tables.model_metric, tables.model_comparison.c
    spare = model.c.pinned.is_(False) & (model.c.status != "champion")
    dropped = update(model).where(model.c.id == number, spare)
    with transaction(database) as connection:
        done = connection.execute(
            dropped.values(artifact=None, artifact_sha256=None, golden_rows={})
        )
        if done.rowcount == 0:
            return None
        connection.execute(delete(tables.confusion).where(tables.confusion.c.model_id == number))
        compared = or_(comparison.model_id == number, comparison.other_id == number)
        connection.execute(delete(tables.model_comparison).where(compared))
        if not keep_metrics:
            rest = metric.c.genre_id.is_not(None) | (metric.c.side != "test")
            connection.execute(delete(metric).where(metric.c.model_id == number, rest))
    return prediction_store.drop_left_over(database, number)


def archive(database: Engine, number: int) -> bool:
    """Archive a model without artifact; return whether that was done.

    Its metrics, epochs and findings are deleted, and of its row what only training or inference
    needs: columns, classes and versions. A pinned or promoted model is left as it is.
    """
    model = tables.model
    spare = model.c.pinned.is_(False) & (model.c.status != "champion")
    given_up = (model.c.id == number) & model.c.artifact.is_(None) & spare
    query = select(model.c.feature_schema, model.c.metrics).where(given_up)
    with transaction(database) as connection:
        row = connection.execute(query.with_for_update()).first()
        if row is None:
            return False
        schema, metrics = row
        left = {"columns": [], "classes": [], "genres": len(schema["classes"])}
        if "snapshot" in schema:
            left["snapshot"] = schema["snapshot"]
        shortened = {"feature_schema": left, "metrics": _archived_metrics(metrics), "versions": {}}
        connection.execute(update(model).where(given_up).values(**shortened))
        bulk.compact_row(connection, model, number)
        for table in tables.MODEL_DETAIL_TABLES:
            connection.execute(delete(table).where(table.c.model_id == number))
    return True


def _archived_metrics(metrics: Mapping[str, Any]) -> dict[str, Any]:
    headline: dict[str, Any] = {}
    for regime in tables.REGIMES:
        values = {name: metrics.get(regime, {}).get(name) for name in _ARCHIVED_METRICS}
        for name, value in values.items():
            if isinstance(value, list):
                values[name] = [round(bound, _DIGITS) for bound in value]
            elif isinstance(value, float):
                values[name] = round(value, _DIGITS)
        headline[regime] = values
    return headline


def set_pinned(database: Engine, number: int, *, pinned: bool) -> None:
    """Store whether a model is kept by pruning."""
    with transaction(database) as connection:
        connection.execute(
            update(tables.model).where(tables.model.c.id == number).values(pinned=pinned)
        )


def replace_comparisons(
    database: Engine,
    task: str,
    model: int,
    documents: Mapping[int, Mapping[str, Any]],
    at: datetime,
) -> None:
    """Replace the comparisons of a task by these of a model, by the id of the other model.

    Comparisons with a model that was deleted meanwhile are left out.
    """
    comparison, stored = tables.model_comparison, tables.model
    of_task = select(stored.c.id).where(stored.c.task == task)
    with transaction(database) as connection:
        connection.execute(delete(comparison).where(comparison.c.model_id.in_(of_task)))
        there = set(connection.scalars(of_task))
        rows = [
            {"model_id": model, "other_id": other, "compared_at": at, "document": document}
            for other, document in documents.items()
            if {model, other} <= there
        ]
        if rows:
            connection.execute(insert(comparison), rows)


class _ConcurrentPromotion(ClassifierError):
    """Another model became champion meanwhile."""


@contextmanager
def _detect_concurrent_promotion() -> Iterator[None]:
    """Raise if two models became first champion at once: a unique index keeps one."""
    try:
        yield
    except IntegrityError as error:
        if "uq_model_champion" not in str(error) and "model.task" not in str(error):
            raise
        raise _ConcurrentPromotion(_CONFLICT) from error


def _demote(connection: Connection, task: str, expected: int | None, successor: int) -> None:
    model = tables.model
    champions = select(model.c.id).where(model.c.task == task, model.c.status == "champion")
    if connection.scalar(champions.with_for_update()) != expected:
        raise _ConcurrentPromotion(_CONFLICT)
    connection.execute(
        update(model)
        .where(model.c.id == expected)
        .values(status="retired", reason=f"Followed by model {successor}.")
    )


def _stored(connection: Connection, candidate: CandidateModel) -> int | None:
    model = tables.model
    return connection.scalar(
        select(model.c.id).where(
            model.c.task == candidate.task,
            model.c.created_at == candidate.created_at,
            model.c.artifact_sha256 == candidate.artifact_sha256,
            model.c.seconds == candidate.seconds,
        )
    )


def _metric_row(number: int, metric: MetricRow, genres: Mapping[str, int]) -> tuple[Any, ...]:
    side, regime, genre, *measured = astuple(metric)
    return (number, side, regime, None if genre is None else genres[genre], *measured)
