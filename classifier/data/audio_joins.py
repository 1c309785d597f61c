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
from classifier.errors import BadChoice
from classifier.features import audio
from classifier.features.groups import HEARD, MATRICES
from classifier.records import Choice
from genrebase.audio import packed_vectors
from genrebase.store import views
from genrebase.store.engine import reading

ENOUGH: Final = 0.1
"""The share of the labelled tracks of which a group must be known to be looked at untold.

Below, a model would learn from many gaps and few values, and each training would pay for them.
"""

CONVOLVING: Final = ("cnn",)
"""Estimators that look at matrices untold, where there are any: to others they say nothing."""

_SUMMARIES: Final[Mapping[str, tuple[Table, Sequence[str]]]] = {
    "harmony": (views.harmony, audio.HARMONY),
    "timbre": (views.timbres, audio.TIMBRE),
}


def settled(database: Engine, choice: Choice) -> Choice:
    """Return the choice with everything decided that it leaves to what the database holds.

    With `widen` it looks also at each group of `HEARD` that is known of a tenth of the labelled
    tracks. Descriptors are those of one set, the one that most labelled tracks have (the first
    by name where there are several) unless it names one; raise `BadChoice` for one nobody has.
    """
    asked = audio.DESCRIPTORS in choice.features
    if not choice.widen and (not asked or choice.descriptors is not None):
        return choice
    with reading(database) as connection:
        sets = _sets(connection)
        chosen = _set_of(choice, sets)
        groups = choice.features
        if choice.widen:
            groups += tuple(_widening(connection, choice, sets.get(chosen or "", 0)))
            if choice.estimator in CONVOLVING and spectrograms.some(connection):
                groups += (MATRICES,)
    uses = audio.DESCRIPTORS in groups
    return replace(choice, features=groups, descriptors=chosen if uses else None, widen=False)


def joined(connection: Connection, tracks: pd.DataFrame, choice: Choice) -> pd.DataFrame:
    """Return `tracks` (sorted, with `track_id`) with a column for each that `choice` looks at.

    What nobody heard is missing. Where the choice looks at none of `HEARD`, nothing is read.
    """
    if len(tracks) == 0:
        return tracks
    ids = tracks["track_id"]
    bounds = (int(ids.min()), int(ids.max()))
    found = [tracks]
    for group, (view, columns) in _SUMMARIES.items():
        if group in choice.features:
            query = select(view.c.track_id, *(view.c[name] for name in columns))
            rows = dataframes.frame(connection, query.where(view.c.track_id.between(*bounds)))
            found.append(_beside(ids, rows.set_index("track_id")))
    if audio.DESCRIPTORS in choice.features and choice.descriptors is not None:
        found.append(_beside(ids, _described(connection, choice.descriptors, bounds)))
    if MATRICES in choice.features:
        found.append(spectrograms.beside(connection, ids))
    return pd.concat(found, axis=1) if len(found) > 1 else tracks


def heard_after(
    choice: Choice, track: ColumnElement[int], moment: ColumnElement[Any]
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
    names = columns_of(connection, schema)
    view = views.track_descriptors.c
    query = (
        select(view.track_id, view.data)
        .where(view.schema == schema, view.track_id.between(*bounds))
        .order_by(view.track_id, view.provider)
    )
    packed = {row.track_id: row.data for row in reversed(connection.execute(query).all())}
    values = packed_vectors.unpack_all(list(packed.values()), len(names))
    values[~np.isfinite(values)] = np.nan
    columns = [audio.described_as(schema, name) for name in names]
    return pd.DataFrame(values, index=pd.Index(list(packed), dtype="int64"), columns=columns)


def columns_of(connection: Connection, schema: str) -> list[str]:
    """Return the names of the values of a set; raise `BadChoice` where nobody knows it."""
    view = views.descriptor_schemas.c
    found = {row.schema: row.columns for row in connection.execute(select(*view))}
    if schema not in found:
        known = ", ".join(sorted(found)) or "none"
        raise BadChoice(
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


def _set_of(choice: Choice, sets: Mapping[str, int]) -> str | None:
    if choice.descriptors is not None:
        return choice.descriptors
    return min(sets, key=lambda name: (-sets[name], name)) if sets else None


def _widening(connection: Connection, choice: Choice, described: int) -> list[str]:
    labelled = connection.scalar(select(func.count()).select_from(views.training_tracks)) or 0
    known = {audio.DESCRIPTORS: described}
    for group, (view, _columns) in _SUMMARIES.items():
        if connection.execute(select(view.c.track_id).limit(1)).first() is not None:
            query = select(func.count()).where(view.c.track_id.in_(_labelled()))
            known[group] = connection.scalar(query) or 0
    return [
        group
        for group in HEARD
        if group not in choice.features and known.get(group, 0) >= max(1, ENOUGH * labelled)
    ]


def _labelled() -> Select[Any]:
    return select(views.training_tracks.c.track_id)
