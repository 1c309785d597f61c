"""Work on the processes of a cluster gives the same rows as work in one process."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, delete, select

from classifier import distributed_fits, estimators
from classifier.data import soft_labels, training_data
from classifier.experiments import compare, learning_curve, tune
from classifier.experiments.search_settings import SearchSettings
from classifier.registry import stored_models
from classifier.serving import batch_predict
from classifier.serving.cluster_predict import ClusterPrediction
from classifier.training import train
from classifier.training.out_of_fold_predictions import predict_out_of_fold
from classifier.training_config import TrainingConfig
from genrebase.errors import GenrebaseError, UserError
from genrebase.runtime import jobs
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.cluster import Cluster, open_cluster
from genrebase.runtime.cluster_database import CommandRun, require_shared_database
from genrebase.runtime.range_leases import IdRange, leased
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests import cluster_tasks
from tests import factories as make
from tests.experiment import context
from tests.synthetic_music import Music

CLOCK = SystemClock()
_UNEQUAL = {"seconds", "finished_at", "artifact_bytes"}


@pytest.fixture(scope="module")
def database(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Yield a database with a champion; the workers have its URL from their environment."""
    path = tmp_path_factory.mktemp("cluster") / "genrebase.db"
    shutil.copyfile(migrated_sqlite, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORE_URL", f"sqlite:///{path}")
        engine = make_engine()
        Music().fill(engine)
        choice = TrainingConfig(estimator="logistic", features=("audio", "metadata"))
        train.run(engine, choice, CLOCK, log=lambda _: None, cores=1)
        yield engine
        engine.dispose()


@pytest.fixture(scope="module")
def cluster(database: Engine) -> Iterator[Cluster]:
    """Yield a cluster of two processes, which all tests share: they take seconds to start."""
    with open_cluster("local:2") as cluster:
        assert cluster is not None
        yield cluster


def test_results_come_in_order(cluster: Cluster) -> None:
    """There are more arguments than tasks are sent ahead."""
    results = list(cluster.results_in_order(cluster_tasks.double, range(30)))
    assert results == [(number, 2 * number) for number in range(30)]


def test_an_error_on_a_worker_is_a_sentence(cluster: Cluster) -> None:
    """Our errors keep their sentence; others are named without their secrets."""
    with pytest.raises(GenrebaseError, match=r"^There is no number 7\.$"):
        cluster.submit(cluster_tasks.refuse, 7).result()
    with pytest.raises(GenrebaseError, match="ZeroDivisionError") as raised:
        cluster.submit(cluster_tasks.fail, 7).result()
    assert "secret" not in str(raised.value)


def predictions(database: Engine) -> list[tuple[Any, ...]]:
    row = tables.prediction.c
    columns = [column for column in row if column.name != "predicted_at"]
    query = select(*columns).where(~row.in_training)
    with read_transaction(database) as connection:
        return [tuple(one) for one in connection.execute(query.order_by(row.track_id, row.rank))]


def delete_predictions(database: Engine) -> None:
    with transaction(database) as connection:
        connection.execute(delete(tables.prediction).where(~tables.prediction.c.in_training))


def predict_in_ranges(database: Engine, cluster: Cluster, size: int) -> Any:
    model = stored_models.champion(database, "main")
    tracks = np.arange(1, 481)
    with jobs.job_run(database, CLOCK, "predict") as job:
        prediction = ClusterPrediction(database, cluster, CLOCK, lambda *_, **__: None, size)
        return prediction.run(job, model, tracks, CLOCK.now())


def assert_same_predictions(rows: list[Any], expected: list[Any]) -> None:
    """Equal, the probabilities up to the rounding of batches of other sizes."""
    assert [(*row[:4], *row[5:]) for row in rows] == [(*row[:4], *row[5:]) for row in expected]
    assert [row[4] for row in rows] == pytest.approx([row[4] for row in expected], abs=1e-7)


def test_workers_predict_what_one_process_predicts(database: Engine, cluster: Cluster) -> None:
    """The same rows, in several ranges; a second run finds nothing new."""
    alone = batch_predict.run(database, CLOCK, progress=lambda *_, **__: None)
    expected = predictions(database)
    assert len(expected) == alone.written > 100
    delete_predictions(database)
    done = predict_in_ranges(database, cluster, 100)
    assert_same_predictions(predictions(database), expected)
    assert (done.scored, done.written) == (alone.scored, alone.written)
    with read_transaction(database) as connection:
        assert connection.execute(select(tables.range_lease)).all() == []
    again = batch_predict.run(database, CLOCK, progress=lambda *_, **__: None, cluster=cluster)
    assert again.scored == 0


def test_a_range_of_another_run_is_left_to_it(database: Engine) -> None:
    """Unless that run has ended."""
    rows = IdRange("predict 1", 0, 99)
    with transaction(database) as connection:
        running = make.add_job_run(connection, "predict", "running")
        ended = make.add_job_run(connection, "predict", "interrupted")
    with leased(database, rows, running) as ours:
        assert ours
        with leased(database, rows, running + 100) as others:
            assert not others
        with leased(database, rows, running) as again:
            assert again
    with leased(database, rows, ended), leased(database, rows, running) as taken_over:
        assert taken_over
    with transaction(database) as connection:
        connection.execute(delete(tables.job_run).where(tables.job_run.c.id == running))


def test_workers_need_the_database_of_the_command(database: Engine, other_engine: Engine) -> None:
    """A SQLite file is no database of other computers, nor is another one ours."""
    require_shared_database(database, "local:2")
    with pytest.raises(UserError, match="SQLite"):
        require_shared_database(database, "tcp://host:8786")
    with jobs.job_run(database, CLOCK, "predict") as job:
        run = CommandRun.of_this_process(job.id)
        run.require(database)
        with pytest.raises(UserError, match="another database"):
            run.require(other_engine)


def trial_rows(engine: Engine) -> list[str]:
    """Return trials and metrics, in the order in which they were stored.

    Times are not compared, nor the size of an artifact: it holds addresses of objects.
    """
    trial, metric = tables.trial.c, tables.trial_metric.c
    columns = [one for one in trial if one.name not in _UNEQUAL]
    with read_transaction(engine) as connection:
        trials = connection.execute(select(*columns).order_by(trial.id)).all()
        query = select(tables.trial_metric).order_by(metric.trial_id, metric.id)
        return [repr(tuple(row)) for row in (*trials, *connection.execute(query))]


def test_trials_on_workers_are_stored_as_those_of_one_process(
    database: Engine, cluster: Cluster, other_engine: Engine
) -> None:
    """Also in their order, of a comparison, a learning curve and a search."""
    Music().fill(other_engine)
    config = TrainingConfig(estimator="logistic", features=("audio",), min_tracks=20)
    grid = compare.ComparisonGrid(("dummy", "logistic"), (("audio",),))
    search = SearchSettings({"C": (0.01, 0.1)}, "exhaustive", cv_folds=1)
    results = []
    for engine, workers in ((database, cluster), (other_engine, None)):
        experiment = context(engine, clock=CLOCK, cluster=workers)
        compare.run(experiment, config, grid)
        learning_curve.run(experiment, config, sizes=(20, 40))
        tune.run(experiment, config, search)
        results.append(trial_rows(engine))
    assert results[0] == results[1]
    assert sum("accuracy_gain" in row for row in results[0]) > 1


def test_parts_of_a_training_are_the_same_on_workers(cluster: Cluster) -> None:
    """A binary classifier per genre, and the refits that predict the training tracks."""
    config = TrainingConfig(estimator="voting", features=("audio",), min_tracks=20)
    split = training_data.split_dataset(Music(artists=30).snapshot(), config)
    frame, data = split.tracks[split.train_mask], split.training_set()
    classes, validation = np.asarray(split.classes), split.validation()
    results = []
    for workers in (cluster, None):
        with distributed_fits.fits_on(workers):
            estimator = estimators.build(config, threads=1)
            refits = predict_out_of_fold(
                estimator, frame, data, validation, classes, lambda _: None
            )
            fitted = soft_labels.fit(estimator, data, validation)
        results.append((fitted.predict_proba(frame), refits))
    for on_workers, alone in zip(*results, strict=True):
        assert np.array_equal(on_workers, alone)


@pytest.mark.processes
def test_tasks_of_dead_workers_are_done_by_others(cluster: Cluster, tmp_path: Path) -> None:
    """Every task kills the first worker that has it, and the shared value is sent again."""
    shared = cluster.share(str(tmp_path))
    results = dict(cluster.results(cluster_tasks.die_once, range(2), shared))
    assert results == {number: (number, str(tmp_path)) for number in range(2)}
