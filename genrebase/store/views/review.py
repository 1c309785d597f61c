"""Where the champion, the labels and the champion before it disagree."""

from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Select,
    Table,
    and_,
    case,
    cast,
    func,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from genrebase.store import tables
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view

MIN_DISPUTE_PROBABILITY: Final = 0.5
"""From here on the champion holds its answer to be likelier than all other genres together."""
_MAIN: Final = "model.task = 'main' AND model.status = 'champion'"


class InChampionClasses(FunctionElement[bool]):
    """Whether a genre's name is among those that the champion tells apart."""

    type = Boolean()
    inherit_cache = True
    name = "known_to_champion"


@compiles(InChampionClasses, "sqlite")
def _known_sqlite(element: InChampionClasses, compiler: SQLCompiler, **options: Any) -> str:
    name = compiler.process(element.clauses, **options)
    classes = "json_each(model.feature_schema, '$.classes')"
    return f"{name} IN (SELECT known.value FROM model, {classes} AS known WHERE {_MAIN})"  # noqa: S608 - our names


@compiles(InChampionClasses)
def _known(element: InChampionClasses, compiler: SQLCompiler, **options: Any) -> str:
    name = compiler.process(element.clauses, **options)
    classes = "jsonb_array_elements_text(model.feature_schema -> 'classes')"
    return f"{name} IN (SELECT {classes} FROM model WHERE {_MAIN})"  # noqa: S608 - our names


def _answer_of(answer: FromClause, model: ColumnElement[Any]) -> ColumnElement[bool]:
    track = tables.track
    return and_(answer.c.track_id == track.c.id, answer.c.model_id == model, answer.c.rank == 1)


def _label_disputes(_providers: Providers) -> Select[Any]:
    track, verdict = tables.track, tables.verdict
    first, second = shared.predictions_as("first"), shared.predictions_as("second")
    claimed = shared.predictions_as("claimed")
    claim, answered = tables.genre.alias("claim_genre"), tables.genre.alias("answered")

    source = (
        first.join(track, track.c.id == first.c.track_id)
        .join(claim, claim.c.id == track.c.genre_id)
        .join(answered, answered.c.id == first.c.genre_id)
        .outerjoin(second, shared.same_track_and_model(second, first, second.c.rank == 2))
        .outerjoin(
            claimed,
            shared.same_track_and_model(claimed, first, claimed.c.genre_id == track.c.genre_id),
        )
    )
    judged = select(verdict.c.track_id).where(verdict.c.track_id == track.c.id).correlate(track)
    return (
        select(
            track.c.id.label("track_id"),
            track.c.title,
            track.c.artists,
            claim.c.name.label("claim"),
            answered.c.name.label("genre"),
            first.c.probability,
            (first.c.probability - func.coalesce(second.c.probability, 0.0)).label("margin"),
            claimed.c.probability.label("claim_probability"),
            shared.also_seen(first.c.genre_id).label("also_seen"),
            first.c.regime,
            first.c.in_training,
            first.c.model_id,
            first.c.predicted_at,
        )
        .select_from(source)
        .where(
            first.c.model_id == shared.champion_id(),
            first.c.rank == 1,
            first.c.probability >= MIN_DISPUTE_PROBABILITY,
            first.c.genre_id != track.c.genre_id,
            ~judged.exists(),
            InChampionClasses(claim.c.name),
        )
    )


def _prediction_changes(_providers: Providers) -> Select[Any]:
    track, model = tables.track, tables.model
    now, before = shared.predictions_as("now"), shared.predictions_as("before")
    labelled = shared.labelled_tracks()
    answered, answered_before = (tables.genre.alias(name) for name in ("answered", "once"))
    previous = (
        select(model.c.id)
        .where(
            model.c.task == "main", model.c.status != "champion", model.c.promoted_at.is_not(None)
        )
        .order_by(model.c.promoted_at.desc(), model.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    source = (
        labelled.source.join(now, _answer_of(now, shared.champion_id()))
        .join(before, _answer_of(before, previous))
        .join(answered, answered.c.id == now.c.genre_id)
        .join(answered_before, answered_before.c.id == before.c.genre_id)
    )
    return (
        select(
            track.c.id.label("track_id"),
            track.c.title,
            track.c.artists,
            labelled.label,
            answered_before.c.name.label("genre_before"),
            before.c.probability.label("probability_before"),
            answered.c.name.label("genre"),
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


def _genre_confusions(_providers: Providers) -> Select[Any]:
    found, model = tables.confusion, tables.model
    genre, predicted = _named("genre"), _named("predicted")
    tracks = cast(found.c.tracks, Double)
    of_genre = func.sum(found.c.tracks).over(
        partition_by=(found.c.model_id, found.c.regime, found.c.genre_id)
    )
    return select(
        model.c.task,
        model.c.id.label("model_id"),
        model.c.status,
        found.c.regime,
        genre.c.name.label("genre"),
        predicted.c.name.label("predicted"),
        found.c.tracks,
        case((of_genre > 0, tracks / cast(of_genre, Double))).label("share"),
        cast(of_genre, Integer).label("genre_tracks"),
    ).select_from(
        found.join(model, model.c.id == found.c.model_id)
        .join(genre, genre.c.id == found.c.genre_id)
        .join(predicted, predicted.c.id == found.c.predicted_id)
    )


def _named(name: str) -> Any:
    genre: Table = tables.genre
    return genre.alias(f"{name}_named")


label_disputes = view(
    "label_disputes",
    "One row per labelled track without a verdict where the champion of the task main, which did "
    "not learn from it when it answered, gives another genre at least half of its confidence. "
    "Claims of genres that the champion does not know are left out.",
    {
        "track_id": shared.TRACK_DESCRIPTIONS["track_id"],
        "title": shared.TRACK_DESCRIPTIONS["title"],
        "artists": shared.TRACK_DESCRIPTIONS["artists"],
        "claim": "The one genre it counts for.",
        "genre": "The champion's answer.",
        "probability": "How sure the champion is of its answer, 0.5 to 1.",
        "margin": "By how much its answer beats the second, 0 to 1.",
        "claim_probability": "What it gives the claim, 0 to 0.5; NULL where the claim is not "
        "among its five answers.",
        "also_seen": "Whether the track was seen under the answer's genre, too.",
        "regime": "seen_artist: it learned from a track by a credited artist; else new_artist.",
        "in_training": "Whether it was learned from; such tracks are answered by models that "
        "did not see them.",
        "model_id": "The champion's number.",
        "predicted_at": "When it answered.",
    },
    _label_disputes,
)

prediction_changes = view(
    "prediction_changes",
    "One row per track whose first answer changed between the last two champions of the task "
    "main; tracks that only one of them answered for are not there.",
    {
        "track_id": shared.TRACK_DESCRIPTIONS["track_id"],
        "title": shared.TRACK_DESCRIPTIONS["title"],
        "artists": shared.TRACK_DESCRIPTIONS["artists"],
        "label": "The verdict, else the claim, NULL where there is neither.",
        "genre_before": "What the champion before answered.",
        "probability_before": "How sure it was, 0 to 1.",
        "genre": "What the champion answers.",
        "probability": "How sure it is, 0 to 1.",
        "correct_before": "Whether the answer before is the label; NULL without one.",
        "correct": "Whether the answer now is the label; NULL without one.",
        "regime": "seen_artist: the champion learned from a track by a credited artist; else "
        "new_artist.",
        "model_before": "The number of the champion before.",
        "model_id": "The champion's number.",
    },
    _prediction_changes,
)

genre_confusions = view(
    "genre_confusions",
    "One row per model, regime, genre and answer: how many test tracks of the genre were taken "
    "for what. Models that are kept no longer have none.",
    {
        "task": "The question the model answers.",
        "model_id": "The model's number.",
        "status": "What became of the model: champion, retired or rejected.",
        "regime": "seen_artist, new_artist or other: tracks that are neither.",
        "genre": "The genre that the tracks carry.",
        "predicted": "What the model answered first; the genre itself where it was right.",
        "tracks": "Test tracks of the genre with this answer.",
        "share": "These among all test tracks of the genre in the regime, 0 to 1.",
        "genre_tracks": "Test tracks of the genre in the regime.",
    },
    _genre_confusions,
)
