"""Identify a process across hosts and containers, and check whether it is still running.

A pid alone is not enough: pids are reused, and every container has its own. So a process is
identified by its host (with the pid namespace), its pid and its start time.
"""

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_PROC: Final = Path("/proc")
_STARTTIME_INDEX: Final = 19
"""Index of `starttime` in /proc/PID/stat, counted after the command's closing bracket."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process on a host."""

    host: str
    """The host's name, with the pid namespace if the system has one."""
    pid: int
    start_time: str
    """Distinguishes two processes with the same pid; empty where the system does not have it."""

    @classmethod
    def current(cls) -> Self:
        """Return the current process."""
        return cls(host=_host(), pid=os.getpid(), start_time=_start_time(os.getpid()) or "")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the result of `str()`; raise `ValueError` for anything else."""
        host, pid, start_time = text.rsplit(":", 2)
        return cls(host=host, pid=int(pid), start_time=start_time)

    def __str__(self) -> str:
        """Return `host:pid:start_time`, for a column."""
        return f"{self.host}:{self.pid}:{self.start_time}"

    def is_alive(self) -> bool | None:
        """Return whether the process is running; None if it is on another host."""
        if self.host != _host():
            return None
        if self.start_time:
            return _start_time(self.pid) == self.start_time
        return _exists(self.pid)


def _host() -> str:
    try:
        namespace = (_PROC / "self" / "ns" / "pid").readlink().name.strip("pid:[]")
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()}/{namespace}"


def _start_time(pid: int) -> str | None:
    try:
        boot = (_PROC / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    if fields[0] in {"Z", "X"}:  # ended, but its parent has not waited for it yet
        return None
    return f"{boot[:8]}-{fields[_STARTTIME_INDEX]}"


if sys.platform == "win32":

    def _exists(pid: int) -> bool:
        import ctypes  # on Windows os.kill(pid, 0) would end the process

        query_limited_information = 0x1000
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(query_limited_information, 0, pid)
        if handle:
            kernel.CloseHandle(handle)
        return bool(handle)

else:

    def _exists(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
