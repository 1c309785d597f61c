"""The trainer as a daemon: real processes on a real database."""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from classifier.daemon.daemon import Daemon
from classifier.errors import TrainingTimeout
from classifier.registry import stored_models
from classifier.settings import ClassifierSettings
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.jobs import last_run
from genrebase.runtime.schedule import InvalidSchedule
from genrebase.settings import child_environment
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction
from tests.fakes import NOON
from tests.synthetic_music import Music

QUICK = {"CLASSIFIER_ESTIMATOR": "logistic", "CLASSIFIER_LOOK_EVERY": "0.5"}
LOOKS = 300
"""A quarter of a second each."""


def wait_for(process: "subprocess.Popen[bytes]", condition: Callable[[], bool]) -> None:
    for _ in range(LOOKS):
        if condition():
            return
        try:
            process.wait(0.25)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail(f"the daemon ended with {process.returncode}")
    pytest.fail("it did not happen in time")


def predicted_tracks(engine: Engine) -> int:
    with read_transaction(engine) as connection:
        return (
            connection.scalar(
                select(func.count())
                .select_from(tables.prediction)
                .where(tables.prediction.c.rank == 1)
            )
            or 0
        )


def test_the_daemon_trains_predicts_and_stops_cleanly(database_url: str) -> None:
    """It fills an empty database with predictions for every track; SIGTERM ends it with 0."""
    engine = make_engine(database_url)
    Music().fill(engine, NOON - timedelta(days=30))
    argv = [sys.executable, "-m", "classifier", "run", "--json"]
    environment = child_environment(STORE_URL=database_url, **QUICK)
    process = subprocess.Popen(argv, env=environment, stderr=subprocess.PIPE)
    try:
        wait_for(process, lambda: predicted_tracks(engine) == 480)
        process.terminate()
        _, output = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, output.decode()
    train, predict = last_run(engine, "train"), last_run(engine, "predict")
    assert train is not None
    assert predict is not None
    assert (train.outcome, predict.outcome) == ("done", "done")
    assert train.counts["labelled"] == 480
    assert train.counts["service"] is predict.counts["service"] is True
    engine.dispose()


@pytest.fixture
def quick(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> ClassifierSettings:
    monkeypatch.setenv("STORE_URL", sqlite_url)
    monkeypatch.setenv("CLASSIFIER_ESTIMATOR", "logistic")
    return ClassifierSettings(_env_file=None)


def test_the_daemon_waits_for_enough_tracks(
    sqlite_engine: Engine, quick: ClassifierSettings
) -> None:
    """A fresh database starts no process and records no failure."""
    daemon = Daemon(sqlite_engine, quick, SystemClock())
    daemon.train()
    daemon.poll()
    assert last_run(sqlite_engine, "train") is None


def test_a_training_past_its_deadline_is_ended(
    sqlite_engine: Engine, quick: ClassifierSettings
) -> None:
    """The message names the settings to change; no partial model is stored."""
    Music().fill(sqlite_engine)
    short = quick.model_copy(update={"deadline": 0.01})
    with pytest.raises(TrainingTimeout, match=r"CLASSIFIER_DEADLINE.*--per-genre"):
        Daemon(sqlite_engine, short, SystemClock()).train()
    assert stored_models.models(sqlite_engine) == []


def test_after_giving_up_nothing_is_started(
    sqlite_engine: Engine, quick: ClassifierSettings
) -> None:
    """A stop between two steps leaves the next one undone."""
    Music().fill(sqlite_engine)
    daemon = Daemon(sqlite_engine, quick, SystemClock())
    daemon.cancel()
    daemon.train()
    assert last_run(sqlite_engine, "train") is None


def test_an_impossible_schedule_is_refused_at_start(
    sqlite_engine: Engine, quick: ClassifierSettings
) -> None:
    """The schedule is refused before any job runs."""
    wrong = quick.model_copy(update={"schedule": "0 3 * * * Nowhere/Land"})
    with pytest.raises(InvalidSchedule, match="time zone"):
        Daemon(sqlite_engine, wrong, SystemClock())
