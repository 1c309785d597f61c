"""Every task, not only main: what its champion answers, and all figures of all models."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, func, select

from genrebase.store import tables
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view

_FINE: Final = "fine"
"""The level at which a model answers with the genres that tracks carry."""


def _level() -> ColumnElement[Any]:
    return func.coalesce(tables.model.c.training_config["level"].as_string(), _FINE)


def _task_predictions(_providers: Providers) -> Select[Any]:
    track, model = tables.track, tables.model
    labelled = shared.labelled_tracks()
    first, second = shared.predictions_as("first"), shared.predictions_as("second")
    answered = tables.genre.alias("answered")
    source = (
        labelled.source.join(first, and_(first.c.track_id == track.c.id, first.c.rank == 1))
        .join(model, and_(model.c.id == first.c.model_id, model.c.status == "champion"))
        .join(answered, answered.c.id == first.c.genre_id)
        .outerjoin(second, shared.same_track_and_model(second, first, second.c.rank == 2))
    )
    return select(
        model.c.task,
        _level().label("level"),
        track.c.id.label("track_id"),
        track.c.title,
        track.c.artists,
        labelled.label,
        answered.c.name.label("genre"),
        first.c.probability,
        (first.c.probability - func.coalesce(second.c.probability, 0.0)).label("margin"),
        case((_level() == _FINE, first.c.genre_id == labelled.label_id)).label("correct"),
        first.c.regime,
        first.c.in_training,
        first.c.model_id,
        first.c.predicted_at,
    ).select_from(source)


def _model_metrics(_providers: Providers) -> Select[Any]:
    model, metric, genre = tables.model, tables.model_metric, tables.genre
    return select(
        model.c.task,
        model.c.id.label("model_id"),
        model.c.estimator,
        model.c.status,
        metric.c.side,
        metric.c.regime,
        genre.c.name.label("genre"),
        metric.c.metric,
        metric.c.value,
        metric.c.low,
        metric.c.high,
        metric.c.n,
    ).select_from(
        metric.join(model, model.c.id == metric.c.model_id).outerjoin(
            genre, genre.c.id == metric.c.genre_id
        )
    )


task_predictions = view(
    "task_predictions",
    "One row per task and track that the task's champion has answered for: its first answer. Of "
    "the task main it shows what `predictions` does.",
    {
        "task": "The question the champion answers.",
        "level": "fine: it answers with the genres that tracks carry; broad: with broad genres.",
        "track_id": shared.TRACK_DESCRIPTIONS["track_id"],
        "title": shared.TRACK_DESCRIPTIONS["title"],
        "artists": shared.TRACK_DESCRIPTIONS["artists"],
        "label": "The genre it carries: the verdict, else the claim; NULL where there is neither.",
        "genre": "The champion's first answer.",
        "probability": "How sure it is, 0 to 1.",
        "margin": "By how much the first answer beats the second, 0 to 1.",
        "correct": "Whether the answer is the label, be it one that the task does not ask about; "
        "NULL without a label, and where the level is broad, for the label is a fine genre.",
        "regime": "seen_artist: it learned from a track by a credited artist; else new_artist.",
        "in_training": "Whether it was learned from; such tracks are answered by models that "
        "did not see them.",
        "model_id": "The champion's number.",
        "predicted_at": "When it answered.",
    },
    _task_predictions,
)

model_metrics = view(
    "model_metrics",
    "One row per figure that is kept of a model: of every side, regime and genre. What was "
    "rejected keeps those over all genres on test tracks alone; models before the latest 50 of a "
    "task have none.",
    {
        "task": "The question the model answers.",
        "model_id": "The model's number.",
        "estimator": "What kind of model it is.",
        "status": "candidate, champion, retired or rejected.",
        "side": "On which tracks: test, validation or train; random: of the split that leaks.",
        "regime": "seen_artist, new_artist, other (tracks that are neither) or all.",
        "genre": "The genre it is a figure of; NULL: all together.",
        "metric": "Its name: accuracy, f1, log_loss and so on.",
        "value": "The figure; NULL where there was nothing to measure.",
        "low": "Its lower 95% bound, resampling artists; NULL: none was computed.",
        "high": "Its upper 95% bound.",
        "n": "Tracks it was measured on.",
    },
    _model_metrics,
)
