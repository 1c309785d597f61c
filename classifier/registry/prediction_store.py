"""The stored predictions of models: write them, and delete those that are not kept.

That is done in ranges of tracks, each in a transaction of its own, so that nobody waits long.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, delete, func, select

from classifier.arrays import Floats, Ids, Mask
from genrebase.store import Engine, bulk, name_locks, tables
from genrebase.store.engine import read_transaction

BATCH_SIZE: Final = 5_000
"""Tracks per transaction."""

_DELETED_ROWS: Final = 50_000
"""Rows of the range that is deleted at once."""
_PREDICTION: Final = (
    "model_id",
    "track_id",
    "rank",
    "genre_id",
    "probability",
    "regime",
    "in_training",
    "siblings",
    "predicted_at",
)
_UPDATE_PREDICTION: Final = ", ".join(f"{name} = excluded.{name}" for name in _PREDICTION[3:])
"""Model, track and rank are the key."""


@dataclass(frozen=True, slots=True)
class PredictionBatch:
    """Predictions for some tracks: row i of each array is for `tracks[i]`."""

    tracks: Ids
    genres: Ids
    """(tracks, top genres): ids of the genres, the best first."""
    probabilities: Floats
    """(tracks, top genres)"""
    seen_artist: Mask
    """A credited artist has another training track."""
    in_training: bool
    """They are training tracks of the model, predicted out of fold."""
    siblings: NDArray[np.int64] | None = None
    """How many siblings each was pooled with; None: no track was."""


def write_predictions(
    database: Engine, model: int, predictions: PredictionBatch, at: datetime
) -> Iterator[tuple[int, int]]:
    """Store predictions, 5,000 tracks per transaction; yield (tracks, rows) of each batch.

    Storing the same predictions again changes their time only. Tracks and genres that were deleted
    meanwhile are left out; nothing is stored for a model without artifact, and only the first rank
    for one that was retired.
    """
    for part in _parts(predictions):
        # no identity is created: workers of a cluster, and imports, may write at the same time
        yield name_locks.run_beside_others(
            database, partial(_write_part, model=model, predictions=predictions, part=part, at=at)
        )


def write(connection: Connection, model: int, predictions: PredictionBatch, at: datetime) -> None:
    """Store predictions in the open transaction."""
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
    bulk.upsert(connection, tables.prediction, _PREDICTION, rows, update=_UPDATE_PREDICTION)
    return len({row[1] for row in rows}), len(rows)


def _rows(model: int, predictions: PredictionBatch, part: slice) -> list[tuple[Any, ...]]:
    """Return the values of `_PREDICTION` of each prediction, without the time."""
    regimes = np.where(predictions.seen_artist[part], "seen_artist", "new_artist").tolist()
    tracks = predictions.tracks[part].tolist()
    pooled = [0] * len(tracks)
    if predictions.siblings is not None:
        pooled = predictions.siblings[part].tolist()
    columns = zip(
        tracks,
        predictions.genres[part].tolist(),
        predictions.probabilities[part].tolist(),
        regimes,
        pooled,
        strict=True,
    )
    return [
        (model, track, rank, genre, share, regime, predictions.in_training, siblings or None)
        for track, genres, shares, regime, siblings in columns
        for rank, (genre, share) in enumerate(zip(genres, shares, strict=True), start=1)
    ]


def _storable(
    connection: Connection, model: int, rows: list[tuple[Any, ...]], at: datetime
) -> list[tuple[Any, ...]]:
    reduced = _is_reduced().label("reduced")
    with_artifact = select(reduced).where(
        tables.model.c.id == model, tables.model.c.artifact.is_not(None)
    )
    stored = connection.execute(with_artifact.with_for_update(read=True, key_share=True)).first()
    if stored is None:
        return []
    if stored.reduced:
        rows = [row for row in rows if row[2] == 1]
    moment = tables.as_driver_datetime(at, connection.dialect.name)
    tracks = sorted({row[1] for row in rows})
    there = bulk.existing_tracks(connection, tracks)
    genres = set(connection.scalars(select(tables.genre.c.id)))
    return [(*row, moment) for row in rows if row[1] in there and row[3] in genres]


def drop_lower_ranks(database: Engine, model: int) -> int:
    """Delete the predictions of a retired model except the first of each track; return how many.

    Nothing is deleted of a pinned model, nor once it became champion again.
    """
    return _delete(database, model, _is_reduced(), tables.prediction.c.rank > 1)


def drop_left_over(database: Engine, model: int) -> int:
    """Delete the predictions of a model without artifact; return how many."""
    prediction = tables.prediction.c
    return _delete(database, model, tables.model.c.artifact.is_(None), prediction.rank > 0)


def has_all_ranks(database: Engine, model: int) -> bool:
    """Return whether no prediction of a model was deleted by `drop_lower_ranks`.

    That begins with the first track, so the first track shows it.
    """
    row = tables.prediction.c
    first = select(func.min(row.track_id)).where(row.model_id == model).scalar_subquery()
    query = select(func.max(row.rank)).where(row.model_id == model, row.track_id == first)
    with read_transaction(database) as connection:
        return (connection.scalar(query) or 0) > 1


def _is_reduced() -> ColumnElement[bool]:
    model = tables.model.c
    return and_(model.status == "retired", model.pinned.is_(False))


def _delete(
    database: Engine, model: int, condition: ColumnElement[bool], rows: ColumnElement[bool]
) -> int:
    """Delete `rows` of a model range by range, as long as the model meets `condition`."""
    row, after, deleted = tables.prediction.c, 0, 0
    allowed = select(tables.model.c.id).where(tables.model.c.id == model, condition)
    if not _any_rows(database, model, rows):
        return 0
    while True:
        of_rest = and_(row.model_id == model, row.track_id > after)
        ids = select(row.track_id).where(of_rest).order_by(row.track_id)
        with bulk.exclusive_transaction(database) as connection:
            if connection.scalar(allowed.with_for_update(read=True)) is None:
                return deleted
            last = connection.scalar(ids.offset(_DELETED_ROWS).limit(1))
            in_range = of_rest if last is None else and_(of_rest, row.track_id <= last)
            done = connection.execute(delete(tables.prediction).where(in_range, rows))
            deleted += done.rowcount
        if last is None:
            return deleted
        after = last


def _any_rows(database: Engine, model: int, rows: ColumnElement[bool]) -> bool:
    row = tables.prediction.c
    query = select(row.model_id).where(row.model_id == model, rows).limit(1)
    with read_transaction(database) as connection:
        return connection.scalar(query) is not None
