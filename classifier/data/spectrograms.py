"""Load packed spectrogram and chroma matrices of tracks, one column of bytes per kind."""

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select

from classifier.features.sequences import CHANNELS, VERSION
from genrebase.audio import packed_matrices
from genrebase.store import views


def load(connection: Connection, ids: "pd.Series[int]") -> pd.DataFrame:
    """Return a column per kind for the tracks `ids` (sorted): row-major float16 bytes, or None.

    Of several providers the first by name is used. Raise `CorruptMatrix` for damaged bytes.
    """
    view = views.sound_matrices.c
    bounds = (int(ids.min()), int(ids.max()))
    position = {int(track): index for index, track in enumerate(ids)}
    columns = {kind: np.full(len(ids), None, dtype=object) for kind in CHANNELS}
    query = (
        select(view.track_id, view.kind, view.channels, view.steps, view.data)
        .where(view.track_id.between(*bounds), view.version == VERSION)
        .order_by(view.track_id, view.provider.desc())
    )
    for row in connection.execute(query.execution_options(yield_per=100)):
        index = position.get(row.track_id)
        if index is not None and CHANNELS.get(row.kind) == row.channels:
            values = packed_matrices.unpack(row.data, row.steps, row.channels)
            columns[row.kind][index] = values.astype("<f2").tobytes()
    return pd.DataFrame(columns, index=ids.index)


def exist(connection: Connection) -> bool:
    """Return whether any track has matrices."""
    view = views.sound_matrices.c
    rows = select(view.track_id).where(view.version == VERSION, view.kind.in_(CHANNELS))
    return connection.execute(rows.limit(1)).first() is not None
