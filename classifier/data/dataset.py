"""What is in the database, as frames and records: the classifier's only SELECTs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, Select, and_, or_, select

from classifier.data import audio_joins, dataframes
from classifier.errors import BadTrainingConfig
from classifier.records import StoredModel
from classifier.training_config import TrainingConfig
from genrebase import store
from genrebase.store import names, tables, views
from genrebase.store.engine import read_transaction

Database = Engine
"""What every use case is handed: an engine on a checked schema."""

SCORING_CHUNK_SIZE: Final = 10_000
"""Tracks read, answered for and stored before the next ones: what a stop of a scoring loses."""

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
"""What a model may look at, besides the key."""

DEFAULT_CONFIG: Final = TrainingConfig()
"""Looks at nothing that has to be asked for."""

_DIGITS: Final = 19
"""A number of fewer digits fits into 64 bits."""
_SPOTIFY: Final = re.compile(
    r"(?:https?://open\.spotify\.com/(?:intl-[a-z]+/)?track/|spotify:track:)([0-9A-Za-z]{22})"
)


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
    moments `datetime64[us, UTC]`, everything else `float64` (missing: NaN).
    Raise `BadTrainingConfig` for a view or column that does not exist.
    """
    query = _chosen(view, columns).limit(limit)
    engine = source if isinstance(source, Engine) else store.connect(source)
    with read_transaction(engine) as connection:
        return dataframes.read_frame(connection, query)


def read_view_chunks(
    view: str, database: Database, *, columns: Sequence[str] | None = None
) -> Iterator[pd.DataFrame]:
    """Yield a view as `read_view` returns it, at most 50,000 rows at a time, all of one moment."""
    query = _chosen(view, columns)
    with read_transaction(database) as connection:
        connection.execution_options(stream_results=True, max_row_buffer=dataframes.CHUNK)
        yield from dataframes.read_chunks(connection, query)


def _chosen(view: str, columns: Sequence[str] | None) -> Select[Any]:
    known = views.ALL.get(view)
    if known is None:
        raise BadTrainingConfig(f"There is no view {view!r}. Known: {', '.join(views.ALL)}.")
    wanted = list(known.columns) if columns is None else list(columns)
    unknown = [name for name in wanted if name not in known.table.c]
    if unknown:
        raise BadTrainingConfig(
            f"The view {view} has no column {unknown[0]!r}. Known: {', '.join(known.columns)}."
        )
    return select(*(known.table.c[name] for name in wanted))


@dataclass(frozen=True, slots=True)
class RawDataset:
    """What there is to learn from, at one moment."""

    tracks: pd.DataFrame
    """`training_tracks`, by track."""
    credits: pd.DataFrame
    """`track_credits` of all tracks."""
    sightings: pd.DataFrame
    """(track_id, genre, best_rank): every genre a track was seen under."""
    genre_ids: Mapping[str, int]
    """Name to number."""
    origin: str | None
    """What the catalogue is, where it is invented."""
    mappings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Name of a mapping to (fine genre to broad genre)."""


def load_dataset(database: Database, config: TrainingConfig = DEFAULT_CONFIG) -> RawDataset:
    """Return everything a training needs, read in one transaction.

    What was heard of tracks (harmony and so on) is there where `choice` looks at it.
    """
    table = views.training_tracks
    wanted = [name for name in views.ALL["training_tracks"].columns if name != "changed_at"]
    with read_transaction(database) as connection:
        genre = tables.genre
        named = connection.execute(select(genre.c.name, genre.c.id)).all()
        query = select(*(table.c[name] for name in wanted)).order_by("track_id")
        return RawDataset(
            audio_joins.join_audio(connection, dataframes.read_frame(connection, query), config),
            credits_of(connection),
            _sighted(connection),
            {row.name: row.id for row in named},
            _origin(connection),
            _mappings(connection),
        )


def _sighted(connection: Connection) -> pd.DataFrame:
    table = views.track_genres.c
    query = select(table.track_id, table.genre, table.best_rank)
    return dataframes.read_frame(connection, query.order_by(table.track_id, table.genre))


def track_credits(database: Database) -> pd.DataFrame:
    """Return (track_id, artist_id, position, fold) of every credit."""
    with read_transaction(database) as connection:
        return credits_of(connection)


def credits_of(connection: Connection) -> pd.DataFrame:
    """Return (track_id, artist_id, position, fold) of every credit, over an open connection."""
    table = views.track_credits.c
    return dataframes.read_frame(
        connection, select(table.track_id, table.artist_id, table.position, table.fold)
    )


def tracks_to_predict(database: Database, model: StoredModel) -> NDArray[np.int64]:
    """Return the tracks that `model` has not answered for, or not since they changed.

    A track it learned from keeps its out-of-fold answer.
    """
    with read_transaction(database) as connection:
        found = dataframes.read_frame(connection, _pending(model).order_by("track_id"))
    return found["track_id"].to_numpy(dtype=np.int64)


def scoring_chunks(
    database: Database, tracks: NDArray[np.int64], config: TrainingConfig
) -> Iterator[pd.DataFrame]:
    """Yield the scoring rows of `tracks` (sorted), a chunk at a time, each read on its own."""
    for start in range(0, len(tracks), SCORING_CHUNK_SIZE):
        wanted = tracks[start : start + SCORING_CHUNK_SIZE]
        yield scoring_rows(database, wanted, config)


def scoring_rows(
    database: Database, tracks: NDArray[np.int64], config: TrainingConfig = DEFAULT_CONFIG
) -> pd.DataFrame:
    """Return what a model may look at of `tracks`; those no longer there are missing.

    What was heard of them is there where `choice` looks at it.
    """
    table = views.scoring_tracks
    between = table.c.track_id.between(int(tracks.min()), int(tracks.max()))
    query = select(*(table.c[name] for name in INPUT_COLUMNS)).where(between).order_by("track_id")
    with read_transaction(database) as connection:
        frame = audio_joins.join_audio(
            connection, dataframes.read_frame(connection, query), config
        )
    return frame[np.isin(frame["track_id"].to_numpy(dtype=np.int64), tracks)]


def find_track(database: Database, text: str) -> int | None:
    """Return the track of a source's id, a Spotify address or URI, or a `track.id`."""
    match = _SPOTIFY.match(text.strip())
    wanted = match[1] if match else text.strip()
    alias, track = tables.track_alias, tables.track
    by_source = (
        select(alias.c.track_id)
        .where(alias.c.source_id == wanted)
        .order_by(alias.c.source != "spotify", alias.c.source)
        .limit(1)
    )
    with read_transaction(database) as connection:
        found = connection.scalar(by_source)
        if found is None and wanted.isdecimal() and len(wanted) < _DIGITS:
            found = connection.scalar(select(track.c.id).where(track.c.id == int(wanted)))
    return None if found is None else int(found)


def search_tracks(database: Database, text: str, *, limit: int) -> list[int]:
    """Return the tracks whose title and artists hold every word of `text`, the best known first.

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


@dataclass(frozen=True, slots=True)
class StoredPrediction:
    """What `prediction` holds for one track."""

    top: tuple[tuple[str, float], ...]
    regime: str
    in_training: bool


def stored_prediction(
    database: Database, model: StoredModel, track: int
) -> StoredPrediction | None:
    """Return the answer stored for a track; None without one, or where the track changed since."""
    answer, genre = tables.prediction, tables.genre
    query = (
        select(genre.c.name, answer.c.probability, answer.c.regime, answer.c.in_training)
        .join(genre, genre.c.id == answer.c.genre_id)
        .where(answer.c.model_id == model.id, answer.c.track_id == track)
        .order_by(answer.c.rank)
    )
    stale = _pending(model).where(views.scoring_tracks.c.track_id == track)
    with read_transaction(database) as connection:
        rows = connection.execute(query).all()
        if not rows or connection.execute(stale).first() is not None:
            return None
    top = tuple((row.name, row.probability) for row in rows)
    return StoredPrediction(top, rows[0].regime, rows[0].in_training)


def _pending(model: StoredModel) -> Select[Any]:
    track, answer = views.scoring_tracks, tables.prediction
    answered = and_(
        answer.c.track_id == track.c.track_id, answer.c.model_id == model.id, answer.c.rank == 1
    )
    later = [answer.c.predicted_at < track.c.changed_at]
    later += audio_joins.audio_changed_since(
        TrainingConfig.from_model(model), track.c.track_id, answer.c.predicted_at
    )
    changed = and_(or_(*later), answer.c.in_training.is_(False))
    return (
        select(track.c.track_id)
        .select_from(track.outerjoin(answer, answered))
        .where(or_(answer.c.track_id.is_(None), changed))
    )


def _origin(connection: Connection) -> str | None:
    origin = tables.catalogue_origin
    row = connection.execute(select(origin.c.kind, origin.c.detail)).first()
    return row.detail if row is not None and row.kind == "synthetic" else None


def _mappings(connection: Connection) -> dict[str, dict[str, str]]:
    row = views.genre_mappings.c
    found: dict[str, dict[str, str]] = {}
    for mapping, fine, broad in connection.execute(select(row.mapping, row.fine, row.broad)):
        found.setdefault(mapping, {})[fine] = broad
    return found
