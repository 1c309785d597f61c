"""Find and read the tracks that a model has to predict, by ranges of track ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Select, and_, exists, or_, select

from classifier.arrays import Ids, Mask
from classifier.data import audio_joins, dataframes, dataset, licence_restriction, regimes
from classifier.data.dataframes import FrameSource
from classifier.data.dataset import INPUT_COLUMNS, Database
from classifier.data.raw_dataset import UNRESTRICTED
from classifier.model_records import StoredModel
from classifier.training_config import TrainingConfig
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction


def tracks_to_predict(
    database: Database,
    model: StoredModel,
    between: tuple[int, int] | None = None,
    *,
    pooled: bool = False,
) -> Ids:
    """Return the tracks without a prediction of `model`, or changed since.

    `between` are the first and the last id to look at. A training track keeps its out-of-fold
    prediction. Unless `pooled`, a prediction that was pooled with siblings is made again. Each
    range is read in a transaction of its own.
    """
    query = _to_predict(model, pooled=pooled).order_by("track_id")
    key = views.scoring_tracks.c.track_id
    with dataframes.few_rows(database) as source:
        ranges = dataframes.key_ranges(source, tables.track.c.id, between)
    found = [np.array([], dtype=np.int64)]
    for first, last in ranges:
        with read_transaction(database) as connection:
            ids = connection.scalars(query.where(key.between(first, last)))
            found.append(np.fromiter(ids, dtype=np.int64))
    return np.concatenate(found)


def has_tracks_to_predict(database: Database, model: StoredModel, *, pooled: bool = False) -> bool:
    """Return whether there are `tracks_to_predict`; the latest tracks are looked at first."""
    query, key = _to_predict(model, pooled=pooled).limit(1), views.scoring_tracks.c.track_id
    with dataframes.few_rows(database) as source:
        ranges = dataframes.key_ranges(source, tables.track.c.id)
    for first, last in reversed(ranges):
        with read_transaction(database) as connection:
            if connection.execute(query.where(key.between(first, last))).first() is not None:
                return True
    return False


def scoring_rows(
    database: Database, tracks: Ids, config: TrainingConfig = dataset.DEFAULT_CONFIG
) -> pd.DataFrame:
    """Return the feature columns of `tracks`, with the audio features that `config` uses.

    `tracks` are one of `dataframes.parts`. Features whose licence `config` does not allow are
    missing. Tracks that were deleted are missing, too.
    """
    with dataframes.state_reader(database, len(tracks)) as open_state, open_state() as source:
        return _rows(source, tracks, config)


def rows_with_seen_artists(
    source: FrameSource, tracks: Ids, config: TrainingConfig, trained_artists: Ids
) -> tuple[pd.DataFrame, Mask]:
    """Return `scoring_rows` of tracks that are not training tracks, and whether an artist is seen.

    `trained_artists` are the `artists_of` the training tracks.
    """
    frame, query = _rows(source, tracks, config), dataset.credits_query()
    has_key = dataframes.has_key(query.selected_columns.track_id, tracks)
    credit = source.frame(query.where(has_key))
    seen = np.isin(regimes.ids_of(credit, "artist_id"), trained_artists)
    return frame, np.isin(regimes.ids_of(frame), regimes.ids_of(credit)[seen])


def artists_of(database: Database, tracks: Ids) -> Ids:
    """Return the artists credited on `tracks` (sorted), each once; artists of one name are one."""
    query = dataset.credits_query()
    found = [np.array([], dtype=np.int64)]
    with dataframes.state_reader(database, len(tracks)) as open_state:
        for ids in dataframes.parts(tracks):
            has_key = dataframes.has_key(query.selected_columns.track_id, ids)
            with open_state() as source:
                rows = source.frame(query.where(has_key))
            credited = np.isin(regimes.ids_of(rows), ids)
            found.append(np.unique(regimes.ids_of(rows, "artist_id")[credited]))
    return np.unique(np.concatenate(found))


def _rows(source: FrameSource, tracks: Ids, config: TrainingConfig) -> pd.DataFrame:
    table = views.scoring_tracks.c
    columns = [table[name] for name in INPUT_COLUMNS]
    if config.licence != UNRESTRICTED[0]:
        columns.append(table.features_licence)
    query = select(*columns).where(dataframes.has_key(table.track_id, tracks))
    frame = source.frame(query.order_by("track_id"))
    frame = frame[np.isin(regimes.ids_of(frame), tracks)]
    frame = audio_joins.join_audio(source, frame, config)
    frame, _ = licence_restriction.without_disallowed_features(frame, config)
    return audio_joins.with_other_providers(source, frame, config)


@dataclass(frozen=True, slots=True)
class StoredPrediction:
    """The stored prediction for one track; the fields of `TrackPrediction`."""

    top: tuple[tuple[str, float], ...]
    regime: str
    in_training: bool
    siblings: int = 0
    predicted_at: datetime | None = None


def stored_predictions(
    database: Database, model: StoredModel, tracks: Sequence[int], *, pooled: bool = False
) -> dict[int, StoredPrediction]:
    """Return the stored predictions for at most a thousand tracks that did not change since.

    Unless `pooled`, one that was pooled with siblings does not count.
    """
    row, genre = tables.prediction.c, tables.genre
    query = (
        select(
            row.track_id,
            genre.c.name,
            row.probability,
            row.regime,
            row.in_training,
            row.siblings,
            row.predicted_at,
        )
        .join(genre, genre.c.id == row.genre_id)
        .where(row.model_id == model.id, row.track_id.in_(tracks))
        .order_by(row.track_id, row.rank)
    )
    outdated = _to_predict(model, pooled=pooled).where(views.scoring_tracks.c.track_id.in_(tracks))
    with read_transaction(database) as connection:
        rows = connection.execute(query).all()
        left_out = set(connection.scalars(outdated)) if rows else set()
    predictions: dict[int, StoredPrediction] = {}
    for track, ranked in groupby(rows, key=lambda one: int(one.track_id)):
        of_track = list(ranked)
        if track not in left_out:
            top = tuple((one.name, one.probability) for one in of_track)
            first = of_track[0]
            predictions[track] = StoredPrediction(
                top, first.regime, first.in_training, first.siblings or 0, first.predicted_at
            )
    return predictions


def _to_predict(model: StoredModel, *, pooled: bool) -> Select[Any]:
    track, prediction = views.scoring_tracks.table, tables.prediction
    of_track = and_(
        prediction.c.track_id == track.c.track_id,
        prediction.c.model_id == model.id,
        prediction.c.rank == 1,
    )
    predicted_at, config = prediction.c.predicted_at, TrainingConfig.from_model(model)
    changes = [predicted_at < track.c.changed_at]
    changes += audio_joins.audio_changed_since(config, track.c.track_id, predicted_at)
    lower = prediction.alias("lower_rank")  # a former champion has none
    changes.append(
        ~exists().where(
            lower.c.rank > 1,
            lower.c.model_id == prediction.c.model_id,
            lower.c.track_id == prediction.c.track_id,
        )
    )
    if not pooled:
        changes.append(prediction.c.siblings.is_not(None))
    outdated = and_(or_(*changes), prediction.c.in_training.is_(False))
    return (
        select(track.c.track_id)
        .select_from(track.outerjoin(prediction, of_track))
        .where(or_(prediction.c.track_id.is_(None), outdated))
    )
