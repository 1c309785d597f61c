"""Experiment results on one fold and averaged over several, on both engines."""

import statistics

import pytest
from sqlalchemy import Engine, select, update

from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests.fakes import NOON


def results(engine: Engine) -> list:
    view = views.experiment_results
    with read_transaction(engine) as connection:
        return list(connection.execute(select(view).order_by(view.c.number)).mappings())


def test_one_fold_keeps_its_own_interval(engine: Engine):
    """A metric on one fold keeps its interval from the bootstrap over artists."""
    with transaction(engine) as connection:
        experiment = make.add_experiment(connection, task="moods", origin="seed 1")
        trial = make.add_trial(connection, experiment, per_genre=300)
        make.add_trial_metric(connection, trial, "accuracy", 0.5, low=0.4, high=0.7)
        make.add_trial_metric(connection, trial, "verdict_accuracy", None, n=0)
    by_metric = {row["metric"]: row for row in results(engine)}
    row = by_metric["accuracy"]
    assert (row["value"], row["low"], row["high"], row["folds"]) == (0.5, 0.4, 0.7, 1)
    assert (row["kind"], row["task"], row["origin"]) == ("compare", "moods", "seed 1")
    assert (row["estimator"], row["features"], row["per_genre"]) == (
        "logistic", "audio,metadata", 300,
    )  # fmt: skip
    assert (row["trained_rows"], row["seconds"], row["artifact_bytes"]) == (100, 1.5, 1000)
    assert (row["created_at"], row["finished_at"], row["score"]) == (NOON, None, None)
    assert by_metric["verdict_accuracy"]["value"] is None


def test_several_folds_are_averaged(engine: Engine):
    """Over folds a metric is their mean; its interval is Student's t over the folds."""
    values = [0.3, 0.5, 0.55, 0.4]
    with transaction(engine) as connection:
        experiment = make.add_experiment(connection)
        for fold, value in enumerate(values):
            trial = make.add_trial(
                connection, experiment, key=str(fold), test_fold=fold, seconds=float(fold)
            )
            make.add_trial_metric(connection, trial, "accuracy", value, low=0.0, high=1.0)
    (row,) = results(engine)
    margin = 3.182 * statistics.stdev(values) / 2
    assert row["value"] == pytest.approx(statistics.mean(values))
    assert row["low"] == pytest.approx(statistics.mean(values) - margin)
    assert row["high"] == pytest.approx(statistics.mean(values) + margin)
    assert (row["folds"], row["n"], row["seconds"]) == (4, 200, 1.5)


@pytest.mark.parametrize(
    ("metric", "values", "low", "high"),
    [
        ("accuracy", (0.4, 0.6), None, None),
        ("accuracy", (0.7, 0.95, 0.9), "computed", 1.0),
        ("macro_f1", (0.0, 0.3, 0.1), 0.0, "computed"),
        ("f1_gain", (-0.4, 0.1, 0.2), "computed", "computed"),
        ("log_loss", (0.5, 2.5, 1.5), 0.0, "computed"),
    ],
)
def test_an_interval_means_something(
    engine: Engine,
    metric: str,
    values: tuple[float, ...],
    low: float | str | None,
    high: float | str | None,
):
    """Two folds have none; of several it ends where the metric's range ends."""
    with transaction(engine) as connection:
        experiment = make.add_experiment(connection)
        for fold, value in enumerate(values):
            trial = make.add_trial(connection, experiment, key=str(fold), test_fold=fold)
            make.add_trial_metric(connection, trial, metric, value, low=0.0, high=1.0)
    (row,) = results(engine)
    margin = 4.303 * statistics.stdev(values) / 3**0.5
    mean = statistics.mean(values)
    wanted = [
        mean + sign * margin if bound == "computed" else bound
        for sign, bound in ((-1, low), (1, high))
    ]
    assert [row["low"], row["high"]] == pytest.approx(wanted)


def test_configurations_sizes_and_genres_are_not_averaged(engine: Engine):
    """Metrics that differ in configuration, size, regime or genre are separate rows."""
    with transaction(engine) as connection:
        experiment = make.add_experiment(connection, "tune")
        for number, per_genre in ((1, 100), (1, 300), (2, 100)):
            key = f"{number} {per_genre}"
            trial = make.add_trial(
                connection, experiment, number=number, per_genre=per_genre, key=key, score=0.25
            )
            make.add_trial_metric(connection, trial, "f1", 0.5, genre="rock")
            make.add_trial_metric(connection, trial, "f1", 0.5, regime="seen_artist")
    rows = results(engine)
    assert len(rows) == 6
    assert {row["folds"] for row in rows} == {1}
    assert {row["score"] for row in rows} == {0.25}


def test_deleting_an_experiment_deletes_its_trials(engine: Engine):
    """No trial and no metric stays."""
    with transaction(engine) as connection:
        experiment = make.add_experiment(connection)
        trial = make.add_trial(connection, experiment)
        make.add_trial_metric(connection, trial, "accuracy", 0.5)
        connection.execute(update(tables.experiment).values(finished_at=NOON))
        connection.execute(tables.experiment.delete())
    assert results(engine) == []
    with read_transaction(engine) as connection:
        assert connection.execute(select(tables.trial_metric)).all() == []
