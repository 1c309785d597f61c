"""Join audio analysis features (harmony, timbre, descriptors, spectrograms) to tracks."""

import math
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
    case,
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
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction

MIN_COVERAGE: Final = 0.1
"""The share of labelled tracks that must have a feature group for it to be used by default.

With less, a model is trained on many missing values and few others, and every training pays.
"""

SPECTROGRAM_ESTIMATORS: Final = ("cnn",)
"""Estimators that use spectrograms by default, where there are any; others cannot."""


def _acousticbrainz_columns() -> list[ColumnElement[Any]]:
    """Return the group's columns; the key is a position on the circle of fifths."""
    view = views.acousticbrainz_features.c
    angles = {key: key * audio.KEY_ANGLE for key in range(12)}
    values = [
        *(view[name] for name in tables.SUBMISSION_NUMBERS),
        case({key: math.sin(angle) for key, angle in angles.items()}, value=view.key),
        case({key: math.cos(angle) for key, angle in angles.items()}, value=view.key),
        view.mode,
    ]
    names = audio.COLUMNS[audio.ACOUSTICBRAINZ]
    return [value.label(name) for name, value in zip(names, values, strict=True)]


_SUMMARIES: Final[Mapping[str, tuple[Table, Sequence[ColumnElement[Any]]]]] = {
    "harmony": (views.harmony, [views.harmony.c[name] for name in audio.HARMONY]),
    "timbre": (views.timbres, [views.timbres.c[name] for name in audio.TIMBRE]),
    audio.ACOUSTICBRAINZ: (views.acousticbrainz_features, _acousticbrainz_columns()),
}


def resolve_features(database: Engine, config: TrainingConfig) -> TrainingConfig:
    """Return the config with the feature groups and descriptor set that the data decide.

    With `auto_features` each group of `AUDIO_ANALYSIS_GROUPS` is added that a tenth of the
    labelled tracks has. Unless a descriptor set is named, it is the one that most labelled tracks
    have (of several the first by name). Raise `BadTrainingConfig` for an unknown set.
    """
    uses_descriptors = audio.DESCRIPTORS in config.features
    if not config.auto_features and (not uses_descriptors or config.descriptors is not None):
        return config
    with read_transaction(database) as connection:
        sets = _descriptor_sets(connection)
        chosen = _preferred_set(config, sets)
        groups = config.features
        if config.auto_features:
            if config.descriptors is not None:
                descriptor_columns(connection, config.descriptors)  # refuse an unknown set
            groups += tuple(_default_groups(connection, config, sets.get(chosen or "", 0)))
            if config.estimator in SPECTROGRAM_ESTIMATORS and spectrograms.exist(connection):
                groups += (MATRICES,)
    uses_descriptors = audio.DESCRIPTORS in groups
    return replace(
        config,
        features=groups,
        descriptors=chosen if uses_descriptors else None,
        auto_features=False,
    )


def unused_groups_warning(database: Engine, config: TrainingConfig) -> str | None:
    """Return a warning that names the audio analyses which `resolve_features` leaves out.

    These are groups that fewer than a tenth of the labelled tracks have, and descriptor sets
    besides the chosen one. None where nothing is left out, or the groups were chosen by name.
    """
    if not config.auto_features:
        return None
    resolved = resolve_features(database, config)
    with read_transaction(database) as connection:
        sets = _descriptor_sets(connection)
        labelled, coverage = _coverage(connection, 0)
    unused = [
        f"descriptors {name!r} ({tracks:,})"
        for name, tracks in sorted(sets.items())
        if name != resolved.descriptors
    ]
    unused += [
        f"{group} ({tracks:,})"
        for group, tracks in coverage.items()
        if tracks and group not in resolved.features
    ]
    if not unused:
        return None
    return (
        f"Not used: {', '.join(unused)} of {labelled:,} labelled tracks. By default a group is "
        "used if a tenth of them has it, and of descriptors the set that most of them have. "
        "--features and --descriptors choose others."
    )


def join_audio(
    connection: Connection, tracks: pd.DataFrame, config: TrainingConfig
) -> pd.DataFrame:
    """Return `tracks` (sorted by `track_id`) with the audio analysis columns that `config` uses.

    Missing values are NaN. Without any group of `AUDIO_ANALYSIS_GROUPS` nothing is read.
    """
    if len(tracks) == 0:
        return tracks
    ids = tracks["track_id"]
    bounds = (int(ids.min()), int(ids.max()))
    frames = [tracks]
    for group, (view, columns) in _SUMMARIES.items():
        if group in config.features:
            query = select(view.c.track_id, *columns)
            rows = dataframes.read_frame(connection, query.where(view.c.track_id.between(*bounds)))
            frames.append(_align(ids, rows.set_index("track_id")))
    if audio.DESCRIPTORS in config.features and config.descriptors is not None:
        frames.append(_align(ids, _read_descriptors(connection, config.descriptors, bounds)))
    if MATRICES in config.features:
        frames.append(spectrograms.load(connection, ids))
    return pd.concat(frames, axis=1) if len(frames) > 1 else tracks


def audio_changed_since(
    config: TrainingConfig, track: ColumnElement[int], moment: ColumnElement[Any]
) -> list[ColumnElement[bool]]:
    """Return SQL conditions: an audio analysis that `config` uses was stored after `moment`.

    Empty if it uses none.
    """
    views_read: list[Any] = [
        view for group, (view, _) in _SUMMARIES.items() if group in config.features
    ]
    matrices_read = MATRICES in config.features  # they are stored with timbres or with descriptors
    if audio.DESCRIPTORS in config.features or matrices_read:
        views_read.append(views.track_descriptors)
    if matrices_read and "timbre" not in config.features:
        views_read.append(views.timbres)
    return [
        exists().where(view.c.track_id == track, view.c.fetched_at > moment) for view in views_read
    ]


def _align(ids: "pd.Series[Any]", rows: pd.DataFrame) -> pd.DataFrame:
    return rows.reindex(ids).set_axis(ids.index)


def _read_descriptors(
    connection: Connection, schema: str, bounds: tuple[int, int]
) -> pd.DataFrame:
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
    """Return the names of a descriptor set's values; raise `BadTrainingConfig` without it."""
    view = views.descriptor_schemas.c
    sets = {row.schema: row.columns for row in connection.execute(select(*view))}
    if schema not in sets:
        names = ", ".join(sorted(sets)) or "none"
        raise BadTrainingConfig(
            f"There is no descriptor set {schema!r} here. Known: {names}. "
            "`collector import-audio FOLDER` computes one."
        )
    return list(sets[schema])


def _descriptor_sets(connection: Connection) -> dict[str, int]:
    view = views.track_descriptors.c
    if connection.execute(select(view.track_id).limit(1)).first() is None:
        return {}
    query = (
        select(view.schema, func.count(distinct(view.track_id)))
        .where(view.track_id.in_(_labelled_ids()))
        .group_by(view.schema)
    )
    return {schema: int(tracks) for schema, tracks in connection.execute(query)}


def _preferred_set(config: TrainingConfig, sets: Mapping[str, int]) -> str | None:
    if config.descriptors is not None:
        return config.descriptors
    return min(sets, key=lambda name: (-sets[name], name)) if sets else None


def _default_groups(
    connection: Connection, config: TrainingConfig, with_descriptors: int
) -> list[str]:
    labelled, coverage = _coverage(connection, with_descriptors)
    return [
        group
        for group in AUDIO_ANALYSIS_GROUPS
        if group not in config.features
        and coverage.get(group, 0) >= max(1, MIN_COVERAGE * labelled)
    ]


def _coverage(connection: Connection, with_descriptors: int) -> tuple[int, dict[str, int]]:
    """Return the number of labelled tracks, and of those that each group exists for."""
    labelled = connection.scalar(select(func.count()).select_from(views.training_tracks)) or 0
    coverage = {audio.DESCRIPTORS: with_descriptors}
    for group, (view, _columns) in _SUMMARIES.items():
        if connection.execute(select(view.c.track_id).limit(1)).first() is not None:
            query = select(func.count()).where(view.c.track_id.in_(_labelled_ids()))
            coverage[group] = connection.scalar(query) or 0
    return labelled, coverage


def _labelled_ids() -> Select[Any]:
    return select(views.training_tracks.c.track_id)
