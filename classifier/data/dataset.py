"""Read the training data (view `training_tracks`) and other views into data frames."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Engine, Select, false, func, select

from classifier.arrays import Ids
from classifier.config_options import check_value
from classifier.data import (
    artist_sample,
    audio_joins,
    dataframes,
    genre_mapping,
    licence_queries,
    licence_restriction,
    published_split,
    regimes,
)
from classifier.data.dataframes import FrameSource, concatenated
from classifier.data.genre_mapping import Mappings
from classifier.data.raw_dataset import UNRESTRICTED, RawDataset
from classifier.data.regimes import HELD_OUT_SIDES
from classifier.errors import BadTrainingConfig
from classifier.training_config import EXCLUSIVE_LABELS, SPLITS, TrainingConfig
from genrebase import store
from genrebase.store import find, names, search, tables, views
from genrebase.store.engine import read_transaction

Database = Engine
"""An engine on a checked schema."""

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

_CHOICE_COLUMNS: Final = ("track_id", "label", "verdict", "artists", "title", "side", "split")
"""Columns by which the tracks of a training are chosen."""
_NO_SIGHTINGS: Final = pd.DataFrame(
    {
        "track_id": pd.array([], dtype="Int64"),
        "genre": pd.array([], dtype="string"),
        "best_rank": pd.array([], dtype="Int64"),
    }
)

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
    times `datetime64[us, UTC]`, bytes `object`, everything else `float64` (missing: NaN).
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
    check_value("view", name, views.ALL)
    view = views.ALL[name]
    selected = list(view.columns) if columns is None else list(columns)
    unknown = [column for column in selected if column not in view.table.c]
    if unknown:
        raise BadTrainingConfig(
            f"The view {name} has no column {unknown[0]!r}. Known: {', '.join(view.columns)}."
        )
    return select(*(view.table.c[column] for column in selected))


def load_dataset(
    database: Database, config: TrainingConfig = DEFAULT_CONFIG, *, also: Ids | None = None
) -> RawDataset:
    """Return everything a training needs, with the audio features that `config` uses.

    What its licence and level do not allow is left out (see `licence_restriction`). With
    `tracks_per_genre` only the tracks that it chooses are read (see `artist_sample`), and those of
    `also`.
    """
    with dataframes.many_rows(database) as source:
        mappings = _mappings(source)
        genres = source.frame(select(tables.genre.c.name, tables.genre.c.id))
        chosen = _chosen_tracks(source, config, mappings, also)
        data = licence_restriction.restrict(
            RawDataset(
                _training_rows(source, config, chosen),
                _credits(source, chosen),
                _sightings(source, chosen),
                dict(zip(genres["name"], genres["id"].tolist(), strict=True)),
                _origin(source),
                mappings,
            ),
            config,
        )
        tracks = audio_joins.with_other_providers(source, data.tracks, config)
        return replace(data, tracks=tracks)


def count_allowed(database: Database, config: TrainingConfig) -> int:
    """Return how many labelled tracks keep a label under the licence and level of `config`."""
    with dataframes.few_rows(database) as source:
        licences = licence_queries.allowed_licences(source, config)
        ids = licence_queries.labelled_ids(config, licences).subquery()
        return int(source.frame(select(func.count().label("n")).select_from(ids))["n"].iloc[0])


def _training_rows(
    source: FrameSource, config: TrainingConfig, chosen: Ids | None
) -> pd.DataFrame:
    table = views.training_tracks
    columns = [name for name in views.ALL["training_tracks"].columns if name not in _NOT_READ]
    query = select(*(table.c[name] for name in columns)).order_by("track_id")
    rows = _read_parts(source, query, table.c.track_id, chosen)
    return concatenated([audio_joins.join_audio(source, part, config) for part in rows])


def _chosen_tracks(
    source: FrameSource, config: TrainingConfig, mappings: Mappings, also: Ids | None
) -> Ids | None:
    """Return the tracks that `tracks_per_genre` chooses, sorted; None: all.

    They are chosen before labels are left out by licence or level, among the tracks that have a
    label under them, and once more afterwards, because labels change by that.
    """
    if config.tracks_per_genre is None:
        return None
    table = views.training_tracks.c
    columns = [table[name] for name in _CHOICE_COLUMNS]
    if config.labels == EXCLUSIVE_LABELS:
        columns.append(table.genres_sighted)
    query = select(*columns).order_by("track_id")
    if (config.licence, config.min_level) != UNRESTRICTED:
        licences = licence_queries.allowed_licences(source, config)
        query = query.where(table.track_id.in_(licence_queries.labelled_ids(config, licences)))
    genre_codes: dict[str, int] = {}
    ids: Ids | None = None
    keeps_all = False
    while ids is None:  # at most twice: if all keys are kept, the choice is certain
        keys = artist_sample.KeyCollector(config.tracks_per_genre, keeps_all=keeps_all)
        for rows in _read_parts(source, query, table.track_id, None):
            keys.add(_track_keys(rows, mappings, config, genre_codes))
        ids, keeps_all = keys.chosen_ids(), True
    return np.unique(ids if also is None else np.concatenate([ids, also]))


def _track_keys(
    rows: pd.DataFrame, mappings: Mappings, config: TrainingConfig, genre_codes: dict[str, int]
) -> artist_sample.TrackKeys:
    usable = genre_mapping.apply_label_policy(rows, _NO_SIGHTINGS, mappings, config).tracks
    if config.split != SPLITS[0]:
        usable = usable.assign(side=published_split.sides_of(usable))
    return artist_sample.TrackKeys.of(usable, genre_codes)


def _read_parts(
    source: FrameSource, query: Select[Any], key: ColumnElement[int], chosen: Ids | None
) -> Iterator[pd.DataFrame]:
    """Yield the rows of `query` (of all tracks, or the `chosen` ones), at least one frame.

    `query` is ordered by `key`, the track's id.
    """
    if chosen is not None and len(chosen):
        for ids in dataframes.parts(chosen):
            frame = source.frame(query.where(dataframes.has_key(key, ids)))
            yield frame[np.isin(regimes.ids_of(frame), ids)].reset_index(drop=True)
        return
    ranges = [] if chosen is not None else dataframes.key_ranges(source, tables.track.c.id)
    for first, last in ranges:
        yield source.frame(query.where(key.between(first, last)))
    if not ranges:
        yield source.frame(query.where(false()))


def _sightings(source: FrameSource, chosen: Ids | None) -> pd.DataFrame:
    table = views.track_genre_sources.c
    columns = (table.track_id, table.genre, table.source, table.rank.label("best_rank"))
    query = select(*columns, table.votes, table.level, table.licence, table.playlist)
    query = query.order_by(table.track_id, table.genre, table.source)
    frame = concatenated([*_read_parts(source, query, table.track_id, chosen)])
    return frame.astype({"source": "category", "licence": "category"})


def track_credits(database: Database, tracks: Ids | None = None) -> pd.DataFrame:
    """Return (track_id, artist_id, position, fold) of every credit (of `tracks`, sorted).

    Artists of one name are one artist here, as in the split: an artist has an id of each source.
    """
    with dataframes.many_rows(database) as source:
        return _credits(source, tracks)


def _credits(source: FrameSource, chosen: Ids | None) -> pd.DataFrame:
    query = credits_query()
    key = query.selected_columns.track_id
    return concatenated([*_read_parts(source, query, key, chosen)])


def credits_query() -> Select[Any]:
    """Return a SELECT of (track_id, artist_id, position, fold), in the order of tracks."""
    artist, namesake, credit = tables.artist, tables.artist.alias("namesake"), tables.track_artist
    first_id = (
        select(func.min(namesake.c.id))
        .where(namesake.c.name_key == artist.c.name_key)
        .correlate(artist)
        .scalar_subquery()
        .label("artist_id")
    )
    return (
        select(credit.c.track_id, first_id, credit.c.position, artist.c.fold)
        .select_from(credit.join(artist))
        .order_by(credit.c.track_id, credit.c.position)
    )


def find_track(database: Database, text: str) -> int | None:
    """Return the track that `text` names by the rules of `genrebase.store.find`."""
    with read_transaction(database) as connection:
        return find.find_track(connection, text)


def track_with_alias(database: Database, source: str, source_id: str) -> int | None:
    """Return the track that has this id at a source."""
    with read_transaction(database) as connection:
        return find.track_with_alias(connection, source, source_id)


def search_tracks(database: Database, text: str, *, limit: int) -> list[int]:
    """Return the tracks that `genrebase.store.search.search` finds."""
    with read_transaction(database) as connection:
        return search.search(connection, text, limit).track_ids


def tracks_of_artists(database: Database, artists: Sequence[str]) -> Ids:
    """Return all tracks credited to an artist of one of these names."""
    artist, credit = tables.artist, views.track_credits
    query = (
        select(credit.c.track_id)
        .join(artist, artist.c.id == credit.c.artist_id)
        .where(artist.c.name_key.in_([names.normalise(name) for name in artists]))
    )
    with read_transaction(database) as connection:
        return np.array(list(connection.scalars(query)), dtype=np.int64)


def tracks_sharing_artists(database: Database, track: int) -> Ids:
    """Return all other tracks with an artist of the same name as one that `track` credits."""
    artist, namesake = tables.artist, tables.artist.alias("namesake")
    credit, other = tables.track_artist, tables.track_artist.alias("other_credit")
    query = (
        select(other.c.track_id)
        .select_from(
            credit.join(artist)
            .join(namesake, namesake.c.name_key == artist.c.name_key)
            .join(other, other.c.artist_id == namesake.c.id)
        )
        .where(credit.c.track_id == track, other.c.track_id != track)
    )
    with read_transaction(database) as connection:
        return np.array(list(connection.scalars(query)), dtype=np.int64)


def held_out_for(database: Database, track_ids: Ids) -> str | None:
    """Return what tracks are held out for, `test` or `validation`; None if none of them is."""
    track = tables.track.c
    with read_transaction(database) as connection:
        sides = {
            str(side).partition("_")[0]
            for ids in np.array_split(track_ids, len(track_ids) // dataframes.LIST_SIZE + 1)
            for side in connection.scalars(
                select(track.side).where(track.id.in_(ids.tolist())).distinct()
            )
        }
    return next((one for one in HELD_OUT_SIDES if one in sides), None)


def describe_catalogue(database: Database) -> tuple[tuple[str, ...], bool]:
    """Return the names of all genres, and whether the tracks are synthetic."""
    genre = tables.genre.c
    with dataframes.few_rows(database) as source:
        genres = source.frame(select(genre.name).order_by(genre.name))["name"]
        return tuple(genres), _origin(source) is not None


def _origin(source: FrameSource) -> str | None:
    origin = tables.catalogue_origin.c
    rows = source.frame(select(origin.detail).where(origin.kind == "synthetic"))
    return str(rows["detail"].iloc[0]) if len(rows) else None


def _mappings(source: FrameSource) -> dict[str, dict[str, str]]:
    row = views.genre_mappings.c
    rows = source.frame(select(row.mapping, row.fine, row.broad))
    mappings: dict[str, dict[str, str]] = {}
    for mapping, fine, broad in rows.itertuples(index=False):
        mappings.setdefault(mapping, {})[fine] = broad
    return mappings
