"""Workers and commands that are killed lose nothing and store nothing twice."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete

from genrebase.runtime.clock import SystemClock
from genrebase.store import tables
from genrebase.store.engine import make_engine, transaction
from tests import synthetic_audio
from tests.cluster_processes import (
    contents,
    count,
    dask_processes,
    environment,
    run,
    run_with_kills,
    start,
)
from tests.synthetic_music import Music

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3_600)]

AUDIO_TABLES = (
    *("track", "track_alias", "artist", "track_artist", "genre", "sighting", "sound_file"),
    *("audio_features", "descriptor", "sound_matrix", "sound_summary", "section", "progression"),
)


@pytest.fixture
def other(postgres_url: str) -> Iterator[Engine]:
    engine = make_engine(postgres_url)
    yield engine
    engine.dispose()


def test_predictions(postgres_url: str, other: Engine, tmp_path: Path) -> None:
    """All predictions are those of one process, and no lease is left."""
    Music(artists=3_000).fill(other)
    options = ("--estimator", "gradient_boosting", "--features", "audio,metadata")
    run(postgres_url, "classifier", "train", *options, "--per-genre", "200")
    out_of_fold = tables.prediction.c.in_training
    in_training = count(other, tables.prediction, out_of_fold)
    alone = run(postgres_url, "classifier", "predict")
    expected = contents(other, "prediction")
    with transaction(other) as connection:
        connection.execute(delete(tables.prediction).where(~out_of_fold))
    total = alone["written"]
    with dask_processes(tmp_path / "dask", postgres_url, 2) as dask:
        command = ("classifier", "predict", "--on", dask.address)
        run_with_kills(dask, command, lambda: count(other, tables.prediction, ~out_of_fold), total)
        assert run(postgres_url, *command)["scored"] == 0
    assert contents(other, "prediction") == expected
    assert len(expected) == total + in_training
    assert count(other, tables.range_lease) == 0


def test_trials(sqlite_url: str, other_engine: Engine, tmp_path: Path) -> None:
    """All trials are those of one process, in the same order."""
    url = other_engine.url.render_as_string(hide_password=False)
    engine = make_engine(sqlite_url)
    for database in (engine, other_engine):
        Music().fill(database)
    estimators = ("--estimators", "logistic,gradient_boosting")
    command = ("classifier", "compare", *estimators, "--rotations", "all")
    run(url, *command)
    with dask_processes(tmp_path / "dask", sqlite_url, 2) as dask:
        run_with_kills(
            dask,
            (*command, "--on", dask.address),
            lambda: count(engine, tables.trial),
            20,
        )
    unequal = frozenset({"seconds", "artifact_bytes"})
    rows = [
        contents(one, "trial", "trial_metric", without=unequal) for one in (engine, other_engine)
    ]
    assert len(rows[0]) > 1_000
    assert rows[0] == rows[1]
    engine.dispose()


def test_audio_files(sqlite_url: str, other_engine: Engine, tmp_path: Path) -> None:
    """All tracks and features are those of an import without a cluster."""
    url = other_engine.url.render_as_string(hide_password=False)
    engine, folder = make_engine(sqlite_url), tmp_path / "music"
    for number in range(40):
        song = synthetic_audio.song(number % 12, number % 2, bpm=80.0 + number)
        path = folder / ("metal", "jazz")[number % 2] / f"{number:02d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        synthetic_audio.write(path, song)
    command = ("collector", "import-audio", str(folder), "--genre-from", "folder")
    run(url, *command, "--workers", "1")
    with dask_processes(tmp_path / "dask", sqlite_url, 2) as dask:
        run_with_kills(
            dask,
            (*command, "--on", dask.address),
            lambda: count(engine, tables.sound_file),
            40,
        )
        again = run(sqlite_url, *command, "--on", dask.address)
    assert (again["known"], again["heard"], again["unreadable"]) == (40, 0, [])
    rows = [contents(one, *AUDIO_TABLES) for one in (engine, other_engine)]
    assert rows[0] == rows[1]
    engine.dispose()


def start_predicting(engine: Engine, *command: str) -> subprocess.Popen[bytes]:
    """Start a command; return when it has stored predictions beside those of the training."""
    trained = count(engine, tables.prediction)
    process = start(engine.url.render_as_string(hide_password=False), *command)
    while count(engine, tables.prediction) == trained:
        assert process.poll() is None
        SystemClock().sleep(0.05)
    return process


def test_a_scheduler_that_is_restarted(postgres_url: str, other: Engine, tmp_path: Path) -> None:
    """The command ends with a sentence; the same command then continues."""
    Music(artists=1_500).fill(other)
    options = ("--estimator", "gradient_boosting", "--features", "audio,metadata")
    run(postgres_url, "classifier", "train", *options, "--per-genre", "100")
    with dask_processes(tmp_path / "dask", postgres_url, 1) as dask:
        command = ("classifier", "predict", "--on", dask.address)
        process = start_predicting(other, *command)
        dask.processes[0].kill()
        dask.processes[0].wait()
        _, errors = process.communicate()
        assert process.returncode == 1
        assert "was lost or restarted" in errors.decode()
        assert "Traceback" not in errors.decode()
        dask.stop()  # workers end with their scheduler
        dask.processes.clear()
        dask.start_scheduler()
        dask.start_worker()
        assert run(postgres_url, *command)["scored"] > 0
    assert run(postgres_url, "classifier", "predict")["scored"] == 0


def test_ctrl_c(postgres_url: str, other: Engine, tmp_path: Path) -> None:
    """A message says what is stored; local workers end with the command."""
    Music(artists=1_500).fill(other)
    options = ("--estimator", "gradient_boosting", "--features", "audio,metadata")
    run(postgres_url, "classifier", "train", *options, "--per-genre", "100")
    process = start_predicting(other, "classifier", "predict", "--on", "local:2")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "tracks are stored; the same command continues" in errors.decode()
    assert "Traceback" not in errors.decode()


def test_a_worker_with_other_code(sqlite_url: str, tmp_path: Path) -> None:
    """Its results could differ: nothing is run."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for package in ("genrebase", "collector", "classifier", "sandbox", "tests"):
        subprocess.run(["cp", "-r", package, copy], check=True, cwd=Path(__file__).parents[2])
    with (copy / "genrebase" / "counts.py").open("a") as module:
        module.write("# another version\n")
    engine = make_engine(sqlite_url)
    Music().fill(engine)
    engine.dispose()
    with dask_processes(tmp_path / "dask", sqlite_url, 0) as dask:
        worker = {**environment(sqlite_url), "PYTHONPATH": str(copy)}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.cluster_processes.environment", lambda _: worker)
            dask.start_worker()
        process = start(
            sqlite_url, "classifier", "compare", "--estimators", "dummy", "--on", dask.address
        )
        _, errors = process.communicate()
    assert process.returncode == 2
    assert "other source code" in errors.decode()
