"""Read tracks, labels, models and predictions from the database, as data frames and records."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, Select, and_, func, or_, select

from classifier.data import audio_joins, dataframes, restriction
from classifier.data.raw_dataset import RawDataset
from classifier.data.regimes import HELD_OUT_SIDES
from classifier.errors import BadTrainingConfig
from classifier.records import StoredModel
from classifier.training_config import TrainingConfig
from genrebase import store
from genrebase.store import find, names, tables, views
from genrebase.store.engine import read_transaction

Database = Engine
"""An engine on a checked schema."""

SCORING_CHUNK_SIZE: Final = 10_000
"""Tracks read, predicted and stored at once: an interrupted scoring loses no more."""

INPUT_COLUMNS: Final = (
    "track_id",
    "title",
    "artists",
    "album",
    "provider",
    *tables.FEATURES,
    "release_year",
    "duration_ms",
    "popularity",
    "explicit",
)
"""The key and the columns that a model may use as features."""

_NOT_READ: Final = ("label_source", "label_licence", "changed_at")
"""Columns of the view `training_tracks` that no training uses."""

DEFAULT_CONFIG: Final = TrainingConfig()
"""Uses the default feature groups only."""


def read_view(
    view: str,
    source: Engine | str | None = None,
    *,
    columns: Sequence[str] | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """Return a view as a frame with the dtypes its columns have in the database.

    `source` is an engine (`genrebase.store.connect`), a database's address, or None for
    `STORE_URL`. Whole numbers are `Int64`, booleans `boolean`, text `string` (missing: `pd.NA`),
    times `datetime64[us, UTC]`, everything else `float64` (missing: NaN).
    Raise `BadTrainingConfig` for a view or column that does not exist.
    """
    query = _select_view(view, columns).limit(limit)
    engine = source if isinstance(source, Engine) else store.connect(source)
    with read_transaction(engine) as connection:
        return dataframes.read_frame(connection, query)


def read_view_chunks(
    view: str, database: Database, *, columns: Sequence[str] | None = None
) -> Iterator[pd.DataFrame]:
    """Yield a view as `read_view` returns it, 50,000 rows at a time, in one transaction."""
    query = _select_view(view, columns)
    with read_transaction(database) as connection:
        connection.execution_options(stream_results=True, max_row_buffer=dataframes.CHUNK)
        yield from dataframes.read_chunks(connection, query)


def _select_view(name: str, columns: Sequence[str] | None) -> Select[Any]:
    view = views.ALL.get(name)
    if view is None:
        raise BadTrainingConfig(f"There is no view {name!r}. Known: {', '.join(views.ALL)}.")
    selected = list(view.columns) if columns is None else list(columns)
    unknown = [column for column in selected if column not in view.table.c]
    if unknown:
        raise BadTrainingConfig(
            f"The view {name} has no column {unknown[0]!r}. Known: {', '.join(view.columns)}."
        )
    return select(*(view.table.c[column] for column in selected))


def load_dataset(database: Database, config: TrainingConfig = DEFAULT_CONFIG) -> RawDataset:
    """Return everything a training needs, with the audio features that `config` uses.

    What its licence and level do not allow is left out (see `restriction`).
    """
    table = views.training_tracks
    columns = [name for name in views.ALL["training_tracks"].columns if name not in _NOT_READ]
    with read_transaction(database) as connection:
        genres = connection.execute(select(tables.genre.c.name, tables.genre.c.id)).all()
        query = select(*(table.c[name] for name in columns)).order_by("track_id")
        data = restriction.restrict(
            RawDataset(
                audio_joins.join_audio(
                    connection, dataframes.read_frame(connection, query), config
                ),
                credits_of(connection),
                _sightings(connection),
                {row.name: row.id for row in genres},
                _origin(connection),
                _mappings(connection),
            ),
            config,
        )
        tracks = audio_joins.with_other_providers(connection, data.tracks, config)
        return replace(data, tracks=tracks)


def _sightings(connection: Connection) -> pd.DataFrame:
    table = views.track_genre_sources.c
    columns = (table.track_id, table.genre, table.source, table.rank.label("best_rank"))
    query = select(*columns, table.votes, table.level, table.licence)
    query = query.order_by(table.track_id, table.genre, table.source)
    frame = dataframes.read_frame(connection, query)
    return frame.astype({"source": "category", "licence": "category"})


def track_credits(database: Database) -> pd.DataFrame:
    """Return (track_id, artist_id, position, fold) of every credit."""
    with read_transaction(database) as connection:
        return credits_of(connection)


def credits_of(connection: Connection) -> pd.DataFrame:
    """Return (track_id, artist_id, position, fold) of every credit, over an open connection.

    Artists of one name are one artist here, as in the split: an artist has an id of each source.
    """
    artist, credit = tables.artist.c, views.track_credits.c
    first_id = func.min(artist.id).over(partition_by=artist.name_key).label("artist_id")
    by_name = select(artist.id, first_id).subquery()
    return dataframes.read_frame(
        connection,
        select(credit.track_id, by_name.c.artist_id, credit.position, credit.fold)
        .join(by_name, by_name.c.id == credit.artist_id)
        .order_by(credit.track_id, credit.position),
    )


def tracks_to_predict(
    database: Database, model: StoredModel, between: tuple[int, int] | None = None
) -> NDArray[np.int64]:
    """Return the tracks without a prediction of `model`, or changed since.

    `between` are the first and the last id to look at. A training track keeps its out-of-fold
    prediction.
    """
    query = _to_predict(model).order_by("track_id")
    if between is not None:
        query = query.where(views.scoring_tracks.c.track_id.between(*between))
    with read_transaction(database) as connection:
        rows = dataframes.read_frame(connection, query)
    return rows["track_id"].to_numpy(dtype=np.int64)


def scoring_chunks(
    database: Database, tracks: NDArray[np.int64], config: TrainingConfig
) -> Iterator[pd.DataFrame]:
    """Yield the rows of `tracks` (sorted), each chunk in a transaction of its own."""
    for start in range(0, len(tracks), SCORING_CHUNK_SIZE):
        yield scoring_rows(database, tracks[start : start + SCORING_CHUNK_SIZE], config)


def scoring_rows(
    database: Database, tracks: NDArray[np.int64], config: TrainingConfig = DEFAULT_CONFIG
) -> pd.DataFrame:
    """Return the feature columns of `tracks`, with the audio features that `config` uses.

    Features whose licence `config` does not allow are missing. Tracks that were deleted are
    missing, too.
    """
    table = views.scoring_tracks
    between = table.c.track_id.between(int(tracks.min()), int(tracks.max()))
    names = (*INPUT_COLUMNS, "features_licence")
    query = select(*(table.c[name] for name in names)).where(between).order_by("track_id")
    with read_transaction(database) as connection:
        frame = audio_joins.join_audio(
            connection, dataframes.read_frame(connection, query), config
        )
        frame, _ = restriction.without_disallowed_features(frame, config)
        frame = audio_joins.with_other_providers(connection, frame, config)
    return frame[np.isin(frame["track_id"].to_numpy(dtype=np.int64), tracks)]


def find_track(database: Database, text: str) -> int | None:
    """Return the track that `text` names by the rules of `genrebase.store.find`."""
    with read_transaction(database) as connection:
        return find.find_track(connection, text)


def track_with_alias(database: Database, source: str, source_id: str) -> int | None:
    """Return the track that has this id at a source."""
    with read_transaction(database) as connection:
        return find.track_with_alias(connection, source, source_id)


def search_tracks(database: Database, text: str, *, limit: int) -> list[int]:
    """Return the tracks whose title and artists contain all words of `text`, popular ones first.

    Words are compared as names are: without regard to case and width (`names.normalise`).
    """
    track = tables.track
    key = track.c.name_key
    words = names.normalise(text).split()
    query = (
        select(track.c.id)
        .where(*(key.contains(word, autoescape=True) for word in words))
        .order_by(track.c.popularity.desc().nulls_last(), track.c.id)
        .limit(limit)
    )
    with read_transaction(database) as connection:
        return list(connection.scalars(query)) if words else []


def tracks_of_artists(database: Database, artists: Sequence[str]) -> NDArray[np.int64]:
    """Return all tracks credited to an artist of one of these names."""
    artist, credit = tables.artist, views.track_credits
    query = (
        select(credit.c.track_id)
        .join(artist, artist.c.id == credit.c.artist_id)
        .where(artist.c.name_key.in_([names.normalise(name) for name in artists]))
    )
    with read_transaction(database) as connection:
        return np.array(list(connection.scalars(query)), dtype=np.int64)


def held_out_for(database: Database, track_ids: NDArray[np.int64]) -> str | None:
    """Return what tracks are held out for, `test` or `validation`; None if none of them is."""
    track = tables.track.c
    with read_transaction(database) as connection:
        sides = {
            str(side).partition("_")[0]
            for ids in np.array_split(track_ids, len(track_ids) // SCORING_CHUNK_SIZE + 1)
            for side in connection.scalars(
                select(track.side).where(track.id.in_(ids.tolist())).distinct()
            )
        }
    return next((one for one in HELD_OUT_SIDES if one in sides), None)


@dataclass(frozen=True, slots=True)
class StoredPrediction:
    """The stored prediction for one track; the fields of `TrackPrediction`."""

    top: tuple[tuple[str, float], ...]
    regime: str
    in_training: bool


def stored_prediction(
    database: Database, model: StoredModel, track: int
) -> StoredPrediction | None:
    """Return the stored prediction for a track; None if there is none or the track changed."""
    row, genre = tables.prediction.c, tables.genre
    query = (
        select(genre.c.name, row.probability, row.regime, row.in_training)
        .join(genre, genre.c.id == row.genre_id)
        .where(row.model_id == model.id, row.track_id == track)
        .order_by(row.rank)
    )
    stale = _to_predict(model).where(views.scoring_tracks.c.track_id == track)
    with read_transaction(database) as connection:
        rows = connection.execute(query).all()
        if not rows or connection.execute(stale).first() is not None:
            return None
    top = tuple((row.name, row.probability) for row in rows)
    return StoredPrediction(top, rows[0].regime, rows[0].in_training)


def _to_predict(model: StoredModel) -> Select[Any]:
    track, prediction = views.scoring_tracks, tables.prediction
    of_track = and_(
        prediction.c.track_id == track.c.track_id,
        prediction.c.model_id == model.id,
        prediction.c.rank == 1,
    )
    predicted_at, config = prediction.c.predicted_at, TrainingConfig.from_model(model)
    changes = [predicted_at < track.c.changed_at]
    changes += audio_joins.audio_changed_since(config, track.c.track_id, predicted_at)
    outdated = and_(or_(*changes), prediction.c.in_training.is_(False))
    return (
        select(track.c.track_id)
        .select_from(track.outerjoin(prediction, of_track))
        .where(or_(prediction.c.track_id.is_(None), outdated))
    )


def describe_catalogue(database: Database) -> tuple[tuple[str, ...], bool]:
    """Return the names of all genres, and whether the tracks are synthetic."""
    genre = tables.genre.c
    with read_transaction(database) as connection:
        genres = tuple(connection.scalars(select(genre.name).order_by(genre.name)))
        return genres, _origin(connection) is not None


def _origin(connection: Connection) -> str | None:
    origin = tables.catalogue_origin
    row = connection.execute(select(origin.c.kind, origin.c.detail)).first()
    return row.detail if row is not None and row.kind == "synthetic" else None


def _mappings(connection: Connection) -> dict[str, dict[str, str]]:
    row = views.genre_mappings.c
    mappings: dict[str, dict[str, str]] = {}
    for mapping, fine, broad in connection.execute(select(row.mapping, row.fine, row.broad)):
        mappings.setdefault(mapping, {})[fine] = broad
    return mappings
