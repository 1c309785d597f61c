"""Matrices over time beside tracks, as a column of bytes per kind: read only where asked for."""

import numpy as np
import pandas as pd
from sqlalchemy import Connection, select

from classifier.features.sequences import CHANNELS, VERSION
from genrebase.audio import packed_matrices
from genrebase.store import views


def load(connection: Connection, ids: "pd.Series[int]") -> pd.DataFrame:
    """Return a column per kind for the tracks `ids` (sorted): float16 by rows, unpacked, or None.

    Of several providers the first by name. Raise `BadMatrix` for damaged bytes.
    """
    view = views.sound_matrices.c
    bounds = (int(ids.min()), int(ids.max()))
    places = {int(track): place for place, track in enumerate(ids)}
    found = {kind: np.full(len(ids), None, dtype=object) for kind in CHANNELS}
    query = (
        select(view.track_id, view.kind, view.channels, view.steps, view.data)
        .where(view.track_id.between(*bounds), view.version == VERSION)
        .order_by(view.track_id, view.provider.desc())
    )
    for row in connection.execute(query.execution_options(yield_per=100)):
        place = places.get(row.track_id)
        if place is not None and CHANNELS.get(row.kind) == row.channels:
            values = packed_matrices.unpack(row.data, row.steps, row.channels)
            found[row.kind][place] = values.astype("<f2").tobytes()
    return pd.DataFrame(found, index=ids.index)


def exist(connection: Connection) -> bool:
    """Tell whether there is any."""
    view = views.sound_matrices.c
    known = select(view.track_id).where(view.version == VERSION, view.kind.in_(CHANNELS))
    return connection.execute(known.limit(1)).first() is not None
