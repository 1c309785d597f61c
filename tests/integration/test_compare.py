"""Compare estimators, feature sets and sizes on the same frozen folds; every trial is a row."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, func
from sqlalchemy import select as choose

from classifier.data.training_data import split_dataset
from classifier.experiments import compare, store, trials
from classifier.experiments.compare import ComparisonGrid, ComparisonResult
from classifier.experiments.store import Experiment, ExperimentSpec
from classifier.training_config import TrainingConfig
from genrebase.store import tables
from genrebase.store.engine import read_transaction
from tests.classifier_cli import refusal, run_json
from tests.experiment import Killed, context, kill_after
from tests.fakes import FakeClock
from tests.synthetic_music import Music

CHOICE = TrainingConfig(min_tracks=20)
GRID = ComparisonGrid(("dummy", "logistic"), (("audio",), ("audio", "metadata")), (20, None))


def run(engine: Engine, grid: ComparisonGrid = GRID, **more: Any) -> ComparisonResult:
    return compare.run(context(engine, **more), CHOICE, grid)


def count(engine: Engine, table: Any) -> int:
    with read_transaction(engine) as connection:
        return connection.scalar(choose(func.count()).select_from(table)) or 0


@pytest.fixture
def music(engine: Engine) -> Engine:
    Music().fill(engine)
    return engine


def test_every_combination_is_a_row(music: Engine):
    """Each row has time, size, training and test accuracy, and both regimes with intervals."""
    result = run(music)
    combinations = {
        (row["estimator"], tuple(row["features"]), row["per_genre"]) for row in result.rows
    }
    assert len(combinations) == len(result.rows) == 8
    best = result.rows[0]
    assert best["estimator"] == "logistic"
    assert best["seconds"] >= 0
    assert best["artifact_bytes"] > 1000
    assert best["training_accuracy"] > 0.8
    for regime in ("new_artist", "seen_artist"):
        metrics = best["metrics"][regime]
        assert metrics["interval"][0] <= metrics["accuracy"] <= metrics["interval"][1]
        assert metrics["accuracy"] > metrics["baseline"]
        assert metrics["n"] > 0
    small = [row for row in result.rows if row["per_genre"] == 20]
    assert {row["trained_rows"] for row in small} == {60}
    assert (result.failed, result.nothing_new) == ((), False)


def test_a_killed_comparison_resumes(music: Engine):
    """Stored trials are kept, and the result equals that of an uninterrupted run."""

    with pytest.raises(Killed):
        run(music, progress=kill_after(3))
    assert count(music, tables.trial) == 3
    with read_transaction(music) as connection:
        (finished,) = connection.scalars(choose(tables.experiment.c.finished_at))
        first_three = connection.execute(choose(tables.trial)).all()
    assert finished is None
    result = run(music)
    with read_transaction(music) as connection:
        assert connection.execute(choose(tables.trial)).all()[:3] == first_three
    assert (len(result.rows), count(music, tables.experiment)) == (8, 1)
    again = run(music)
    assert (again.nothing_new, again.experiment) == (True, result.experiment)
    assert again.rows == result.rows


def test_metrics_are_reproducible_to_the_last_digit(sqlite_engine: Engine):
    """A second experiment with the same data and seed has the same metrics."""
    Music().fill(sqlite_engine)
    grid = ComparisonGrid(("logistic",), (("audio",),))
    first, second = run(sqlite_engine, grid), run(sqlite_engine, grid, again=True)
    assert second.experiment != first.experiment
    assert [row["metrics"] for row in second.rows] == [row["metrics"] for row in first.rows]


def test_folds_are_rotated(sqlite_engine: Engine):
    """Over several rotations a metric is a mean, over different test tracks each time."""
    Music().fill(sqlite_engine)
    (row,) = run(
        sqlite_engine, ComparisonGrid(("logistic",), (("audio",),), rotations=(0, 1, 2))
    ).rows
    (one,) = run(sqlite_engine, ComparisonGrid(("logistic",), (("audio",),))).rows
    assert (row["folds"], one["folds"]) == (3, 1)
    assert row["metrics"]["new_artist"]["n"] > one["metrics"]["new_artist"]["n"]
    with read_transaction(sqlite_engine) as connection:
        trial = tables.trial.c
        folds = connection.execute(choose(trial.test_fold, trial.validation_fold)).all()
    assert [tuple(fold) for fold in folds] == [(9, 8), (0, 9), (1, 0), (9, 8)]


def test_a_combination_that_cannot_be_fitted_is_reported(sqlite_engine: Engine):
    """A combination that fails is a row with its error; the others are evaluated."""
    Music().fill(sqlite_engine)
    snapshot, clock = Music().snapshot(), FakeClock()
    wrong = replace(CHOICE, estimator="logistic", params={"C": -1.0})
    failed, fitted = trials.run_trial(split_dataset(snapshot, wrong), wrong, clock, cores=1)
    assert fitted is None
    assert "'C'" in (failed.error or "")
    grid = ComparisonGrid(("dummy", "logistic"), (("audio",),))
    with pytest.raises(Killed):
        run(sqlite_engine, grid, progress=kill_after(1))
    experiment = Experiment(1, finished=False)
    first, last = grid.trials()
    assert experiment.configuration_number(first) == 1
    store.store_trial(sqlite_engine, experiment, last, failed, clock)
    compared = run(sqlite_engine, grid)
    assert compared.experiment == experiment.id
    assert [row["estimator"] for row in compared.rows] == ["dummy"]
    (trial,) = compared.failed
    assert (trial["estimator"], trial["error"]) == ("logistic", failed.error)


def test_a_trial_is_stored_once(music: Engine):
    """Two processes that run the same trial store one row, with its metrics once."""
    grid = ComparisonGrid(("dummy",), (("audio",),))
    spec = ExperimentSpec("compare", asdict(grid), CHOICE, "data", None)
    clock = FakeClock()
    mine = store.create_or_resume(music, spec, clock.now())
    theirs = store.create_or_resume(music, spec, clock.now())
    (trial,) = grid.trials()
    result = trials.TrialResult(10, 1.0, score=0.5)
    for one in (mine, theirs):
        store.store_trial(music, one, trial, result, clock)
    assert mine.id == theirs.id
    assert count(music, tables.trial) == 1


def test_storing_a_trial_waits_for_the_database(music: Engine):
    """A finished trial is not lost if the database is unavailable at that moment."""
    grid = ComparisonGrid(("dummy",), (("audio",),))
    spec = ExperimentSpec("compare", asdict(grid), CHOICE, "data", None)
    clock = FakeClock()
    experiment = store.create_or_resume(music, spec, clock.now())
    (trial,) = grid.trials()
    unavailable = iter([True, True, False])

    @event.listens_for(music, "do_connect", insert=True)
    def refuse(*_: Any) -> None:
        if next(unavailable, False):
            raise music.dialect.loaded_dbapi.OperationalError("gone away")

    music.dispose()
    store.store_trial(music, experiment, trial, trials.TrialResult(10, 1.0), clock)
    assert count(music, tables.trial) == 1
    assert clock.monotonic() > 0


def test_the_command(database: Engine):
    """The JSON has rows; wrong options are refused with a message."""
    options = ("compare", "--estimators", "dummy,logistic", "--min-tracks", "20")
    result = run_json(*options, "--feature-sets", "audio,metadata;audio", "--per-genre", "20,all")
    assert len(result["rows"]) == 8
    assert result["failed"] == []
    assert refusal("compare", "--estimators", "logistik")[1].startswith(
        "There is no estimator 'logistik'"
    )
    for wrong in (("--rotations", "11"), ("--per-genre", "some"), ("--feature-sets", "smell")):
        code, sentence = refusal(*options, *wrong)
        assert (code, sentence.count(".") > 0) == (2, True)


def test_a_snapshot_repeats_a_comparison(database: Engine, tmp_path: Path):
    """On a snapshot the metrics are those of the database, to the last digit."""
    folder = str(tmp_path / "frozen")
    run_json("snapshot", folder, "--min-tracks", "20", "--features", "audio")
    options = ("compare", "--estimators", "logistic")
    before = run_json(*options, "--feature-sets", "audio", "--min-tracks", "20")
    with database.begin() as connection:
        connection.execute(tables.track.delete().where(tables.track.c.id % 2 == 0))
    after = run_json(*options, "--snapshot", folder)
    for name in ("trained_rows", "training_accuracy", "metrics", "features"):
        assert after["rows"][0][name] == before["rows"][0][name]
