"""Ctrl-C prints one message on what is stored and gives exit code 130."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import Engine, select

from classifier.commands import interrupts
from classifier.commands.experiment_options import describe_stored_trials
from genrebase.errors import CommandInterrupted
from genrebase.runtime.console import Output
from genrebase.settings import child_environment
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests.synthetic_music import Music

Start = Callable[..., "subprocess.Popen[str]"]

COMMAND = (
    "import signal, sys; from classifier.cli import main; "
    "signal.signal(signal.SIGINT, signal.default_int_handler); main()"
)
"""Whoever started the tests may ignore SIGINT, and what is ignored is inherited."""


@pytest.fixture
def start(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Start:
    Music(artists=60).fill(sqlite_engine)
    monkeypatch.setenv("STORE_URL", sqlite_engine.url.render_as_string())

    def begin(*arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments, "--json"],
            env=child_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return begin


def struck(process: "subprocess.Popen[str]", line: str) -> str:
    """Send Ctrl-C when a line is printed; return the last line."""
    with process:
        assert process.stderr is not None
        while line not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert json.loads(out) == {"error": err.splitlines()[-1], "exit_code": 130}
    return err.splitlines()[-1]


def test_a_training_ends_at_once(start: Start, sqlite_engine: Engine) -> None:
    """Threads are at work, and are not waited for; the run is written down as interrupted."""
    text = struck(start("train"), "fitting")
    assert text == "Stopped: no model is stored; the same command starts again."
    with read_transaction(sqlite_engine) as connection:
        assert connection.scalars(select(tables.job_run.c.outcome)).all() == ["interrupted"]
        assert connection.scalars(select(tables.model.c.id)).all() == []


def test_an_interrupted_experiment_resumes(start: Start, sqlite_engine: Engine) -> None:
    """The message counts the stored trials."""
    comparison = struck(start("compare", "--estimators", "dummy,blend"), "Comparing: 0 of 2")
    result = re.fullmatch(r"Stopped: (\d) of 2 trials are stored; .* resumes there.", comparison)
    assert result is not None
    with read_transaction(sqlite_engine) as connection:
        assert len(connection.scalars(select(tables.trial.c.id)).all()) == int(result[1])


def test_an_experiment_reports_its_stored_trials() -> None:
    """The same command resumes; with --again it would start over."""

    def text(*reports: tuple[int, int], again: bool = False) -> str:
        output = Output(as_json=True)
        describe = partial(describe_stored_trials, again=again)
        trying = interrupts.progress_on_interrupt(output, "Trying", describe)
        with pytest.raises(CommandInterrupted) as ended, trying as report:
            for done, total in reports:
                report(done, total)
            raise KeyboardInterrupt
        return str(ended.value)

    reports = ((0, 3), (2, 3))
    message = "Stopped: 2 of 3 trials are stored; the same command"
    assert text(*reports) == f"{message} resumes there."
    assert text(*reports, again=True) == f"{message} without --again resumes there."
    assert "no trial was run yet" in text()


def test_a_training_reports_whether_its_model_is_stored(sqlite_engine: Engine) -> None:
    """Ctrl-C after storing is reported as such."""
    training = interrupts.report_training_on_interrupt(Output(as_json=True), sqlite_engine)
    with pytest.raises(CommandInterrupted, match="model 1 is stored, whole"), training:
        with transaction(sqlite_engine) as connection:
            make.add_model(connection)
        raise KeyboardInterrupt
