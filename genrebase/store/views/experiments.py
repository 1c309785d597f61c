"""The results of comparisons, hyperparameter searches and learning curves as one long table."""

from typing import Any, Final

from sqlalchemy import (
    Double,
    Integer,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    not_,
    or_,
    select,
)

from genrebase.store import tables
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view

T_CRITICAL_VALUES: Final = {
    3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262,
}  # fmt: skip
"""The 97.5% point of Student's t by number of folds (one more than the degrees of freedom).

Two folds have no entry, so no interval: it would be twelve standard errors wide on either side.
"""

_UNBOUNDED: Final = ("log_loss",)
"""Metrics that can be above 1; differences (`…_gain`) can also be negative."""


@view(
    "One row per metric of each configuration that `compare`, `tune` and "
    "`learning-curve` tried, averaged over its rotations (tune: folds).",
    {
        "experiment_id": "The experiment's ID.",
        "kind": "compare, tune or learning_curve.",
        "task": "The task of the models.",
        "created_at": "When it began.",
        "finished_at": "When the last trial finished, NULL where trials are missing.",
        "number": "The configuration's number, from 1.",
        "estimator": "The type of model.",
        "features": "The feature groups it uses, joined by ','.",
        "params": "Its parameters that differ from the defaults, as JSON.",
        "per_genre": "Maximum number of training tracks per genre, NULL for all.",
        "binary_genre": "The positive class of a one-vs-rest model, NULL for multi-class models.",
        "side": "test; validation for metrics that select a configuration.",
        "regime": "seen_artist, new_artist, other (tracks of the sides test_seen and "
        "validation_seen whose artists all have no training track) or all.",
        "genre": "The genre that the metric is for, NULL over all genres.",
        "metric": "accuracy, macro_f1, f1 and so on; f1_gain: F1 minus the F1 at the next smaller "
        "size.",
        "value": "The value; over several rotations (tune: folds) the mean.",
        "low": "Lower bound of the 95% confidence interval. One rotation: bootstrap over "
        "artists. Three or more: Student's t, within the metric's range. Two: NULL.",
        "high": "Upper bound of the 95% confidence interval.",
        "n": "Evaluated tracks, in all rotations or folds together.",
        "folds": "Number of rotations (tune: folds) in the mean.",
        "trained_rows": "Mean number of training tracks.",
        "seconds": "Mean duration of training and prediction.",
        "artifact_bytes": "Mean size of the stored model, NULL where it was not measured.",
        "training_score": "Mean accuracy on training tracks.",
        "score": "The criterion that `tune` selects by, mean over folds; NULL for other kinds.",
        "origin": "The synthetic catalogue of its tracks, NULL for real tracks.",
    },
)
def experiment_results(_providers: Providers) -> Select[Any]:
    experiment, result = tables.experiment, _over_folds().subquery("result")
    margin = result.c.error * case(T_CRITICAL_VALUES, value=result.c.folds)
    single = result.c.folds == 1
    is_gain = result.c.metric.endswith("_gain")
    low, high = result.c.value - margin, result.c.value + margin
    positive = case((and_(low < 0, not_(is_gain)), 0.0), else_=low)
    has_maximum = not_(or_(is_gain, result.c.metric.in_(_UNBOUNDED)))
    at_most_one = case((and_(high > 1, has_maximum), 1.0), else_=high)
    return select(
        *shared.columns(experiment, "id:experiment_id kind task created_at finished_at"),
        *shared.columns(result, "number estimator features params per_genre binary_genre"),
        *shared.columns(result, "side regime genre metric value"),
        case((single, result.c.low), else_=positive).label("low"),
        case((single, result.c.high), else_=at_most_one).label("high"),
        *shared.columns(
            result, "n folds trained_rows seconds artifact_bytes training_score score"
        ),
        experiment.c.origin,
    ).select_from(experiment.join(result, result.c.experiment_id == experiment.c.id))


def _over_folds() -> Select[Any]:
    """Return each metric of a configuration, averaged over its rotations (tune: folds)."""
    trial, metric = tables.trial, tables.trial_metric
    value, folds = metric.c.value, func.count(metric.c.value)
    mean = func.avg(value)
    variance = (func.sum(value * value) - folds * mean * mean) / func.nullif(folds - 1, 0)
    group = shared.columns(trial, "experiment_id number per_genre binary_genre")
    group += shared.columns(metric, "side regime genre metric")
    means = shared.columns(trial, "trained_rows seconds artifact_bytes training_score score")
    return (
        select(
            *group,
            func.max(trial.c.estimator).label("estimator"),
            func.max(trial.c.features).label("features"),
            func.max(cast(trial.c.params, Text)).label("params"),
            cast(mean, Double).label("value"),
            func.sqrt(case((variance > 0, variance / folds), else_=0.0)).label("error"),
            func.max(metric.c.low).label("low"),
            func.max(metric.c.high).label("high"),
            cast(func.sum(metric.c.n), Integer).label("n"),
            cast(folds, Integer).label("folds"),
            *(cast(func.avg(column), Double).label(column.key) for column in means),
        )
        .select_from(trial.join(metric, metric.c.trial_id == trial.c.id))
        .group_by(*group)
    )
