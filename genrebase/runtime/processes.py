"""Which process did something, and whether it still lives.

A process number alone says little: numbers are used again, and every container has its own. So a
process is known by its host (with the number space it lives in), its number and its birth.
"""

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_PROC: Final = Path("/proc")
_STAT_STARTED: Final = 19
"""Where `starttime` stands in /proc/PID/stat, counted after the command's closing bracket."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process of one host."""

    host: str
    """The host's name, and its process number space where the system tells it."""
    pid: int
    start_time: str
    """Tells two processes with one number apart; empty where the system does not say."""

    @classmethod
    def current(cls) -> Self:
        """Return the process that asks."""
        return cls(host=_host(), pid=os.getpid(), start_time=_born(os.getpid()) or "")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the process that `str()` named; raise `ValueError` for anything else."""
        host, pid, born = text.rsplit(":", 2)
        return cls(host=host, pid=int(pid), start_time=born)

    def __str__(self) -> str:
        """Return the process as one text, for a column."""
        return f"{self.host}:{self.pid}:{self.start_time}"

    def is_alive(self) -> bool | None:
        """Tell whether the process lives; None where that cannot be known from here."""
        if self.host != _host():
            return None
        if self.start_time:
            return _born(self.pid) == self.start_time
        return _exists(self.pid)


def _host() -> str:
    try:
        space = (_PROC / "self" / "ns" / "pid").readlink().name.strip("pid:[]")
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()}/{space}"


def _born(pid: int) -> str | None:
    try:
        boot = (_PROC / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    if fields[0] in {"Z", "X"}:  # ended, its parent has not looked yet
        return None
    return f"{boot[:8]}-{fields[_STAT_STARTED]}"


if sys.platform == "win32":

    def _exists(pid: int) -> bool:
        import ctypes  # only Windows needs it: os.kill(pid, 0) would end the process there

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
