"""What the classifier writes: models, metrics, confusions and predictions. Its only writes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from classifier.errors import ClassifierError
from classifier.records import ConfusionCell, Epoch, MetricRow, PromotionDecision
from genrebase.store import Engine, bulk, tables
from genrebase.store.engine import transaction

BATCH_SIZE: Final = 5_000
"""Tracks per transaction."""

_METRIC: Final = ("model_id", "side", "regime", "genre_id", "metric", "value", "low", "high", "n")
_CONFUSION: Final = ("model_id", "regime", "genre_id", "predicted_id", "tracks")
_PREDICTION: Final = (
    "model_id",
    "track_id",
    "rank",
    "genre_id",
    "probability",
    "regime",
    "in_training",
    "predicted_at",
)
_ANSWER_AGAIN: Final = ", ".join(
    f"{name} = excluded.{name}"
    for name in ("genre_id", "probability", "regime", "in_training", "predicted_at")
)
_IN_LINE: Final = (
    *("n", "accuracy", "interval", "macro_f1", "top3"),
    *("log_loss", "ece", "baseline"),
)
"""Figures that a line about a model has of each regime."""
_DIGITS: Final = 4
_OVERTAKEN: Final = "Another model became champion meanwhile: train again."
_STILL_THERE: Final = "SELECT track.id FROM {values} JOIN track ON track.id = listed.value"


@dataclass(frozen=True, slots=True)
class CandidateModel:
    """A trained model, before it is known what becomes of it."""

    created_at: datetime
    task: str
    estimator: str
    params: Mapping[str, Any]
    training_config: Mapping[str, Any]
    feature_schema: Mapping[str, Any]
    data_fingerprint: str
    origin: str | None
    trained_rows: int
    seconds: float
    artifact: bytes
    artifact_sha256: str
    metrics: Mapping[str, Any]
    versions: Mapping[str, Any]
    golden_rows: Mapping[str, Any]
    parent_id: int | None = None
    """Of a refit: the model whose recipe it is."""


@dataclass(frozen=True, slots=True)
class PredictionBatch:
    """Answers about some tracks: row i of each array is about `tracks[i]`."""

    tracks: NDArray[np.int64]
    genres: NDArray[np.int64]
    """(tracks, answers): numbers of the genres, the best first."""
    probabilities: NDArray[np.float64]
    """(tracks, answers)"""
    seen_artist: NDArray[np.bool_]
    """The model knows a credited artist from another track."""
    in_training: bool
    """The model learned from these tracks; they were answered out of fold."""


@dataclass(frozen=True, slots=True)
class PromotionRequest:
    """What a model brings that wants to be champion."""

    predictions: PredictionBatch | None
    """About the tracks it learned from; None where they are stored already. Of a model that is
    not stored yet, its genres are places among its classes."""
    expected_champion: int | None
    """The champion that was there when this was decided."""


def store_model(
    database: Engine,
    candidate: CandidateModel,
    metrics: Sequence[MetricRow],
    confusions: Sequence[ConfusionCell],
    decision: PromotionDecision,
    claim: PromotionRequest | None,
    epochs: Sequence[Epoch] = (),
) -> int:
    """Store a trained model with all that belongs to it, in one transaction; return its number.

    Broad genres that no track carries, and those of a snapshot, become genres without a target.
    A champion (`decision`, with its `claim`) comes with its answers and retires the one before
    it; where another took its place meanwhile, the model is stored as rejected. A kill before the
    end leaves nothing; storing the same again, because nobody heard that it was done, changes
    nothing.
    """
    try:
        return _store(database, candidate, metrics, confusions, decision, claim, epochs)
    except _Overtaken as error:
        overtaken = PromotionDecision("rejected", str(error))
        return _store(database, candidate, metrics, confusions, overtaken, None, epochs)


def _store(
    database: Engine,
    candidate: CandidateModel,
    metrics: Sequence[MetricRow],
    confusions: Sequence[ConfusionCell],
    decision: PromotionDecision,
    claim: PromotionRequest | None,
    epochs: Sequence[Epoch],
) -> int:
    values = {name: getattr(candidate, name) for name in CandidateModel.__slots__}
    with _decided_once(), transaction(database) as connection:
        stored = _stored(connection, candidate)
        if stored is not None:
            return stored
        (number,) = bulk.next_ids(connection, tables.model, 1)
        genres = _numbered(connection, candidate)
        schema = {**candidate.feature_schema, "genre_ids": list(genres.values())}
        if claim is not None:
            _retire(connection, candidate.task, claim.expected_champion, number)
            values["promoted_at"] = candidate.created_at
        connection.execute(
            insert(tables.model).values(
                **values | {"id": number, "feature_schema": schema},
                status=decision.status,
                reason=decision.reason,
            )
        )
        bulk.insert(
            connection, tables.model_metric, _METRIC, _metric_rows(number, metrics, genres)
        )
        confused = [
            (number, one.regime, genres[one.genre], genres[one.predicted], one.tracks)
            for one in confusions
        ]
        bulk.insert(connection, tables.confusion, _CONFUSION, confused)
        passed = [(number, *astuple(epoch)) for epoch in epochs]
        bulk.insert(connection, tables.training_epoch, ("model_id", *Epoch.__slots__), passed)
        if claim is not None and claim.predictions is not None:
            numbers = np.array(list(genres.values()), dtype=np.int64)
            answers = replace(claim.predictions, genres=numbers[claim.predictions.genres])
            _write(connection, number, answers, candidate.created_at)
    return number


def _numbered(connection: Connection, candidate: CandidateModel) -> dict[str, int]:
    """Return the numbers of a model's genres, in their order; make those that are not there."""
    genre, classes = tables.genre, candidate.feature_schema["classes"]
    known = select(genre.c.name, genre.c.id).where(genre.c.name.in_(classes))
    found = {row.name: row.id for row in connection.execute(known)}
    for name in [name for name in classes if name not in found]:
        if (
            candidate.training_config.get("level") != "broad"
            and "snapshot" not in candidate.feature_schema
        ):
            raise ClassifierError(
                f"The genre {name!r} was removed while a model learned it: train again."
            )
        made = insert(genre).values(name=name, created_at=candidate.created_at)
        found[name] = connection.execute(made.returning(genre.c.id)).scalar_one()
    return {name: found[name] for name in classes}


def promote(
    database: Engine, number: int, task: str, reason: str, at: datetime, claim: PromotionRequest
) -> None:
    """Make a model champion of its task, with its answers, and retire the one before it.

    Raise `ClassifierError` where another champion came up since this was decided, or where the
    model or its artifact is gone meanwhile.
    """
    model = tables.model
    crowned = (
        update(model)
        .where(model.c.id == number, model.c.artifact.is_not(None))
        .values(status="champion", reason=reason, promoted_at=at)
    )
    with _decided_once(), transaction(database) as connection:
        _retire(connection, task, claim.expected_champion, number)
        if connection.execute(crowned).rowcount == 0:
            raise ClassifierError(f"Model {number} is no longer there to answer.")
        if claim.predictions is not None:
            _write(connection, number, claim.predictions, at)


def drop_artifact(database: Engine, number: int, *, keep_metrics: bool) -> int | None:
    """Drop artifact, answers, golden rows and confusions of a model; return how many answers.

    Without `figures` only those over all genres on test tracks stay. None where the model became
    champion or was pinned meanwhile.
    """
    model, answer, metric = tables.model, tables.prediction, tables.model_metric
    spare = model.c.pinned.is_(False) & (model.c.status != "champion")
    emptied = update(model).where(model.c.id == number, spare)
    with transaction(database) as connection:
        done = connection.execute(
            emptied.values(artifact=None, artifact_sha256=None, golden_rows={})
        )
        if done.rowcount == 0:
            return None
        gone = connection.execute(delete(answer).where(answer.c.model_id == number)).rowcount
        connection.execute(delete(tables.confusion).where(tables.confusion.c.model_id == number))
        if not keep_metrics:
            rest = metric.c.genre_id.is_not(None) | (metric.c.side != "test")
            connection.execute(delete(metric).where(metric.c.model_id == number, rest))
    return gone


def archive(database: Engine, number: int) -> bool:
    """Leave a line of a model that was given up; return whether that was done.

    Its figures, epochs and findings go, and of its row what only a training or an answer asks:
    columns, classes and versions. Not where it was pinned or crowned meanwhile.
    """
    model = tables.model
    spare = model.c.pinned.is_(False) & (model.c.status != "champion")
    given_up = (model.c.id == number) & model.c.artifact.is_(None) & spare
    known = select(model.c.feature_schema, model.c.metrics).where(given_up)
    with transaction(database) as connection:
        row = connection.execute(known.with_for_update()).first()
        if row is None:
            return False
        schema, metrics = row
        left = {"columns": [], "classes": [], "genres": len(schema["classes"])}
        if "snapshot" in schema:
            left["snapshot"] = schema["snapshot"]
        shortened = {"feature_schema": left, "metrics": _line(metrics), "versions": {}}
        connection.execute(update(model).where(given_up).values(**shortened))
        bulk.compact_row(connection, model, number)
        for table in tables.MODEL_DETAIL_TABLES:
            connection.execute(delete(table).where(table.c.model_id == number))
    return True


def _line(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the headline figures of both regimes, to four digits."""
    found: dict[str, Any] = {}
    for regime in tables.REGIMES:
        told = {name: metrics.get(regime, {}).get(name) for name in _IN_LINE}
        for name, value in told.items():
            if isinstance(value, list):
                told[name] = [round(bound, _DIGITS) for bound in value]
            elif isinstance(value, float):
                told[name] = round(value, _DIGITS)
        found[regime] = told
    return found


def set_pinned(database: Engine, number: int, *, pinned: bool) -> None:
    """Write down whether a model is kept whatever comes."""
    with transaction(database) as connection:
        connection.execute(
            update(tables.model).where(tables.model.c.id == number).values(pinned=pinned)
        )


class _Overtaken(ClassifierError):
    """Another model became champion meanwhile."""


@contextmanager
def _decided_once() -> Iterator[None]:
    """Two that became first champion at the same moment: the database keeps one."""
    try:
        yield
    except IntegrityError as error:
        if "uq_model_champion" not in str(error) and "model.task" not in str(error):
            raise
        raise _Overtaken(_OVERTAKEN) from error


def _retire(connection: Connection, task: str, expected: int | None, successor: int) -> None:
    model = tables.model
    champions = select(model.c.id).where(model.c.task == task, model.c.status == "champion")
    if connection.scalar(champions.with_for_update()) != expected:
        raise _Overtaken(_OVERTAKEN)
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


def write_predictions(
    database: Engine, model: int, predictions: PredictionBatch, at: datetime
) -> Iterator[tuple[int, int]]:
    """Store answers, 5,000 tracks per transaction; yield (tracks, rows) of each batch.

    Storing the same answers again changes nothing but their time. Tracks and genres that were
    deleted meanwhile are left out, and so is a model that may answer no longer.
    """
    for part in _parts(predictions):
        with transaction(database) as connection:
            done = _write_part(connection, model, predictions, part, at)
        yield done


def _write(connection: Connection, model: int, predictions: PredictionBatch, at: datetime) -> None:
    for part in _parts(predictions):
        _write_part(connection, model, predictions, part, at)


def _parts(predictions: PredictionBatch) -> list[slice]:
    return [
        slice(start, start + BATCH_SIZE) for start in range(0, len(predictions.tracks), BATCH_SIZE)
    ]


def _write_part(
    connection: Connection, model: int, predictions: PredictionBatch, part: slice, at: datetime
) -> tuple[int, int]:
    rows = _storable(connection, model, _rows(model, predictions, part), at)
    bulk.upsert(connection, tables.prediction, _PREDICTION, rows, update=_ANSWER_AGAIN)
    return len({row[1] for row in rows}), len(rows)


def _rows(model: int, predictions: PredictionBatch, part: slice) -> list[tuple[Any, ...]]:
    """Return (model, track, rank, genre, probability, regime, in_training) of each answer."""
    regimes = np.where(predictions.seen_artist[part], "seen_artist", "new_artist").tolist()
    columns = zip(
        predictions.tracks[part].tolist(),
        predictions.genres[part].tolist(),
        predictions.probabilities[part].tolist(),
        regimes,
        strict=True,
    )
    return [
        (model, track, rank, genre, share, regime, predictions.in_training)
        for track, genres, shares, regime in columns
        for rank, (genre, share) in enumerate(zip(genres, shares, strict=True), start=1)
    ]


def _storable(
    connection: Connection, model: int, rows: list[tuple[Any, ...]], at: datetime
) -> list[tuple[Any, ...]]:
    answering = select(tables.model.c.id).where(
        tables.model.c.id == model, tables.model.c.artifact.is_not(None)
    )
    if connection.scalar(answering.with_for_update(read=True, key_share=True)) is None:
        return []
    moment = tables.as_driver_datetime(at, connection.dialect.name)
    tracks = sorted({row[1] for row in rows})
    there = {
        found[0] for found in bulk.select_in(connection, _STILL_THERE, tracks, sql_type="bigint")
    }
    genres = set(connection.scalars(select(tables.genre.c.id)))
    return [(*row, moment) for row in rows if row[1] in there and row[3] in genres]


def _metric_rows(
    number: int, metrics: Sequence[MetricRow], genres: Mapping[str, int]
) -> list[tuple[Any, ...]]:
    return [
        (
            number,
            row.side,
            row.regime,
            None if row.genre is None else genres[row.genre],
            row.metric,
            row.value,
            row.low,
            row.high,
            row.n,
        )
        for row in metrics
    ]
