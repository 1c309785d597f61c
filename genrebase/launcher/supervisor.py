"""Supervise child processes: start, stop gracefully, restart with backoff after a crash."""

import math
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

from genrebase.errors import UserError
from genrebase.interpreter import module_command
from genrebase.launcher import child_main
from genrebase.runtime.clock import Clock
from genrebase.runtime.retry_delays import RESET_AFTER_SECONDS, retry_delay
from genrebase.settings import child_environment

STOP_TIMEOUT: Final = 120.0
"""Seconds that a child may take to finish its current step before it is killed."""
_STDERR: Final = 2


@dataclass(frozen=True, slots=True)
class ChildCommand:
    """How to start a child."""

    module: str
    """Run as `python -m` does: `collector`, `classifier`."""
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    """Variables in addition to our own environment."""
    is_required: bool = True
    """Whether its refusal to run ends the others, too."""

    @property
    def name(self) -> str:
        """The command as people write it."""
        return " ".join((self.module, *self.arguments[:1]))


def start_child(
    command: ChildCommand, *, stdout: int = _STDERR, stderr: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start a child in its own process group: Ctrl-C reaches only us, and we forward it once.

    By default all its output goes to our standard error.
    """
    group: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(  # noqa: S603 - our own modules, by our own interpreter
        module_command(child_main.CHILD_MODULE, command.module, *command.arguments),
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        env=child_environment(**command.environment),
        **group,
    )


def stop_children(
    processes: Sequence[subprocess.Popen[bytes]], timeout: float = STOP_TIMEOUT
) -> None:
    """Request all to stop (by closing their standard input), wait, and kill after `timeout`."""
    for process in processes:
        if process.stdin is not None:
            process.stdin.close()
    for process in processes:
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass(slots=True)
class _Child:
    command: ChildCommand
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    crashes: int = 0
    restart_at: float = 0.0


class Supervisor:
    """Keeps daemons running: `poll()` now and then, `stop()` at the end."""

    def __init__(
        self,
        clock: Clock,
        report: Callable[[str], None],
        *,
        start: Callable[[ChildCommand], subprocess.Popen[bytes]] = start_child,
    ) -> None:
        self._children: list[_Child] = []
        self._clock, self._report, self._start = clock, report, start

    def add(self, command: ChildCommand, process: subprocess.Popen[bytes] | None = None) -> None:
        """Start `command` at the next poll, unless `process` runs it, and again when it ends."""
        self._children.append(_Child(command, process, self._clock.monotonic()))

    def poll(self) -> int | None:
        """Start children that are due; return the exit code of a required child that refused."""
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                code = child.process.returncode
                if code == UserError.exit_code:  # a restart would be useless
                    reason = f"`{child.command.name}` refused to run; see its reason above."
                    if child.command.is_required:
                        self._report(reason)
                        return code
                    self._report(f"{reason} The other processes continue without it.")
                    child.process, child.restart_at = None, math.inf
                    continue
                self._schedule_restart(child, code)
            if child.process is None and self._clock.monotonic() >= child.restart_at:
                child.process = self._start(child.command)
                child.started = self._clock.monotonic()
        return None

    def stop(self) -> None:
        """Stop all children, the last one first."""
        running = [child.process for child in self._children if child.process is not None]
        stop_children(running[::-1])

    def _schedule_restart(self, child: _Child, code: int) -> None:
        now = self._clock.monotonic()
        child.crashes = 1 if now - child.started >= RESET_AFTER_SECONDS else child.crashes + 1
        wait = retry_delay(child.crashes)
        child.process, child.restart_at = None, now + wait
        self._report(
            f"`{child.command.name}` ended with {code}; starting it again in {wait:.0f} s."
        )
