"""How many cores there really are, and how to use no more."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from threadpoolctl import threadpool_limits

_CPU_MAX: Final = Path("/sys/fs/cgroup/cpu.max")
_CPU_QUOTA: Final = Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
_CPU_PERIOD: Final = Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us")


SINGLE_THREAD_BELOW: Final = 2_000_000
"""Under so many (tracks x genres) one thread is as fast as two, and disturbs nobody."""


def configure_openmp() -> None:
    """Let idle OpenMP threads sleep instead of spin; call it before scikit-learn is imported.

    Beside another busy process a spinning pair took 21 s for what a sleeping one does in 2.4 s.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # noqa: TID251 - told to OpenMP, not read


def thread_count(tracks: int, genres: int, most: int | None) -> int:
    """Return with how many threads to learn `genres` from `tracks`, at most `most`."""
    return 1 if tracks * genres < SINGLE_THREAD_BELOW else (most or idle_cores())


def idle_cores() -> int:
    """Return the cores that nobody else is busy on, as far as the system tells; at least one.

    Two threads beside another busy process took twice as long as one (49 s against 24 s).
    Where we are confined to some cores the load is that of others too, and says nothing.
    """
    cores = available_cores()
    if cores != os.cpu_count() or not hasattr(os, "getloadavg"):
        return cores
    return free_cores(cores, os.getloadavg()[0])


def free_cores(cores: int, load: float) -> int:
    """Return how many of the cores a load leaves free, at least one."""
    return max(1, math.ceil(cores - load))


def available_cores() -> int:
    """Return the cores this process may use: its affinity, cut by the container's quota."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = _quota()
    return cores if quota is None else max(1, min(cores, int(quota)))


@contextmanager
def limit_threads(threads: int) -> Iterator[None]:
    """Hold OpenMP and BLAS to `threads` while the block runs.

    One thread too many is not a little slower: with another busy process on two cores, OpenMP's
    spinning makes it ten times slower.
    """
    with threadpool_limits(limits=threads):
        yield


def parse_quota(text: str) -> float | None:
    """Return the cores that the text of `cpu.max` grants; None for no limit."""
    words = text.split()
    if len(words) != 2 or words[0] in {"max", "-1"} or words[1] == "0":
        return None
    return int(words[0]) / int(words[1])


def _quota() -> float | None:
    try:
        return parse_quota(_CPU_MAX.read_text())
    except (OSError, ValueError):
        pass
    try:
        return parse_quota(f"{_CPU_QUOTA.read_text()} {_CPU_PERIOD.read_text()}")
    except (OSError, ValueError):
        return None
