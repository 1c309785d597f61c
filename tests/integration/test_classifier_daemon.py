"""The trainer as a daemon: real processes on a real database."""

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, insert, select

from classifier.daemon.daemon import Daemon
from classifier.daemon.metrics import TrainerHealth
from classifier.daemon.subprocesses import SubprocessRunner
from classifier.errors import ClassifierError
from classifier.registry import stored_models
from classifier.settings import ClassifierSettings
from genrebase.runtime import job_requests, jobs
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.jobs import last_run
from genrebase.runtime.process_identity import ProcessIdentity
from genrebase.runtime.schedule import InvalidSchedule
from genrebase.settings import child_environment
from genrebase.store import features_provider, tables
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests import factories as make
from tests.fakes import NOON, FakeClock
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


@pytest.mark.processes
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


class RecordingRunner:
    """Records the commands instead of running them."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, ...]] = []

    def __call__(self, *arguments: str) -> None:
        self.commands.append(tuple(one for one in arguments if not one.isdigit()))

    def cancel(self) -> None:
        """Nothing runs."""


TRAIN = ("train", "--niceness")


def without_features(engine: Engine, at: datetime) -> list[dict[str, Any]]:
    """Fill a database, take its features away, and return their rows."""
    Music().fill(engine, at)
    with transaction(engine) as connection:
        rows = connection.execute(select(tables.audio_features)).mappings().all()
        connection.execute(delete(tables.audio_features))
        features_provider.choose_all(connection)
    return [{**row, "fetched_at": at} for row in rows]


def test_requested_jobs_run_once(sqlite_engine: Engine, quick: ClassifierSettings) -> None:
    """A requested training runs also where no new tracks are; while one runs, requests wait."""
    clock, runner = FakeClock(), RecordingRunner()
    Music().fill(sqlite_engine, NOON)
    daemon = Daemon(sqlite_engine, quick, clock, runner)
    daemon.run_requested()
    assert runner.commands == []
    first = job_requests.add(sqlite_engine, clock, "train", "Ann")
    assert job_requests.add(sqlite_engine, clock, "train", "Bo") == first
    with daemon._training:
        daemon.run_requested()
    assert runner.commands == []
    daemon.run_requested()
    daemon.run_requested()
    assert runner.commands == [TRAIN]
    with read_transaction(sqlite_engine) as connection:
        (taken,) = job_requests.latest(connection, 5)
    assert (taken.requested_by, taken.taken_at) == ("Ann", NOON)
    assert job_requests.add(sqlite_engine, clock, "train").id != first.id


@pytest.mark.parametrize(
    ("setting", "options"), [({}, ("--licence", "open")), ({"licence": "any"}, ())]
)
def test_it_trains_under_the_licences_of_the_champion(
    sqlite_engine: Engine,
    quick: ClassifierSettings,
    setting: dict[str, str],
    options: tuple[str, ...],
) -> None:
    """A model that was trained under a wider licence would be rejected, unless it is wanted."""
    Music().fill(sqlite_engine, NOON)
    with transaction(sqlite_engine) as connection:
        make.add_model(connection, training_config={"licence": "open"})
    runner = RecordingRunner()
    settings = quick.model_copy(update={"refit": False, **setting})
    job_requests.add(sqlite_engine, FakeClock(), "train")
    Daemon(sqlite_engine, settings, FakeClock(), runner).run_requested()
    assert runner.commands[0] == (*TRAIN, *options)


def test_the_first_training_waits_for_features(
    sqlite_engine: Engine, quick: ClassifierSettings
) -> None:
    """`status` and health say so; it trains when half of the tracks have them, once."""
    clock, runner = FakeClock(), RecordingRunner()
    features = without_features(sqlite_engine, NOON)
    daemon = Daemon(sqlite_engine, quick, clock, runner)
    daemon.train()
    daemon.poll()
    assert runner.commands == []
    sentence = TrainerHealth(sqlite_engine, clock, quick).check().sentence
    assert "waits for audio features: 0 of 480 labelled tracks have them, 240 more" in sentence
    with transaction(sqlite_engine) as connection:
        connection.execute(insert(tables.audio_features), features[:239])
        features_provider.choose_all(connection)
    clock.advance(60)
    daemon.poll()
    assert runner.commands == []
    with transaction(sqlite_engine) as connection:
        connection.execute(insert(tables.audio_features), features[239:240])
        features_provider.choose_all(connection)
    daemon.poll()
    daemon.poll()
    assert runner.commands == [TRAIN]


@pytest.mark.parametrize(
    ("seconds", "settings"),
    [(0, {"feature_share": 0.0}), (600, {}), (0, {"feature_share": 0.0, "new_tracks": 0})],
)
def test_it_does_not_wait_where_none_is_wanted_or_nothing_arrives(
    sqlite_engine: Engine, quick: ClassifierSettings, seconds: int, settings: dict[str, Any]
) -> None:
    """Titles and artists alone can be trained on, as before."""
    clock, runner = FakeClock(), RecordingRunner()
    without_features(sqlite_engine, NOON)
    clock.advance(seconds)
    Daemon(sqlite_engine, quick.model_copy(update=settings), clock, runner).train()
    assert runner.commands == [TRAIN]


def test_the_schedule_ends_the_wait(sqlite_engine: Engine, quick: ClassifierSettings) -> None:
    """At three in the morning it trains on what there is, though tracks still arrive."""
    clock, runner = FakeClock(), RecordingRunner()
    without_features(sqlite_engine, NOON + timedelta(hours=15))
    daemon = Daemon(sqlite_engine, quick, clock, runner)
    clock.advance(15 * 3600 - 1)
    daemon.train()
    assert runner.commands == []
    clock.advance(1)
    daemon.train()
    assert runner.commands == [TRAIN]


def test_a_noticeable_share_of_features_is_a_reason_to_retrain(
    sqlite_engine: Engine, quick: ClassifierSettings
) -> None:
    """A fifth of the tracks, whatever the number of new tracks; once for the same features."""
    clock, runner = FakeClock(), RecordingRunner()
    features = without_features(sqlite_engine, NOON)
    with jobs.job_run(sqlite_engine, clock, "train") as run:
        run.set_facts(labelled=480, with_features=0)
    daemon = Daemon(sqlite_engine, quick, clock, runner)
    with transaction(sqlite_engine) as connection:
        connection.execute(insert(tables.audio_features), features[:95])
        features_provider.choose_all(connection)
    daemon.poll()
    assert runner.commands == []
    with transaction(sqlite_engine) as connection:
        connection.execute(insert(tables.audio_features), features[95:96])
        features_provider.choose_all(connection)
    daemon.poll()
    daemon.poll()
    assert runner.commands == [TRAIN]


def test_each_champion_is_refitted_once(sqlite_engine: Engine, quick: ClassifierSettings) -> None:
    """A refit that fails is tried again after the next scheduled training, not every minute."""
    with transaction(sqlite_engine) as connection:
        champion = make.add_model(connection, promoted_at=NOON)
    runner = RecordingRunner()
    daemon = Daemon(sqlite_engine, quick, FakeClock(), runner)
    daemon.poll()
    daemon.poll()
    assert runner.commands == [("train", "--refit", "--niceness")]
    off = Daemon(sqlite_engine, quick.model_copy(update={"refit": False}), FakeClock(), runner)
    off.poll()
    assert len(runner.commands) == 1
    with transaction(sqlite_engine) as connection:
        make.add_model(connection, status="refit", parent_id=champion)
    Daemon(sqlite_engine, quick, FakeClock(), runner).poll()
    assert len(runner.commands) == 1


def test_a_training_past_its_deadline_is_ended(
    sqlite_engine: Engine, quick: ClassifierSettings
) -> None:
    """The message names the settings to change; no partial model is stored."""
    Music().fill(sqlite_engine)
    short = quick.model_copy(update={"deadline": 0.01})
    with pytest.raises(ClassifierError, match=r"CLASSIFIER_DEADLINE.*CLASSIFIER_TRACKS_PER_GENRE"):
        Daemon(sqlite_engine, short, SystemClock()).train()
    assert stored_models.models(sqlite_engine) == []


def test_a_failed_process_leads_to_a_setting_of_the_daemon(quick: ClassifierSettings) -> None:
    """The page of jobs and the log show it to people who run no training by hand."""
    with pytest.raises(
        ClassifierError, match=r"ended with 2.*CLASSIFIER_TRACKS_PER_GENRE"
    ) as ended:
        SubprocessRunner(quick, SystemClock())("no-such-command")
    assert "--" not in str(ended.value)


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


def test_why_a_process_was_killed_is_recorded(
    sqlite_engine: Engine, quick: ClassifierSettings
) -> None:
    """A library that cannot allocate ends the process at once, and it records nothing itself."""
    Music().fill(sqlite_engine)
    reason = "`classifier train` was killed by signal 9, probably for lack of memory: train on …"
    dead = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    dead.communicate()
    counts = {"process": f"{ProcessIdentity.current().host}:{dead.pid}:0"}

    class Killed(RecordingRunner):
        def __call__(self, *arguments: str) -> None:
            with transaction(sqlite_engine) as connection:
                make.add_job_run(connection, "train", "running", counts=counts)
            raise ClassifierError(reason)

    with pytest.raises(ClassifierError, match="lack of memory"):
        Daemon(sqlite_engine, quick, FakeClock(), Killed()).train()
    run = last_run(sqlite_engine, "train")
    assert run is not None
    assert (run.outcome, run.error) == ("failed", reason)
