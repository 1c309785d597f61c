"""Models: the champions' predictions, metrics, the leaderboard and training epochs."""

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Label,
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
LICENCE_CLASS: Final = (
    "The most restrictive licence class among the labels and features that the model was trained "
    "on: own (annotations only), open, noncommercial, unknown or restricted; NULL where it was "
    "not recorded."
)
_FINE: Final = "fine"
"""The level of a model that predicts the genres that tracks have as labels."""


SIBLINGS: Final = (
    "How many other tracks of the artist the prediction was pooled with (`classifier predict "
    "--pool-siblings`); NULL: the track alone."
)


@view(
    "One row per track with a prediction by the champion of the task main: the most probable "
    "genre, with the track's claim and verdict.",
    {
        **shared.TRACK_REFERENCE,
        "claim": shared.LABEL_DESCRIPTIONS["claim"],
        "verdict": shared.LABEL_DESCRIPTIONS["verdict"],
        "genre": "The predicted genre.",
        "probability": "The probability of the predicted genre, 0 to 1.",
        "margin": "Probability minus that of the second genre, 0 to 1.",
        "correct": "Whether the predicted genre is the verdict, or else the claim; NULL without "
        "either.",
        **shared.PREDICTION_DESCRIPTIONS,
        "licence_class": LICENCE_CLASS,
        "siblings": SIBLINGS,
    },
)
def predictions(_providers: Providers) -> Select[Any]:
    track, champion = tables.track, shared.champion_id()
    labelled = shared.labelled_tracks()
    first, second = tables.prediction.alias("first"), tables.prediction.alias("second")
    predicted = tables.genre.alias("predicted")
    source = (
        labelled.source.join(
            first,
            and_(first.c.track_id == track.c.id, first.c.model_id == champion, first.c.rank == 1),
        )
        .join(predicted, predicted.c.id == first.c.genre_id)
        .outerjoin(second, shared.same_track_and_model(second, first, second.c.rank == 2))
    )
    return select(
        *shared.track_reference(first),
        labelled.claim,
        labelled.verdict,
        predicted.c.name.label("genre"),
        first.c.probability,
        shared.margin(first, second),
        (first.c.genre_id == labelled.label_id).label("correct"),
        *shared.prediction_details(first),
        _champions_licence_class(),
        first.c.siblings,
    ).select_from(source)


def _champions_licence_class() -> Label[Any]:
    """Return the licence class of the champion: evaluated once, not per row."""
    model = tables.model.alias("champion_model")
    is_champion = (model.c.task == "main", model.c.status == "champion")
    return (
        select(model.c.licence_class).where(*is_champion).scalar_subquery().label("licence_class")
    )


@view(
    "One row per model and regime: its main metrics on the test tracks, and the baseline. The "
    "metrics of models without rows in `model_metrics` are NULL.",
    {
        "task": shared.MODEL_REFERENCE["task"],
        "regime": "The test condition: seen_artist or new_artist.",
        "place": "Its rank by accuracy among the models of the task in this regime.",
        "model_id": "The model's ID.",
        "estimator": "The type of model.",
        "status": shared.MODEL_REFERENCE["status"],
        "pinned": "Whether it is protected from pruning.",
        "created_at": "When it was trained.",
        "trained_rows": "Number of training tracks.",
        "n": "Test tracks of this regime, NULL without any.",
        "accuracy": "Share of tracks whose predicted genre is right.",
        "accuracy_low": "Lower bound of the accuracy's 95% confidence interval, by bootstrap over "
        "artists.",
        "accuracy_high": "Upper bound of the accuracy's 95% confidence interval.",
        "baseline": "Accuracy of always predicting the majority class.",
        "gain": "Accuracy minus baseline.",
        "macro_f1": "F1 averaged over genres.",
        "top3": "Share of tracks whose genre is among the three most probable.",
        "log_loss": "Mean negative logarithm of the right genre's probability.",
        "ece": "Expected calibration error: mean difference between confidence and accuracy.",
        "origin": "The synthetic catalogue of its training tracks, NULL for real tracks.",
        "reason": "The reason for its status.",
        "licence_class": LICENCE_CLASS,
    },
)
def model_leaderboard(_providers: Providers) -> Select[Any]:
    model, metric = tables.model, tables.model_metric
    regimes = union_all(
        *(select(cast(literal(name), Text).label("regime")) for name in REGIMES)
    ).subquery("regimes")

    def metric_of(name: str, column: ColumnElement[Any] = metric.c.value) -> ColumnElement[Any]:
        return func.max(case((metric.c.metric == name, column)))

    measured = (
        select(
            *shared.columns(metric, "model_id regime"),
            metric_of("accuracy", metric.c.n).label("n"),
            *(metric_of(name).label(name) for name in HEADLINE_METRICS),
            metric_of("accuracy", metric.c.low).label("low"),
            metric_of("accuracy", metric.c.high).label("high"),
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
        *shared.columns(model, "id:model_id estimator status pinned created_at trained_rows"),
        *shared.columns(measured, "n accuracy low:accuracy_low high:accuracy_high baseline"),
        (measured.c.accuracy - measured.c.baseline).label("gain"),
        *shared.columns(measured, "macro_f1 top3 log_loss ece"),
        *shared.columns(model, "origin reason licence_class"),
    ).select_from(
        model.join(regimes, literal(1) == 1).outerjoin(
            measured,
            and_(measured.c.model_id == model.c.id, measured.c.regime == regimes.c.regime),
        )
    )


def _level() -> ColumnElement[Any]:
    return func.coalesce(tables.model.c.training_config["level"].as_string(), _FINE)


@view(
    "One row per task and track with a prediction by the task's champion: the most probable "
    "genre. For the task main these are the rows of `predictions`.",
    {
        "task": shared.MODEL_REFERENCE["task"],
        "level": "fine: the model predicts the genres that tracks have as labels; broad: broad "
        "genres.",
        **shared.TRACK_REFERENCE,
        "label": shared.LABEL_DESCRIPTIONS["label"],
        "genre": "The predicted genre.",
        "probability": "The probability of the predicted genre, 0 to 1.",
        "margin": "Probability minus that of the second genre, 0 to 1.",
        "correct": "Whether the predicted genre is the label; false if the label is "
        "no genre of the model. NULL for a track without a label, and for level broad, because "
        "labels are fine genres.",
        **shared.PREDICTION_DESCRIPTIONS,
        "licence_class": LICENCE_CLASS,
        "siblings": SIBLINGS,
    },
)
def task_predictions(_providers: Providers) -> Select[Any]:
    track, model = tables.track, tables.model
    labelled = shared.labelled_tracks()
    first, second = tables.prediction.alias("first"), tables.prediction.alias("second")
    predicted = tables.genre.alias("predicted")
    source = (
        labelled.source.join(first, and_(first.c.track_id == track.c.id, first.c.rank == 1))
        .join(model, and_(model.c.id == first.c.model_id, model.c.status == "champion"))
        .join(predicted, predicted.c.id == first.c.genre_id)
        .outerjoin(second, shared.same_track_and_model(second, first, second.c.rank == 2))
    )
    return select(
        model.c.task,
        _level().label("level"),
        *shared.track_reference(first),
        labelled.label,
        predicted.c.name.label("genre"),
        first.c.probability,
        shared.margin(first, second),
        case((_level() == _FINE, first.c.genre_id == labelled.label_id)).label("correct"),
        *shared.prediction_details(first),
        model.c.licence_class,
        first.c.siblings,
    ).select_from(source)


@view(
    "One row per stored metric of a model, for each side, regime and genre. "
    "Rejected models without an artifact keep only test metrics over all genres. A model "
    "without an artifact has rows only if it is among the latest CLASSIFIER_MODELS_REMEMBERED "
    "models of its task.",
    {
        "task": shared.MODEL_REFERENCE["task"],
        "model_id": "The model's ID.",
        "estimator": "The type of model.",
        "status": shared.MODEL_REFERENCE["status"],
        "side": "The tracks: test, validation or train; random: a random split, which leaks.",
        "regime": "seen_artist; new_artist; new_artist_with_siblings: predicted together with "
        "the artist's other tracks, without their labels; other: none of these; all: every track.",
        "genre": "The genre that the metric is for, NULL over all genres.",
        "metric": "The metric's name: accuracy, f1, log_loss and so on.",
        "value": "The value; NULL without any track to evaluate.",
        **shared.INTERVAL,
        "n": "Evaluated tracks.",
    },
)
def model_metrics(_providers: Providers) -> Select[Any]:
    model, metric, genre = tables.model, tables.model_metric, tables.genre
    return select(
        *shared.columns(model, "task id:model_id estimator status"),
        *shared.columns(metric, "side regime"),
        genre.c.name.label("genre"),
        *shared.columns(metric, "metric value low high n"),
    ).select_from(
        metric.join(model, model.c.id == metric.c.model_id).outerjoin(
            genre, genre.c.id == metric.c.genre_id
        )
    )


@view(
    "One row per epoch of each model that is trained in epochs (mlp, cnn).",
    {
        "model_id": "The model's ID.",
        "task": shared.MODEL_REFERENCE["task"],
        "status": shared.MODEL_REFERENCE["status"],
        "estimator": "The type of model.",
        "epoch": "Passes over the training tracks, from 1.",
        "train_loss": "Log loss in nats on the training tracks during training, with dropout and "
        "label smoothing; mean over its networks.",
        "validation_loss": "Log loss on the validation tracks; mean over its networks.",
        "validation_accuracy": "Accuracy of all networks together on the validation tracks.",
        "learning_rate": "The learning rate at the end of the epoch.",
        "seconds": "Duration of the epoch.",
    },
)
def training_epochs(_providers: Providers) -> Select[Any]:
    model, epoch = tables.model, tables.training_epoch
    return select(
        epoch.c.model_id,
        *shared.columns(model, "task status estimator"),
        *shared.columns(
            epoch, "epoch train_loss validation_loss validation_accuracy learning_rate seconds"
        ),
    ).select_from(epoch.join(model, model.c.id == epoch.c.model_id))
