"""Models: what the champion answers for each track, and how good each model is."""

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)

from genrebase.store import tables
from genrebase.store.tables import REGIMES
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view

HEADLINE_METRICS: Final = ("accuracy", "baseline", "macro_f1", "top3", "log_loss", "ece")


def _predictions(_providers: Providers) -> Select[Any]:
    track, champion = tables.track, shared.champion_id()
    labelled = shared.labelled_tracks()
    first, second = shared.predictions_as("first"), shared.predictions_as("second")
    answered = tables.genre.alias("answered")
    source = (
        labelled.source.join(
            first,
            and_(first.c.track_id == track.c.id, first.c.model_id == champion, first.c.rank == 1),
        )
        .join(answered, answered.c.id == first.c.genre_id)
        .outerjoin(second, shared.same_track_and_model(second, first, second.c.rank == 2))
    )
    return select(
        track.c.id.label("track_id"),
        track.c.title,
        track.c.artists,
        labelled.claim,
        labelled.verdict,
        answered.c.name.label("genre"),
        first.c.probability,
        (first.c.probability - func.coalesce(second.c.probability, 0.0)).label("margin"),
        (first.c.genre_id == labelled.label_id).label("correct"),
        first.c.regime,
        first.c.in_training,
        first.c.model_id,
        first.c.predicted_at,
    ).select_from(source)


def _model_leaderboard(_providers: Providers) -> Select[Any]:
    model, metric = tables.model, tables.model_metric
    regimes = union_all(
        *(select(cast(literal(name), Text).label("regime")) for name in REGIMES)
    ).subquery("regimes")

    def of(name: str, column: ColumnElement[Any] = metric.c.value) -> ColumnElement[Any]:
        return func.max(case((metric.c.metric == name, column)))

    measured = (
        select(
            metric.c.model_id,
            metric.c.regime,
            of("accuracy", metric.c.n).label("n"),
            *(of(name).label(name) for name in HEADLINE_METRICS),
            of("accuracy", metric.c.low).label("low"),
            of("accuracy", metric.c.high).label("high"),
        )
        .where(metric.c.side == "test", metric.c.genre_id.is_(None))
        .group_by(metric.c.model_id, metric.c.regime)
        .subquery("measured")
    )
    place = func.rank().over(
        partition_by=(model.c.task, regimes.c.regime),
        order_by=measured.c.accuracy.desc().nulls_last(),
    )
    return select(
        model.c.task,
        regimes.c.regime,
        place.label("place"),
        model.c.id.label("model_id"),
        model.c.estimator,
        model.c.status,
        model.c.pinned,
        model.c.created_at,
        model.c.trained_rows,
        measured.c.n,
        measured.c.accuracy,
        measured.c.low.label("accuracy_low"),
        measured.c.high.label("accuracy_high"),
        measured.c.baseline,
        (measured.c.accuracy - measured.c.baseline).label("gain"),
        measured.c.macro_f1,
        measured.c.top3,
        measured.c.log_loss,
        measured.c.ece,
        model.c.origin,
        model.c.reason,
    ).select_from(
        model.join(regimes, literal(1) == 1).outerjoin(
            measured,
            and_(measured.c.model_id == model.c.id, measured.c.regime == regimes.c.regime),
        )
    )


predictions = view(
    "predictions",
    "One row per track that the champion of the task main has answered for: its first answer "
    "beside the track's claim and verdict.",
    {
        "track_id": shared.TRACK_DESCRIPTIONS["track_id"],
        "title": shared.TRACK_DESCRIPTIONS["title"],
        "artists": shared.TRACK_DESCRIPTIONS["artists"],
        "claim": "The one genre it counts for, NULL where it has none.",
        "verdict": "The genre a person gave it last, NULL where nobody did.",
        "genre": "The champion's first answer.",
        "probability": "How sure it is, 0 to 1.",
        "margin": "By how much the first answer beats the second, 0 to 1.",
        "correct": "Whether the answer is the verdict, else the claim; NULL where neither is.",
        "regime": "seen_artist: it learned from a track by a credited artist; else new_artist.",
        "in_training": "Whether it was learned from; such tracks are answered by models that "
        "did not see them.",
        "model_id": "The champion's number.",
        "predicted_at": "When it answered.",
    },
    _predictions,
)

model_leaderboard = view(
    "model_leaderboard",
    "One row per model and regime: its headline figures on the test tracks beside the baseline.",
    {
        "task": "The question it answers.",
        "regime": "seen_artist or new_artist: whether it knew an artist of the test tracks.",
        "place": "Its place among the models of the task in this regime, by accuracy.",
        "model_id": "The model's number.",
        "estimator": "What kind of model it is.",
        "status": "candidate, champion, retired or rejected.",
        "pinned": "Whether it is kept whatever comes.",
        "created_at": "When it was trained.",
        "trained_rows": "Tracks it learned from.",
        "n": "Test tracks of this regime, NULL where there was none.",
        "accuracy": "Share of first answers that are right.",
        "accuracy_low": "Lower 95% bound of the accuracy, resampling artists.",
        "accuracy_high": "Upper 95% bound of the accuracy, resampling artists.",
        "baseline": "Accuracy of always answering the commonest genre.",
        "gain": "Accuracy less baseline.",
        "macro_f1": "F1 averaged over genres.",
        "top3": "Share of tracks whose genre is among the first three answers.",
        "log_loss": "Mean negative logarithm of the right genre's probability.",
        "ece": "Expected calibration error: how far its confidence is from its accuracy.",
        "origin": "The invented catalogue it learned from, NULL for a real one.",
        "reason": "Why it has its status.",
    },
    _model_leaderboard,
)
