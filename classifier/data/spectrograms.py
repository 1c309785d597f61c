"""Load packed spectrogram and chroma matrices of tracks, one column of bytes per kind."""

from collections.abc import Collection
from typing import Final

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select

from classifier.data.dataframes import FrameSource, has_key
from classifier.features.sequences import CHANNELS, VERSION
from genrebase.audio import packed_matrices
from genrebase.store import matrix_files, views

_TRACKS_READ: Final = 500
"""Tracks of one query: some 30 MB."""


def load(
    source: FrameSource, ids: "pd.Series[int]", licences: Collection[str] | None = None
) -> pd.DataFrame:
    """Return three columns per kind for the tracks `ids` (sorted).

    They are row-major float16 bytes, or None, the provider and the licence. Of several providers
    the first by name is used, of those with one of `licences` (None: of all). Raise
    `CorruptMatrix` for damaged bytes.
    """
    view = views.sound_matrices.c
    keys = ids.to_numpy(np.int64).astype(np.int64, copy=False)
    position = {int(track): index for index, track in enumerate(keys)}
    names = [name for kind in CHANNELS for name in (kind, f"{kind}_provider", f"{kind}_licence")]
    columns = {name: np.full(len(ids), None, dtype=object) for name in names}
    columns_read = (
        *("track_id", "kind", "channels", "steps", "data", "file_sha256"),
        *("provider", "licence"),
    )
    query = (
        select(*(view[name] for name in columns_read))
        .where(view.version == VERSION)
        .order_by(view.track_id, view.provider.desc())
    )
    if licences is not None:
        query = query.where(view.licence.in_(licences))
    folder = matrix_files.folder_of(source.engine)
    for start in range(0, len(keys), _TRACKS_READ):
        part = keys[start : start + _TRACKS_READ]
        rows = source.frame(query.where(has_key(view.track_id, part)))
        for row in rows.to_dict("records"):
            index, kind = position.get(row["track_id"]), row["kind"]
            if index is not None and CHANNELS.get(kind) == row["channels"]:
                sha256 = None if pd.isna(row["file_sha256"]) else row["file_sha256"]
                data = matrix_files.data_of(folder, row["data"], sha256)
                values = packed_matrices.unpack(data, row["steps"], row["channels"])
                columns[kind][index] = values.astype("<f2").tobytes()
                columns[f"{kind}_provider"][index] = row["provider"]
                columns[f"{kind}_licence"][index] = row["licence"]
    frame = pd.DataFrame(columns, index=ids.index)
    return frame.astype({name: "string" for name in names if name not in CHANNELS})


def exist(connection: Connection) -> bool:
    """Return whether any track has matrices."""
    view = views.sound_matrices.c
    rows = select(view.track_id).where(view.version == VERSION, view.kind.in_(CHANNELS))
    return connection.execute(rows.limit(1)).first() is not None
