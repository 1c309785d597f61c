"""Read the test tracks that two models predicted, with their stored first predictions."""

from typing import Any, Final

import numpy as np
from sqlalchemy import select

from classifier.data import dataframes, dataset, regimes
from classifier.data.dataset import Database
from classifier.evaluation.model_comparison import CommonTestTracks
from classifier.model_records import StoredModel
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction

_TEST_SIDES: Final = tuple(side for side in tables.SIDES if side.startswith("test"))


def read(database: Database, model: StoredModel, other: StoredModel) -> CommonTestTracks:
    """Return the labelled test tracks of genres that both models classify.

    Predictions that were pooled with siblings, or made out of fold, are left out.
    """
    label, genre = views.training_tracks.c, tables.genre
    mine, theirs = tables.prediction.alias("mine"), tables.prediction.alias("theirs")
    predicted, predicted_by_other = genre.alias("predicted"), genre.alias("predicted_by_other")
    source: Any = views.training_tracks.table
    for rows, one, named in ((mine, model, predicted), (theirs, other, predicted_by_other)):
        is_first = (rows.c.model_id == one.id) & (rows.c.rank == 1)
        alone = rows.c.siblings.is_(None) & rows.c.in_training.is_(False)
        source = source.join(rows, (rows.c.track_id == label.track_id) & is_first & alone)
        source = source.join(named, named.c.id == rows.c.genre_id)
    query = (
        select(
            label.track_id, label.label, label.side,
            predicted.c.name.label("genre"), mine.c.probability, mine.c.regime,
            predicted_by_other.c.name.label("other_genre"),
            theirs.c.probability.label("other_probability"),
            theirs.c.regime.label("other_regime"),
        )
        .select_from(source)
        .where(label.side.in_(_TEST_SIDES))
        .order_by(label.track_id)
    )  # fmt: skip
    with read_transaction(database) as connection:
        frame = dataframes.read_frame(connection, query)
    classes = sorted(set(model.classes) & set(other.classes))
    frame = frame[np.isin(frame["label"].to_numpy(dtype=str), classes)].reset_index(drop=True)
    sides = frame["side"].to_numpy(dtype=str)
    for name in ("regime", "other_regime"):
        seen = frame[name].to_numpy(dtype=str) == "seen_artist"
        frame[name.replace("regime", "condition")] = regimes.regime_of_side(sides, seen)
    ids = regimes.ids_of(frame)
    credited = dataset.track_credits(database, ids) if len(ids) else None
    artists = (
        np.array([], dtype=np.int64)
        if credited is None
        else regimes.primary_artists(ids, credited)
    )
    return CommonTestTracks(frame, artists)
