"""What the classifier writes: models, metrics, confusions and predictions. Its only writes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from classifier.dataset import Database
from classifier.errors import ClassifierError
from classifier.records import Confused, MetricRow
from genrebase.store import bulk, tables
from genrebase.store.engine import transaction

BATCH: Final = 5_000
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
_STILL_THERE: Final = "SELECT track.id FROM {values} JOIN track ON track.id = listed.value"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trained model, before it is known what becomes of it."""

    created_at: datetime
    task: str
    estimator: str
    params: Mapping[str, Any]
    choice: Mapping[str, Any]
    feature_schema: Mapping[str, Any]
    data_fingerprint: str
    origin: str | None
    trained_rows: int
    seconds: float
    artifact: bytes
    artifact_sha256: str
    metrics: Mapping[str, Any]
    versions: Mapping[str, Any]
    probes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Predictions:
    """Answers about some tracks: row i of each array is about `tracks[i]`."""

    tracks: NDArray[np.int64]
    genres: NDArray[np.int64]
    """(tracks, answers): numbers of the genres, the best first."""
    probabilities: NDArray[np.float64]
    """(tracks, answers)"""
    seen: NDArray[np.bool_]
    """The model knows a credited artist from another track."""
    in_training: bool
    """The model learned from these tracks; they were answered out of fold."""


def store_candidate(
    database: Database,
    candidate: Candidate,
    metrics: Sequence[MetricRow],
    confusions: Sequence[Confused],
    genres: Mapping[str, int],
    decided: tuple[str, str],
) -> int:
    """Store a model with all its figures in one transaction; return its number.

    `decided` is its status, `candidate` or `rejected`, and the reason.
    """
    values = {name: getattr(candidate, name) for name in Candidate.__slots__}
    status, reason = decided
    with transaction(database) as connection:
        made = connection.execute(
            insert(tables.model).values(**values, status=status, reason=reason)
        )
        number = int(made.inserted_primary_key[0])  # type: ignore[index]  # one row has one key
        bulk.insert(
            connection, tables.model_metric, _METRIC, _metric_rows(number, metrics, genres)
        )
        confused = [
            (number, one.regime, genres[one.genre], genres[one.predicted], one.tracks)
            for one in confusions
        ]
        bulk.insert(connection, tables.confusion, _CONFUSION, confused)
    return number


def discard_leftovers(database: Database, before: datetime) -> int:
    """Delete candidates from before a moment: their training died before it came to an end."""
    model = tables.model
    with transaction(database) as connection:
        return connection.execute(
            delete(model).where(model.c.status == "candidate", model.c.created_at < before)
        ).rowcount


def crown(
    database: Database, number: int, task: str, reason: str, *, expected: int | None
) -> None:
    """Make a model champion of its task and retire the one before it.

    `expected` is the champion that was there when this was decided; raise `ClassifierError` where
    another one took its place meanwhile.
    """
    model = tables.model
    champions = select(model.c.id).where(model.c.task == task, model.c.status == "champion")
    retired = {"status": "retired", "reason": f"Followed by model {number}."}
    try:
        with transaction(database) as connection:
            if connection.scalar(champions.with_for_update()) != expected:
                raise _overtaken(number)
            connection.execute(
                update(model)
                .where(model.c.task == task, model.c.status == "champion", model.c.id != number)
                .values(**retired)
            )
            crowned = connection.execute(
                update(model).where(model.c.id == number).values(status="champion", reason=reason)
            )
            if crowned.rowcount == 0:
                raise ClassifierError(f"Model {number} is no longer in the database.")
    except IntegrityError as error:
        raise _overtaken(number) from error


def reject(database: Database, number: int, reason: str) -> None:
    """Give a candidate up."""
    model = tables.model
    with transaction(database) as connection:
        connection.execute(
            update(model).where(model.c.id == number).values(status="rejected", reason=reason)
        )


def write_predictions(
    database: Database, model: int, predictions: Predictions, at: datetime
) -> Iterator[tuple[int, int]]:
    """Store answers, 5,000 tracks per transaction; yield (tracks, rows) of each batch.

    Storing the same answers again changes nothing but their time. Tracks and genres that were
    deleted meanwhile are left out.
    """
    for start in range(0, len(predictions.tracks), BATCH):
        batch = _rows(model, predictions, slice(start, start + BATCH))
        with transaction(database) as connection:
            rows = _storable(connection, batch, at)
            bulk.upsert(connection, tables.prediction, _PREDICTION, rows, update=_ANSWER_AGAIN)
        yield len({row[1] for row in rows}), len(rows)


def _rows(model: int, predictions: Predictions, part: slice) -> list[tuple[Any, ...]]:
    """Return (model, track, rank, genre, probability, regime, in_training) of each answer."""
    regimes = np.where(predictions.seen[part], "seen_artist", "new_artist").tolist()
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
    connection: Connection, rows: list[tuple[Any, ...]], at: datetime
) -> list[tuple[Any, ...]]:
    moment = tables.as_driver_moment(at, connection.dialect.name)
    tracks = sorted({row[1] for row in rows})
    there = {found[0] for found in bulk.fetch_by(connection, _STILL_THERE, tracks, kind="bigint")}
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


def _overtaken(number: int) -> ClassifierError:
    return ClassifierError(
        f"Another model became champion while model {number} was being trained: train again."
    )
