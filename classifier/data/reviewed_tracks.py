"""Read the champion's predictions of tracks that people reviewed, or may review."""

import pandas as pd
from sqlalchemy import and_, exists, func, select

from classifier.data import dataframes
from classifier.data.dataset import Database
from classifier.model_records import StoredModel
from genrebase.store import tables, views


def predicted_tracks(database: Database, model: StoredModel) -> pd.DataFrame:
    """Return the tracks without a verdict that have a prediction of `model`.

    Its columns: track_id, title, artists, claim, predicted, probability, claim_probability and
    regime. `claim` and `claim_probability` are missing for a track without a claim; the
    probability is 0 for a claim that is not among the five most probable genres.
    """
    track, verdict = tables.track, tables.verdict
    first, own = (tables.prediction.alias(name) for name in ("first", "own"))
    claim, predicted = tables.genre.alias("claim_genre"), tables.genre.alias("predicted")
    is_first = and_(
        first.c.track_id == track.c.id, first.c.model_id == model.id, first.c.rank == 1
    )
    of_claim = and_(
        own.c.track_id == track.c.id,
        own.c.model_id == model.id,
        own.c.genre_id == track.c.genre_id,
    )
    query = (
        select(
            track.c.id.label("track_id"),
            track.c.title,
            track.c.artists,
            claim.c.name.label("claim"),
            predicted.c.name.label("predicted"),
            first.c.probability,
            own.c.probability.label("claim_probability"),
            first.c.regime,
        )
        .select_from(
            track.join(first, is_first)
            .join(predicted, predicted.c.id == first.c.genre_id)
            .outerjoin(own, of_claim)
            .outerjoin(claim, claim.c.id == track.c.genre_id)
        )
        .where(~exists().where(verdict.c.track_id == track.c.id))
        .order_by(track.c.id)
    )
    with dataframes.many_rows(database) as source:
        frame = source.frame(query)
    labelled = frame["claim"].notna()
    filled = frame["claim_probability"].fillna(0.0).where(labelled)
    return frame.assign(claim_probability=filled)


def reviewed_tracks(database: Database) -> pd.DataFrame:
    """Return (track_id, artists, claim, verdict, predicted, regime) of the tracks with a verdict.

    `predicted` is the main task's champion's prediction, out of fold for training tracks; missing
    without one.
    """
    track, prediction = views.tracks.c, views.predictions.c
    query = (
        select(
            track.track_id,
            track.artists,
            track.claim,
            track.verdict,
            prediction.genre.label("predicted"),
            func.coalesce(prediction.regime, "").label("regime"),
        )
        .select_from(
            views.tracks.table.outerjoin(views.predictions, prediction.track_id == track.track_id)
        )
        .where(track.verdict.is_not(None))
        .order_by(track.track_id)
    )
    with dataframes.few_rows(database) as source:
        return source.frame(query)
