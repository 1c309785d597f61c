"""Load packed spectrogram and chroma matrices of tracks, one column of bytes per kind."""

from collections.abc import Collection

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select

from classifier.features.sequences import CHANNELS, VERSION
from genrebase.audio import packed_matrices
from genrebase.store import views


def load(
    connection: Connection, ids: "pd.Series[int]", licences: Collection[str] | None = None
) -> pd.DataFrame:
    """Return three columns per kind for the tracks `ids` (sorted).

    They are row-major float16 bytes, or None, the provider and the licence. Of several providers
    the first by name is used, of those with one of `licences` (None: of all). Raise
    `CorruptMatrix` for damaged bytes.
    """
    view = views.sound_matrices.c
    bounds = (int(ids.min()), int(ids.max()))
    position = {int(track): index for index, track in enumerate(ids)}
    names = [name for kind in CHANNELS for name in (kind, f"{kind}_provider", f"{kind}_licence")]
    columns = {name: np.full(len(ids), None, dtype=object) for name in names}
    columns_read = (*("track_id", "kind", "channels", "steps", "data"), "provider", "licence")
    query = (
        select(*(view[name] for name in columns_read))
        .where(view.track_id.between(*bounds), view.version == VERSION)
        .order_by(view.track_id, view.provider.desc())
    )
    if licences is not None:
        query = query.where(view.licence.in_(licences))
    for row in connection.execute(query.execution_options(yield_per=100)):
        index = position.get(row.track_id)
        if index is not None and CHANNELS.get(row.kind) == row.channels:
            values = packed_matrices.unpack(row.data, row.steps, row.channels)
            columns[row.kind][index] = values.astype("<f2").tobytes()
            columns[f"{row.kind}_provider"][index] = row.provider
            columns[f"{row.kind}_licence"][index] = row.licence
    frame = pd.DataFrame(columns, index=ids.index)
    return frame.astype({name: "string" for name in names if name not in CHANNELS})


def exist(connection: Connection) -> bool:
    """Return whether any track has matrices."""
    view = views.sound_matrices.c
    rows = select(view.track_id).where(view.version == VERSION, view.kind.in_(CHANNELS))
    return connection.execute(rows.limit(1)).first() is not None
