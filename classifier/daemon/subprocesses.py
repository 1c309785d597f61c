"""Run the daemon's commands as subprocesses.

So a training has a time limit (`CLASSIFIER_DEADLINE`) and a lower priority, and frees its memory
at its end.
"""

import subprocess
from threading import Event
from typing import Final

import structlog

from classifier.errors import ClassifierError
from classifier.settings import ClassifierSettings
from genrebase.errors import NothingToDo
from genrebase.interpreter import module_command
from genrebase.launcher.child_main import CHILD_MODULE, SERVICE_OPTION
from genrebase.launcher.supervisor import stop_children
from genrebase.runtime.clock import Clock
from genrebase.settings import child_environment

_POLL_SECONDS: Final = 0.5
_GRACE_SECONDS: Final = 10.0
"""Time for a process to stop before it is killed."""
_FEWER_TRACKS: Final = "train on fewer tracks: lower CLASSIFIER_TRACKS_PER_GENRE."
"""The page of jobs shows it, too: a setting, as a daemon has no options of a training."""

_log = structlog.get_logger(__name__)


class SubprocessRunner:
    """Runs `classifier` commands, each to its end or its deadline."""

    def __init__(self, settings: ClassifierSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._cancelled = Event()

    def cancel(self) -> None:
        """End the running commands and start no other."""
        self._cancelled.set()

    def __call__(self, *arguments: str) -> None:
        """Run `classifier` with these arguments.

        Raise `ClassifierError` at the deadline, or if it failed or was killed.
        """
        if self._cancelled.is_set():
            return
        name = arguments[0]
        argv = module_command(CHILD_MODULE, SERVICE_OPTION, "classifier", *arguments)
        # the end of its standard input tells it that this process ended, even if it was killed
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
        if not self._cancelled.is_set():
            _check(name, process.returncode)

    def _wait(self, process: "subprocess.Popen[bytes]", name: str) -> None:
        deadline = self._clock.monotonic() + self._settings.deadline
        while process.poll() is None:
            try:
                process.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                late = self._clock.monotonic() > deadline
                if late or self._cancelled.is_set():
                    stop_children([process], _GRACE_SECONDS)
                    if late:
                        raise ClassifierError(
                            f"`classifier {name}` was ended after "
                            f"{self._settings.deadline:.0f} s: raise CLASSIFIER_DEADLINE, or "
                            + _FEWER_TRACKS
                        ) from None


def _check(name: str, code: int) -> None:
    if code < 0:
        raise ClassifierError(
            f"`classifier {name}` was killed by signal {-code}, probably for lack of memory: "
            + _FEWER_TRACKS
        )
    if code not in {0, NothingToDo.exit_code}:
        raise ClassifierError(
            f"`classifier {name}` ended with {code}: see its message in the log. Without one, "
            "memory was probably exhausted: " + _FEWER_TRACKS
        )
