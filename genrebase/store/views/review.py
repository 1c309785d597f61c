"""Disagreements between the champion, the labels and the previous champion, for review."""

from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Select,
    and_,
    case,
    cast,
    func,
    select,
)
from sqlalchemy.sql.functions import FunctionElement

from genrebase.store import tables
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view

MIN_DISPUTE_PROBABILITY: Final = 0.5
"""From here on the predicted genre is more probable than all others together."""


class InChampionClasses(FunctionElement[bool]):
    """Whether a genre's name is one of the champion's classes."""

    type = Boolean()
    inherit_cache = True
    name = "in_champion_classes"


shared.compile_as(
    InChampionClasses,
    sqlite="{} IN (SELECT class.value FROM model, json_each(model.feature_schema, '$.classes')"
    " AS class WHERE model.task = 'main' AND model.status = 'champion')",
    postgresql="{} IN (SELECT jsonb_array_elements_text(model.feature_schema -> 'classes')"
    " FROM model WHERE model.task = 'main' AND model.status = 'champion')",
)


def _is_first(prediction: FromClause, model: ColumnElement[Any]) -> ColumnElement[bool]:
    track = tables.track
    return and_(
        prediction.c.track_id == track.c.id, prediction.c.model_id == model, prediction.c.rank == 1
    )


@view(
    "One row per labelled track without a verdict for which the champion of the task main "
    "predicts another genre, out of sample and with a probability of at least 0.5. Claims outside "
    "the champion's classes are left out.",
    {
        **shared.TRACK_REFERENCE,
        "claim": shared.LABEL_DESCRIPTIONS["claim"],
        "genre": "The predicted genre.",
        "probability": "The probability of the predicted genre, 0.5 to 1.",
        "margin": "Probability minus that of the second genre, 0 to 1.",
        "claim_probability": "The probability of the claim, 0 to 0.5; NULL where it is not among "
        "the five most probable.",
        "also_seen": "Whether the track has a sighting for the predicted genre.",
        **shared.PREDICTION_DESCRIPTIONS,
    },
)
def label_disputes(_providers: Providers) -> Select[Any]:
    track, verdict = tables.track, tables.verdict
    first, second = tables.prediction.alias("first"), tables.prediction.alias("second")
    claimed = tables.prediction.alias("claimed")
    claim, predicted = tables.genre.alias("claim_genre"), tables.genre.alias("predicted")

    source = (
        first.join(track, track.c.id == first.c.track_id)
        .join(claim, claim.c.id == track.c.genre_id)
        .join(predicted, predicted.c.id == first.c.genre_id)
        .outerjoin(second, shared.same_track_and_model(second, first, second.c.rank == 2))
        .outerjoin(
            claimed,
            shared.same_track_and_model(claimed, first, claimed.c.genre_id == track.c.genre_id),
        )
    )
    verdicts = select(verdict.c.track_id).where(verdict.c.track_id == track.c.id).correlate(track)
    return (
        select(
            *shared.track_reference(first),
            claim.c.name.label("claim"),
            predicted.c.name.label("genre"),
            first.c.probability,
            shared.margin(first, second),
            claimed.c.probability.label("claim_probability"),
            shared.also_seen(first.c.genre_id).label("also_seen"),
            *shared.prediction_details(first),
        )
        .select_from(source)
        .where(
            first.c.model_id == shared.champion_id(),
            first.c.rank == 1,
            first.c.probability >= MIN_DISPUTE_PROBABILITY,
            first.c.genre_id != track.c.genre_id,
            ~verdicts.exists(),
            InChampionClasses(claim.c.name),
        )
    )


@view(
    "One row per track whose predicted genre differs between the last two champions of the task "
    "main; tracks with a prediction by only one of them are left out.",
    {
        **shared.TRACK_REFERENCE,
        "label": shared.LABEL_DESCRIPTIONS["label"],
        "genre_before": "The previous champion's prediction.",
        "probability_before": "The previous champion's probability of `genre_before`, 0 to 1.",
        "genre": "The champion's prediction.",
        "probability": "The probability of the predicted genre, 0 to 1.",
        "correct_before": "Whether `genre_before` is the label; NULL without one.",
        "correct": "Whether `genre` is the label; NULL without one.",
        "regime": "The champion's test condition: seen_artist if training had a track of "
        "a credited artist, else new_artist.",
        "model_before": "The previous champion's ID.",
        "model_id": shared.PREDICTION_DESCRIPTIONS["model_id"],
    },
)
def prediction_changes(_providers: Providers) -> Select[Any]:
    model = tables.model
    now, before = tables.prediction.alias("now"), tables.prediction.alias("before")
    labelled = shared.labelled_tracks()
    predicted, predicted_before = (
        tables.genre.alias(name) for name in ("predicted", "predicted_before")
    )
    previous = (
        select(model.c.id)
        .where(
            model.c.task == "main", model.c.status != "champion", model.c.promoted_at.is_not(None)
        )
        .order_by(model.c.promoted_at.desc(), model.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    # Without a previous champion the id is NULL, and no prediction is read.
    champion = shared.champion_id(previous.is_not(None))
    source = (
        labelled.source.join(now, _is_first(now, champion))
        .join(before, _is_first(before, previous))
        .join(predicted, predicted.c.id == now.c.genre_id)
        .join(predicted_before, predicted_before.c.id == before.c.genre_id)
    )
    return (
        select(
            *shared.track_reference(now),
            labelled.label,
            predicted_before.c.name.label("genre_before"),
            before.c.probability.label("probability_before"),
            predicted.c.name.label("genre"),
            now.c.probability,
            (before.c.genre_id == labelled.label_id).label("correct_before"),
            (now.c.genre_id == labelled.label_id).label("correct"),
            now.c.regime,
            before.c.model_id.label("model_before"),
            now.c.model_id,
        )
        .select_from(source)
        .where(now.c.genre_id != before.c.genre_id)
    )


@view(
    "One row per model, regime, genre and predicted genre: the confusion matrix on test tracks. "
    "Models without an artifact have none.",
    {
        **shared.MODEL_REFERENCE,
        "regime": "seen_artist, new_artist or other (neither of these).",
        "genre": "The label of the tracks.",
        "predicted": "The predicted genre.",
        "tracks": "Test tracks of the genre with this prediction.",
        "share": "Their share of the genre's test tracks in the regime, 0 to 1.",
        "genre_tracks": "Test tracks of the genre in the regime.",
    },
)
def genre_confusions(_providers: Providers) -> Select[Any]:
    confusion, model = tables.confusion, tables.model
    genre, predicted = (tables.genre.alias(f"{name}_named") for name in ("genre", "predicted"))
    tracks = cast(confusion.c.tracks, Double)
    of_genre = func.sum(confusion.c.tracks).over(
        partition_by=(confusion.c.model_id, confusion.c.regime, confusion.c.genre_id)
    )
    return select(
        *shared.columns(model, "task id:model_id status"),
        confusion.c.regime,
        genre.c.name.label("genre"),
        predicted.c.name.label("predicted"),
        confusion.c.tracks,
        case((of_genre > 0, tracks / cast(of_genre, Double))).label("share"),
        cast(of_genre, Integer).label("genre_tracks"),
    ).select_from(
        confusion.join(model, model.c.id == confusion.c.model_id)
        .join(genre, genre.c.id == confusion.c.genre_id)
        .join(predicted, predicted.c.id == confusion.c.predicted_id)
    )
