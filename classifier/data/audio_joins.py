"""Join audio analysis features (harmony, timbre, descriptors, spectrograms) to tracks."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    Text,
    case,
    cast,
    distinct,
    exists,
    func,
    select,
)

from classifier.arrays import Ids
from classifier.config_options import join_list, parse_list
from classifier.data import licence_queries, spectrograms
from classifier.data.dataframes import FrameSource, concatenated, has_key, parts, source_of
from classifier.data.licence_restriction import FEATURES_LICENCE, SOURCE_COLUMNS, allowed_mask
from classifier.errors import BadTrainingConfig
from classifier.features import audio, sequences
from classifier.features.groups import AUDIO_ANALYSIS_GROUPS, MATRICES
from classifier.training_config import TrainingConfig
from genrebase.audio import packed_vectors
from genrebase.counts import counted
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction
from genrebase.store.settings import StoreSettings

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


_SUMMARIES: Final[Mapping[str, tuple[views.View, Sequence[ColumnElement[Any]]]]] = {
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
        labelled = _LabelledTracks.of(connection, config)
        sets = labelled.descriptor_sets(connection)
        chosen = _preferred_set(config, sets)
        groups = config.features
        if config.auto_features:
            if config.descriptors is not None:
                for name in config.descriptor_sets:
                    descriptor_columns(source_of(connection), name)  # refuse an unknown set
            names = parse_list(chosen or "")
            coverage = labelled.coverage(
                connection, max((sets.get(n, 0) for n in names), default=0)
            )
            groups += tuple(_default_groups(config, *coverage))
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
        tracks = _LabelledTracks.of(connection, config)
        sets = tracks.descriptor_sets(connection)
        labelled, coverage = tracks.coverage(connection, 0)
    unused = [
        f"descriptors {name!r} ({count:,})"
        for name, count in sorted(sets.items())
        if name not in resolved.descriptor_sets
    ]
    unused += [
        f"{group} ({count:,})"
        for group, count in coverage.items()
        if count and group not in resolved.features
    ]
    if not unused:
        return None
    return (
        f"Not used: {', '.join(unused)} of {counted(labelled, 'labelled track')}. By default a "
        "group is used if a tenth of them has it, and of descriptors the set that most of them "
        "have. --features and --descriptors choose others."
    )


def join_audio(source: FrameSource, tracks: pd.DataFrame, config: TrainingConfig) -> pd.DataFrame:
    """Return `tracks` with the audio analysis columns that `config` uses.

    Their ids are one of `dataframes.parts`.

    Each group comes with the columns of its provider and licence
    (`licence_restriction.SOURCE_COLUMNS`).
    Missing values are NaN. Without any group of `AUDIO_ANALYSIS_GROUPS` nothing is read.
    """
    if len(tracks) == 0:
        return tracks
    ids = tracks["track_id"]
    keys = ids.to_numpy(dtype=np.int64)
    frames = [tracks]
    for group, (view, columns) in _SUMMARIES.items():
        if group in config.features:
            query = select(
                view.c.track_id,
                *columns,
                view.c.provider.label(f"{group}_provider"),
                view.c.licence.label(f"{group}_licence"),
            )
            rows = source.frame(query.where(has_key(view.c.track_id, keys)))
            frames.append(_align(ids, rows.set_index("track_id")))
    if audio.DESCRIPTORS in config.features and config.descriptors is not None:
        frames.append(_align(ids, _read_sets(source, config, keys)))
    if MATRICES in config.features:
        frames.append(spectrograms.load(source, ids))
    return pd.concat(frames, axis=1) if len(frames) > 1 else tracks


def with_other_providers(
    source: FrameSource, tracks: pd.DataFrame, config: TrainingConfig
) -> pd.DataFrame:
    """Return `tracks` with features of providers whose licence `config` allows.

    A track whose own features were left out, or that has none, gets those of the first provider
    that has allowed ones. Harmony and timbre stay those of the preferred provider.
    """
    licences = licence_queries.allowed_licences(source, config)
    if not licences or len(tracks) == 0:
        return tracks
    sizes = [len(part) for part in parts(tracks["track_id"].to_numpy(np.int64))]
    filled = [
        _with_allowed_features(source, tracks.iloc[start:stop], config, licences)
        for start, stop in pairwise(np.cumsum([0, *sizes]))
    ]
    return concatenated(filled).set_axis(tracks.index)


def _with_allowed_features(
    source: FrameSource, tracks: pd.DataFrame, config: TrainingConfig, licences: list[str]
) -> pd.DataFrame:
    ids = tracks["track_id"]
    keys = ids.to_numpy(dtype=np.int64)
    view = views.track_features.c
    columns = (view[name] for name in ("track_id", "provider", *audio.AUDIO, "licence"))
    query = select(*columns).where(has_key(view.track_id, keys), view.licence.in_(licences))
    rows = source.frame(query).rename(columns={"licence": FEATURES_LICENCE})
    order = {name: place for place, name in enumerate(StoreSettings.load().feature_order)}
    place = rows["provider"].map(order).fillna(len(order))
    rows = rows.assign(place=place).sort_values(["track_id", "place", "provider"])
    rows = rows.drop_duplicates("track_id").drop(columns="place").set_index("track_id")
    tracks = _filled(tracks, _align(ids, rows), "provider")
    if audio.DESCRIPTORS in config.features and config.descriptors is not None:
        values = _read_sets(source, config, keys, licences)
        tracks = _filled(tracks, _align(ids, values), f"{audio.DESCRIPTORS}_provider")
    if MATRICES in config.features:
        matrices = spectrograms.load(source, ids, licences)
        for kind in sequences.CHANNELS:
            names = [name for name in matrices.columns if name.startswith(kind)]
            tracks = _filled(tracks, matrices[names], f"{kind}_provider")
    return tracks


def _filled(tracks: pd.DataFrame, values: pd.DataFrame, provider: str) -> pd.DataFrame:
    """Return `tracks` with the columns of `values` where no provider is given yet."""
    missing = (tracks[provider].isna() & values[provider].notna()).to_numpy(dtype=bool)
    if not missing.any():
        return tracks
    return tracks.assign(
        **{name: tracks[name].mask(missing, values[name]) for name in values.columns}
    )


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


def _read_sets(
    source: FrameSource,
    config: TrainingConfig,
    ids: Ids,
    licences: Collection[str] | None = None,
) -> pd.DataFrame:
    """Return the values of all sets of `config` by track, with one provider and licence.

    Where a track's sets have several licences, it is the first that `config` forbids, if any: then
    all of them are left out.
    """
    frames = [read_descriptors(source, name, ids, licences) for name in config.descriptor_sets]
    if len(frames) == 1:
        return frames[0]
    provider, licence = SOURCE_COLUMNS[audio.DESCRIPTORS]
    values = pd.concat([frame.drop(columns=[provider, licence]) for frame in frames], axis=1)
    sources = [frame[[provider, licence]].reindex(values.index) for frame in frames]
    combined = sources[0]
    for other in sources[1:]:
        is_stricter = allowed_mask(combined[licence], config) & ~allowed_mask(
            other[licence], config
        )
        has_other = other[provider].notna().to_numpy(dtype=bool)
        replaced = has_other & (combined[provider].isna().to_numpy(dtype=bool) | is_stricter)
        combined = combined.mask(pd.Series(replaced, index=combined.index), other, axis=0)
    return pd.concat([values, combined], axis=1)


def read_descriptors(
    source: FrameSource,
    schema: str,
    ids: Ids,
    licences: Collection[str] | None = None,
) -> pd.DataFrame:
    """Return the values of one set by track, with their provider and licence.

    `ids` are one of `dataframes.parts`. Of several providers the first by name is used, of those
    with one of `licences` (None: of all).
    """
    names = descriptor_columns(source, schema)
    view = views.track_descriptors.c
    query = (
        select(view.track_id, view.data, view.provider, view.licence)
        .where(view.schema == schema, has_key(view.track_id, ids))
        .order_by(view.track_id, view.provider)
    )
    if licences is not None:
        query = query.where(view.licence.in_(licences))
    rows = source.frame(query).drop_duplicates("track_id")
    values = packed_vectors.unpack_rows(rows["data"].tolist(), len(names))
    values[~np.isfinite(values)] = np.nan
    columns = [audio.descriptor_column(schema, name) for name in names]
    index = pd.Index(rows["track_id"].to_numpy(dtype=np.int64))
    sources = {f"{audio.DESCRIPTORS}_{name}": rows[name].array for name in ("provider", "licence")}
    frame = pd.DataFrame(values, index=index, columns=columns)
    return pd.concat([frame, pd.DataFrame(sources, index=index)], axis=1)


def sets_of_files(database: Engine, sets: Collection[str]) -> list[str]:
    """Return those of the descriptor sets that audio files have, sorted."""
    view = views.track_descriptors.c
    query = select(view.schema).where(
        view.provider == tables.AUDIO_PROVIDER, view.schema.in_(sets)
    )
    with read_transaction(database) as connection:
        return sorted(connection.scalars(query.distinct()))


def descriptor_columns(source: FrameSource, schema: str) -> list[str]:
    """Return the names of a descriptor set's values; raise `BadTrainingConfig` without it."""
    view = views.descriptor_schemas.c
    sets = source.frame(select(view.schema, cast(view["columns"], Text).label("names")))
    documents = dict(zip(sets["schema"], sets["names"], strict=True))
    if schema not in documents:
        known = ", ".join(sorted(documents)) or "none"
        raise BadTrainingConfig(
            f"There is no descriptor set {schema!r} here. Known: {known}. "
            "`collector import-audio FOLDER` computes one."
        )
    return list(json.loads(documents[schema]))


@dataclass(frozen=True, slots=True)
class _LabelledTracks:
    """The labelled tracks and the features that a config allows."""

    ids: Select[Any]
    licences: list[str] | None
    """None: every licence is allowed."""

    @classmethod
    def of(cls, connection: Connection, config: TrainingConfig) -> "_LabelledTracks":
        licences = licence_queries.allowed_licences(source_of(connection), config)
        return cls(licence_queries.labelled_ids(config, licences), licences)

    def descriptor_sets(self, connection: Connection) -> dict[str, int]:
        """Return the number of tracks that have each descriptor set."""
        view = views.track_descriptors.c
        if connection.execute(select(view.track_id).limit(1)).first() is None:
            return {}
        query = (
            select(view.schema, func.count(distinct(view.track_id)))
            .where(view.track_id.in_(self.ids), *self._is_allowed(view))
            .group_by(view.schema)
        )
        return {schema: int(tracks) for schema, tracks in connection.execute(query)}

    def coverage(
        self, connection: Connection, with_descriptors: int
    ) -> tuple[int, dict[str, int]]:
        """Return the number of these tracks, and of those that each group exists for."""
        labelled = connection.scalar(select(func.count()).select_from(self.ids.subquery())) or 0
        coverage = {audio.DESCRIPTORS: with_descriptors}
        for group, (view, _columns) in _SUMMARIES.items():
            if connection.execute(select(view.c.track_id).limit(1)).first() is not None:
                query = select(func.count()).where(
                    view.c.track_id.in_(self.ids), *self._is_allowed(view.c)
                )
                coverage[group] = connection.scalar(query) or 0
        return labelled, coverage

    def _is_allowed(self, view: Any) -> list[ColumnElement[bool]]:
        return [] if self.licences is None else [view.licence.in_(self.licences)]


def _preferred_set(config: TrainingConfig, sets: Mapping[str, int]) -> str | None:
    if config.descriptors is not None:
        return config.descriptors
    if not sets:
        return None
    return join_list([min(sets, key=lambda name: (-sets[name], name))])


def _default_groups(
    config: TrainingConfig, labelled: int, coverage: Mapping[str, int]
) -> list[str]:
    return [
        group
        for group in AUDIO_ANALYSIS_GROUPS
        if group not in config.features
        and coverage.get(group, 0) >= max(1, MIN_COVERAGE * labelled)
    ]
