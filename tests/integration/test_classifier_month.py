"""Thirty days of `classifier run`, by a clock that a test can turn."""

import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select

from classifier.daemon.daemon import Daemon
from classifier.data import rows_to_predict
from classifier.errors import ClassifierError
from classifier.registry import stored_models
from classifier.serving import batch_predict
from classifier.settings import ClassifierSettings
from classifier.training import train
from classifier.training_config import TrainingConfig
from genrebase.progress import no_progress
from genrebase.runtime.job_scheduler import ScheduledJob
from genrebase.settings import child_environment
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from tests.fakes import FakeClock
from tests.synthetic_music import Music, Song

BEGIN = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
DAYS = 30
LOOK = timedelta(hours=8)
NEW = 8
"""Tracks that a day brings, from the fourth on every third day."""
KILLED = 9
"""The day on which the training is killed."""
MANY = 21
"""The day that brings so many tracks that the daemon does not wait for the night."""
CHOICE = TrainingConfig(estimator="logistic", features=("audio",))


class InProcess:
    """Does here what the daemon does in processes; on one day a real process is killed."""

    def __init__(self, engine: Engine, url: str, clock: FakeClock) -> None:
        self.engine, self.url, self.clock = engine, url, clock
        self.killed = 0

    def cancel(self) -> None:
        pass

    def __call__(self, *arguments: str) -> None:
        if arguments[0] == "predict":
            batch_predict.run(self.engine, self.clock, cores=1, progress=no_progress)
        elif (self.clock.now() - BEGIN).days == KILLED:
            argv = [sys.executable, "-m", "tests.kill_training", self.url, "evaluating"]
            argv.append(self.clock.now().isoformat())
            self.killed += subprocess.run(argv, env=child_environment(), check=False).returncode
            raise ClassifierError("`classifier train` was killed.")
        else:
            train.run(self.engine, CHOICE, self.clock, log=lambda _: None, cores=1)


def unanswered(engine: Engine) -> int:
    champion = stored_models.find_champion(engine, "main")
    return 0 if champion is None else len(rows_to_predict.tracks_to_predict(engine, champion))


def work(jobs: Iterable[ScheduledJob]) -> None:
    """Run jobs as the timer does: a failure ends one run and no more."""
    for job in jobs:
        try:
            job.run()
        except ClassifierError:
            continue


@pytest.fixture
def month(
    sqlite_engine: Engine, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[Engine, InProcess]:
    """A database after thirty days of the daemon."""
    monkeypatch.setenv("CLASSIFIER_LOOK_EVERY", str(LOOK.total_seconds()))
    monkeypatch.setenv("CLASSIFIER_NEW_TRACKS", "100")
    settings = ClassifierSettings(_env_file=None, refit=False)
    clock = FakeClock(BEGIN)
    music = Music(artists=70)
    waiting: list[Song] = list(music.songs[240:])
    music.fill(sqlite_engine, BEGIN)
    _take_away(sqlite_engine, waiting)
    runner = InProcess(sqlite_engine, sqlite_url, clock)
    daemon = Daemon(sqlite_engine, settings, clock, runner)
    at_night, looking, *_ = daemon.jobs
    night = at_night.schedule.next_after(BEGIN)
    while clock.now() < BEGIN + timedelta(days=DAYS):
        following = looking.schedule.next_after(clock.now())
        assert following is not None
        assert night is not None
        clock.advance((following - clock.now()).total_seconds())
        if night <= clock.now():
            work([at_night])
            night = at_night.schedule.next_after(clock.now())
        work([looking])
        assert unanswered(sqlite_engine) == 0
        day = (clock.now() - BEGIN).days
        if clock.now().hour == 16 and day >= 3 and day % 3 == 0:
            size = 130 if day == MANY else NEW
            music.fill(sqlite_engine, clock.now(), waiting[:size])
            del waiting[:size]
            assert unanswered(sqlite_engine) > 0
    return sqlite_engine, runner


def _take_away(engine: Engine, songs: list[Song]) -> None:
    gone = [song.id for song in songs]
    with transaction(engine) as connection:
        connection.execute(tables.track.delete().where(tables.track.c.id.in_(gone)))


@pytest.mark.processes
def test_a_month(month: tuple[Engine, InProcess]) -> None:
    """Daily and as the data grows; unchanged data is nothing new; a kill is one lost night."""
    engine, runner = month
    row, model = tables.job_run.c, tables.model.c
    with read_transaction(engine) as connection:
        runs = connection.execute(
            select(row.started_at, row.outcome).where(row.job == "train").order_by(row.id)
        ).all()
        models = connection.execute(
            select(
                model.id,
                model.status,
                model.promoted_at,
                model.artifact.is_not(None).label("kept"),
            ).order_by(model.id)
        ).all()
        rows = dict(
            connection.execute(
                select(
                    tables.prediction.c.model_id,
                    func.count(tables.prediction.c.track_id.distinct()),
                ).group_by(tables.prediction.c.model_id)
            ).all()
        )
        tracks = connection.scalar(select(func.count()).select_from(tables.track))
        count = connection.scalar(select(func.count()).select_from(views.predictions))
    assert runner.killed == -9
    assert len(runs) == DAYS + 1
    outcomes = [outcome for _, outcome in runs]
    of_day = {(started - BEGIN).days: outcome for started, outcome in runs}
    assert of_day[KILLED] == "failed"
    assert outcomes.count("failed") == 1
    assert of_day[1] == of_day[2] == "nothing_new"
    assert outcomes.count("done") == len(models)
    assert {"champion", "retired", "rejected"} == {one.status for one in models}
    reigned = sorted((one for one in models if one.promoted_at), key=lambda one: one.promoted_at)
    whole = {one.id for one in reigned[-3:]} | {models[-1].id}
    assert {one.id for one in models if one.kept} == whole
    assert rows.keys() == {one.id for one in reigned[-3:]}
    assert rows[reigned[-1].id] == count == tracks
