"""How tracks sound beyond the twelve features: harmony, timbre, descriptors, where asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    distinct,
    exists,
    func,
    select,
)

from classifier.data import dataframes, spectrograms
from classifier.errors import BadTrainingConfig
from classifier.features import audio
from classifier.features.groups import AUDIO_ANALYSIS_GROUPS, MATRICES
from classifier.training_config import TrainingConfig
from genrebase.audio import packed_vectors
from genrebase.store import views
from genrebase.store.engine import read_transaction

MIN_COVERAGE: Final = 0.1
"""The share of the labelled tracks of which a group must be known to be looked at untold.

Below, a model would learn from many gaps and few values, and each training would pay for them.
"""

SPECTROGRAM_ESTIMATORS: Final = ("cnn",)
"""Estimators that look at matrices untold, where there are any: to others they say nothing."""

_SUMMARIES: Final[Mapping[str, tuple[Table, Sequence[str]]]] = {
    "harmony": (views.harmony, audio.HARMONY),
    "timbre": (views.timbres, audio.TIMBRE),
}


def resolve_features(database: Engine, choice: TrainingConfig) -> TrainingConfig:
    """Return the choice with everything decided that it leaves to what the database holds.

    With `widen` it looks also at each group of `AUDIO_ANALYSIS_GROUPS` that is known of a tenth of the labelled
    tracks. Descriptors are those of one set, the one that most labelled tracks have (the first
    by name where there are several) unless it names one; raise `BadTrainingConfig` for one nobody has.
    """
    asked = audio.DESCRIPTORS in choice.features
    if not choice.auto_features and (not asked or choice.descriptors is not None):
        return choice
    with read_transaction(database) as connection:
        sets = _sets(connection)
        chosen = _set_of(choice, sets)
        groups = choice.features
        if choice.auto_features:
            groups += tuple(_widening(connection, choice, sets.get(chosen or "", 0)))
            if choice.estimator in SPECTROGRAM_ESTIMATORS and spectrograms.exist(connection):
                groups += (MATRICES,)
    uses = audio.DESCRIPTORS in groups
    return replace(
        choice, features=groups, descriptors=chosen if uses else None, auto_features=False
    )


def join_audio(
    connection: Connection, tracks: pd.DataFrame, choice: TrainingConfig
) -> pd.DataFrame:
    """Return `tracks` (sorted, with `track_id`) with a column for each that `choice` looks at.

    What nobody heard is missing. Where the choice looks at none of `AUDIO_ANALYSIS_GROUPS`, nothing is read.
    """
    if len(tracks) == 0:
        return tracks
    ids = tracks["track_id"]
    bounds = (int(ids.min()), int(ids.max()))
    found = [tracks]
    for group, (view, columns) in _SUMMARIES.items():
        if group in choice.features:
            query = select(view.c.track_id, *(view.c[name] for name in columns))
            rows = dataframes.read_frame(connection, query.where(view.c.track_id.between(*bounds)))
            found.append(_beside(ids, rows.set_index("track_id")))
    if audio.DESCRIPTORS in choice.features and choice.descriptors is not None:
        found.append(_beside(ids, _described(connection, choice.descriptors, bounds)))
    if MATRICES in choice.features:
        found.append(spectrograms.load(connection, ids))
    return pd.concat(found, axis=1) if len(found) > 1 else tracks


def audio_changed_since(
    choice: TrainingConfig, track: ColumnElement[int], moment: ColumnElement[Any]
) -> list[ColumnElement[bool]]:
    """Return the conditions that something `choice` looks at was heard of a track after `moment`.

    None where it looks at nothing that has to be heard.
    """
    views_read: list[Any] = [
        view for group, (view, _) in _SUMMARIES.items() if group in choice.features
    ]
    matrices_read = MATRICES in choice.features  # they come with timbres or with descriptors
    if audio.DESCRIPTORS in choice.features or matrices_read:
        views_read.append(views.track_descriptors)
    if matrices_read and "timbre" not in choice.features:
        views_read.append(views.timbres)
    return [
        exists().where(view.c.track_id == track, view.c.fetched_at > moment) for view in views_read
    ]


def _beside(ids: "pd.Series[Any]", rows: pd.DataFrame) -> pd.DataFrame:
    return rows.reindex(ids).set_axis(ids.index)


def _described(connection: Connection, schema: str, bounds: tuple[int, int]) -> pd.DataFrame:
    """Return the values of one set by track; of several providers the first by name."""
    names = descriptor_columns(connection, schema)
    view = views.track_descriptors.c
    query = (
        select(view.track_id, view.data)
        .where(view.schema == schema, view.track_id.between(*bounds))
        .order_by(view.track_id, view.provider)
    )
    packed = {row.track_id: row.data for row in reversed(connection.execute(query).all())}
    values = packed_vectors.unpack_rows(list(packed.values()), len(names))
    values[~np.isfinite(values)] = np.nan
    columns = [audio.descriptor_column(schema, name) for name in names]
    return pd.DataFrame(values, index=pd.Index(list(packed), dtype="int64"), columns=columns)


def descriptor_columns(connection: Connection, schema: str) -> list[str]:
    """Return the names of the values of a set; raise `BadTrainingConfig` where nobody knows it."""
    view = views.descriptor_schemas.c
    found = {row.schema: row.columns for row in connection.execute(select(*view))}
    if schema not in found:
        known = ", ".join(sorted(found)) or "none"
        raise BadTrainingConfig(
            f"There is no set of descriptors {schema!r} here. Known: {known}. "
            "`collector import-audio FOLDER` makes some."
        )
    return list(found[schema])


def _sets(connection: Connection) -> dict[str, int]:
    """Return how many labelled tracks each set of descriptors is known of."""
    view = views.track_descriptors.c
    if connection.execute(select(view.track_id).limit(1)).first() is None:
        return {}
    query = (
        select(view.schema, func.count(distinct(view.track_id)))
        .where(view.track_id.in_(_labelled()))
        .group_by(view.schema)
    )
    return {schema: int(tracks) for schema, tracks in connection.execute(query)}


def _set_of(choice: TrainingConfig, sets: Mapping[str, int]) -> str | None:
    if choice.descriptors is not None:
        return choice.descriptors
    return min(sets, key=lambda name: (-sets[name], name)) if sets else None


def _widening(connection: Connection, choice: TrainingConfig, described: int) -> list[str]:
    labelled = connection.scalar(select(func.count()).select_from(views.training_tracks)) or 0
    known = {audio.DESCRIPTORS: described}
    for group, (view, _columns) in _SUMMARIES.items():
        if connection.execute(select(view.c.track_id).limit(1)).first() is not None:
            query = select(func.count()).where(view.c.track_id.in_(_labelled()))
            known[group] = connection.scalar(query) or 0
    return [
        group
        for group in AUDIO_ANALYSIS_GROUPS
        if group not in choice.features and known.get(group, 0) >= max(1, MIN_COVERAGE * labelled)
    ]


def _labelled() -> Select[Any]:
    return select(views.training_tracks.c.track_id)
