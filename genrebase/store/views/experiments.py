"""Experiments: what comparisons, tunings and learning curves found, as one long table."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Double, Integer, Select, Text, case, cast, func, select

from genrebase.store import tables
from genrebase.store.views.definition import Providers, view

T_CRITICAL_VALUES: Final = {
    2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262,
}  # fmt: skip
"""Folds to the 97.5% point of Student's t with one degree of freedom less."""


def _experiment_results(_providers: Providers) -> Select[Any]:
    experiment, found = tables.experiment, _over_folds().subquery("found")
    margin = found.c.error * case(T_CRITICAL_VALUES, value=found.c.folds)
    single = found.c.folds == 1
    return select(
        experiment.c.id.label("experiment_id"),
        experiment.c.kind,
        experiment.c.task,
        experiment.c.created_at,
        experiment.c.finished_at,
        found.c.number,
        found.c.estimator,
        found.c.features,
        found.c.params,
        found.c.per_genre,
        found.c.binary_genre,
        found.c.side,
        found.c.regime,
        found.c.genre,
        found.c.metric,
        found.c.value,
        case((single, found.c.low), else_=found.c.value - margin).label("low"),
        case((single, found.c.high), else_=found.c.value + margin).label("high"),
        found.c.n,
        found.c.folds,
        found.c.trained_rows,
        found.c.seconds,
        found.c.artifact_bytes,
        found.c.training_score,
        found.c.score,
        experiment.c.origin,
    ).select_from(experiment.join(found, found.c.experiment_id == experiment.c.id))


def _over_folds() -> Select[Any]:
    """Return each figure of a configuration, averaged over the folds it was measured on."""
    trial, metric = tables.trial, tables.trial_metric
    value, folds = metric.c.value, func.count(metric.c.value)
    mean = func.avg(value)
    variance = (func.sum(value * value) - folds * mean * mean) / func.nullif(folds - 1, 0)
    what = (trial.c.experiment_id, trial.c.number, trial.c.per_genre, trial.c.binary_genre)
    figure = (metric.c.side, metric.c.regime, metric.c.genre, metric.c.metric)
    return (
        select(
            *what,
            *figure,
            func.max(trial.c.estimator).label("estimator"),
            func.max(trial.c.features).label("features"),
            func.max(cast(trial.c.params, Text)).label("params"),
            cast(mean, Double).label("value"),
            func.sqrt(case((variance > 0, variance / folds), else_=0.0)).label("error"),
            func.max(metric.c.low).label("low"),
            func.max(metric.c.high).label("high"),
            cast(func.sum(metric.c.n), Integer).label("n"),
            cast(folds, Integer).label("folds"),
            _mean(trial.c.trained_rows).label("trained_rows"),
            _mean(trial.c.seconds).label("seconds"),
            _mean(trial.c.artifact_bytes).label("artifact_bytes"),
            _mean(trial.c.training_score).label("training_score"),
            _mean(trial.c.score).label("score"),
        )
        .select_from(trial.join(metric, metric.c.trial_id == trial.c.id))
        .group_by(*what, *figure)
    )


def _mean(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.avg(column), Double)


experiment_results = view(
    "experiment_results",
    "One row per figure of what `compare`, `tune` and `learning-curve` tried, averaged over the "
    "folds it was measured on.",
    {
        "experiment_id": "The experiment's number.",
        "kind": "compare, tune or learning_curve.",
        "task": "The question that the models were to answer.",
        "created_at": "When it began.",
        "finished_at": "When all was tried, NULL where something is left to try.",
        "number": "Of the configuration, from 1.",
        "estimator": "What kind of model it is.",
        "features": "The feature groups it looks at, joined by ','.",
        "params": "Its parameters that differ from the defaults, as JSON.",
        "per_genre": "How many tracks of each genre it learned from at most, NULL for all.",
        "binary_genre": "The genre that it tells from the rest, NULL where it tells all apart.",
        "side": "test; validation where it was to be chosen by.",
        "regime": "seen_artist, new_artist, other (a known side, an unknown artist) or all.",
        "genre": "The genre the figure is about, NULL over all genres.",
        "metric": "accuracy, macro_f1, f1 and so on; f1_gain: F1 less that of the smaller size.",
        "value": "The figure; over several folds the mean.",
        "low": "Lower 95% bound: resampling artists; over several folds by Student's t.",
        "high": "Upper 95% bound.",
        "n": "Tracks it was measured on, in all folds together.",
        "folds": "Over how many folds it is averaged.",
        "trained_rows": "Tracks it learned from, on average.",
        "seconds": "Of learning and answering, on average.",
        "artifact_bytes": "Size of the stored model, on average, NULL where it was not measured.",
        "training_score": "Accuracy on tracks it learned from, on average.",
        "score": "What `tune` chose by, on average over folds, NULL for the others.",
        "origin": "The invented catalogue it was tried on, NULL for a real one.",
    },
    _experiment_results,
)
