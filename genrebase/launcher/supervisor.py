"""Child processes: started apart from the terminal, stopped cleanly, started again after death."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Final

from genrebase.runtime.clock import Clock
from genrebase.settings import child_environment

RESTART_DELAYS: Final = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Seconds before a child that died is started again; the last stands for all further deaths."""
HEALTHY_AFTER_SECONDS: Final = 300.0
"""A child that lived so many seconds is taken for healthy: its next death counts as its first."""
STOP_TIMEOUT: Final = 120.0
"""Seconds a child may take to finish the step in hand before it is ended."""
REFUSED_EXIT_CODE: Final = 2
"""The exit code of a child that would refuse again and again."""
_STDERR: Final = 2


@dataclass(frozen=True, slots=True)
class ChildCommand:
    """How to start a child."""

    module: str
    """Run as `python -m` does: `collector`, `classifier`."""
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    """What it gets beside our own environment."""

    @property
    def name(self) -> str:
        """What people call it."""
        return " ".join((self.module, *self.arguments[:1]))


def start_child(
    command: ChildCommand, *, stdout: int = _STDERR, stderr: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own: Ctrl-C reaches us, and we pass it on once.

    By default all that it says goes to our standard error.
    """
    apart: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    argv = [sys.executable, "-m", "genrebase.launcher.child_main", command.module]
    return subprocess.Popen(  # noqa: S603 - our own modules, by our own interpreter
        [*argv, *command.arguments],
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        env=child_environment(**command.environment),
        **apart,
    )


def stop_children(
    processes: Sequence[subprocess.Popen[bytes]], timeout: float = STOP_TIMEOUT
) -> None:
    """Ask all to stop (their standard input ends), wait for each, end who does not listen."""
    for process in processes:
        if process.stdin is not None:
            process.stdin.close()
    for process in processes:
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def restart_delay(deaths: int) -> float:
    """Return the seconds to wait after so many deaths in a row (1 and up)."""
    return RESTART_DELAYS[min(deaths, len(RESTART_DELAYS)) - 1]


@dataclass(slots=True)
class _Kept:
    command: ChildCommand
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    again_at: float = field(default=0.0)


class Supervisor:
    """Keeps daemons running: `poll()` now and then, `stop_children()` at the end."""

    def __init__(
        self,
        clock: Clock,
        report: Callable[[str], None],
        *,
        begin: Callable[[ChildCommand], subprocess.Popen[bytes]] = start_child,
    ) -> None:
        self._kept: list[_Kept] = []
        self._clock, self._say, self._begin = clock, report, begin

    def add(self, command: ChildCommand) -> None:
        """Start `command` at the next look, and again whenever it ends."""
        self._kept.append(_Kept(command))

    def add_running(self, command: ChildCommand, process: subprocess.Popen[bytes]) -> None:
        """Keep a child that runs already; `command` starts it again."""
        self._kept.append(_Kept(command, process, self._clock.monotonic()))

    def poll(self) -> int | None:
        """Start who is not there; return the exit code of a child that refuses to run, if any."""
        for one in self._kept:
            if one.process is not None and one.process.poll() is not None:
                code = one.process.returncode
                if code == REFUSED_EXIT_CODE:
                    self._say(f"`{one.command.name}` refused to run; its reason stands above.")
                    return code
                self._bury(one, code)
            if one.process is None and self._clock.monotonic() >= one.again_at:
                one.process = self._begin(one.command)
                one.started = self._clock.monotonic()
        return None

    def stop(self) -> None:
        """Stop all children, the last one started first to hear of it."""
        living = [one.process for one in self._kept if one.process is not None]
        stop_children(living[::-1])

    def _bury(self, one: _Kept, code: int) -> None:
        now = self._clock.monotonic()
        one.deaths = 1 if now - one.started >= HEALTHY_AFTER_SECONDS else one.deaths + 1
        wait = restart_delay(one.deaths)
        one.process, one.again_at = None, now + wait
        self._say(f"`{one.command.name}` ended with {code}; starting it again in {wait:.0f} s.")
