"""The daemon's work in processes of their own.

A training may be ended at its deadline, steps back behind other work, and gives its memory back.
"""

import subprocess
import sys
from threading import Event
from typing import Final

import structlog

from classifier.errors import ClassifierError, TrainingTimeout
from classifier.settings import ClassifierSettings
from genrebase.errors import NothingToDo
from genrebase.runtime.clock import Clock
from genrebase.settings import child_environment

_LOOK: Final = 0.5
"""Seconds between two looks at a child."""
_PATIENCE: Final = 10.0
"""Seconds a child may take to stop before it is killed."""

_log = structlog.get_logger(__name__)


class SubprocessRunner:
    """Runs commands of ours, each to its end or its deadline."""

    def __init__(self, settings: ClassifierSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._given_up = Event()

    def cancel(self) -> None:
        """End the children in hand and start no other."""
        self._given_up.set()

    def __call__(self, *arguments: str) -> None:
        """Run `classifier` with these arguments.

        Raise `TrainingTimeout` at the deadline, `ClassifierError` where it failed or was killed.
        """
        if self._given_up.is_set():
            return
        name = arguments[0]
        argv = [sys.executable, "-m", "genrebase.launcher.child_main", "classifier", *arguments]
        # its standard input is what tells it that we are gone, in whatever way
        process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            [*argv, "--json"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=child_environment(),
        )
        _log.info("started", command=name, pid=process.pid)
        self._wait(process, name)
        if process.stdin is not None:
            process.stdin.close()
        _log.info("ended", command=name, code=process.returncode)
        if not self._given_up.is_set():
            _check(name, process.returncode)

    def _wait(self, process: "subprocess.Popen[bytes]", name: str) -> None:
        deadline = self._clock.monotonic() + self._settings.deadline
        while process.poll() is None:
            try:
                process.wait(_LOOK)
            except subprocess.TimeoutExpired:
                late = self._clock.monotonic() > deadline
                if late or self._given_up.is_set():
                    _end(process)
                    if late:
                        raise TrainingTimeout(
                            f"`classifier {name}` was ended after "
                            f"{self._settings.deadline:.0f} s: raise CLASSIFIER_DEADLINE, "
                            "or train on less with --per-genre."
                        ) from None


def _check(name: str, code: int) -> None:
    if code < 0:
        raise ClassifierError(
            f"`classifier {name}` was killed by signal {-code}: where nobody did that, there was "
            "too little memory. Train on less with --per-genre."
        )
    if code not in {0, NothingToDo.exit_code}:
        raise ClassifierError(f"`classifier {name}` ended with {code}; its reason stands above.")


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
