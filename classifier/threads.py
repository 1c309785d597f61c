"""Count the usable cores and limit the threads of OpenMP and BLAS."""

import math
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

from threadpoolctl import ThreadpoolController, threadpool_limits

from genrebase.runtime.cores import usable_cores

_CPU_MAX: Final = Path("/sys/fs/cgroup/cpu.max")
_CPU_QUOTA: Final = Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
_CPU_PERIOD: Final = Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us")


_LIBRARIES_BYTES: Final = 384 << 20
"""Address space that numpy, scipy and scikit-learn take when they are imported, at least."""

SINGLE_THREAD_BELOW: Final = 2_000_000
"""Below this many (tracks x genres) one thread is as fast as two and leaves a core free."""


def configure_openmp() -> None:
    """Let idle OpenMP threads sleep instead of spin; call it before scikit-learn is imported.

    With another busy process, two spinning threads took 21 s for what sleeping ones do in 2.4 s.
    Raises `MemoryError` where the libraries do not fit: OpenBLAS would try for ever to load.
    """
    _require_memory()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # noqa: TID251 - set for OpenMP, not read


def _require_memory() -> None:
    try:
        mmap.mmap(-1, _LIBRARIES_BYTES).close()  # reserved only, not used
    except OSError as error:
        needed = f"the numerical libraries need {_LIBRARIES_BYTES >> 20} MiB"
        raise MemoryError(needed) from error


def thread_count(tracks: int, genres: int, maximum: int | None) -> int:
    """Return the number of threads to fit `genres` on `tracks` with, at most `maximum`."""
    return 1 if tracks * genres < SINGLE_THREAD_BELOW else (maximum or idle_cores())


def idle_cores() -> int:
    """Return the number of idle cores by the load average, at least one.

    With another busy process two threads took twice as long as one (49 s against 24 s).
    If this process is confined to some cores, the load includes that of others and is not used.
    """
    cores = available_cores()
    if cores != os.cpu_count() or not hasattr(os, "getloadavg"):
        return cores
    return free_cores(cores, os.getloadavg()[0])


def free_cores(cores: int, load: float) -> int:
    """Return how many cores a load leaves free, at least one."""
    return max(1, math.ceil(cores - load))


def available_cores() -> int:
    """Return the cores this process may use: its affinity, limited by the container's quota."""
    cores = usable_cores()
    quota = _quota()
    return cores if quota is None else max(1, min(cores, int(quota)))


@cache
def _loaded_libraries() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def single_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread while the block runs.

    The process's libraries are looked up once: that takes 3 ms, a tenth of predicting one track.
    Of libraries that are loaded afterwards the threads are not limited.
    """
    with _loaded_libraries().limit(limits=1, user_api="blas"):
        yield


@contextmanager
def limit_threads(threads: int) -> Iterator[None]:
    """Limit OpenMP and BLAS to `threads` while the block runs.

    One thread too many makes training ten times slower with another busy process on two cores,
    because OpenMP threads spin.
    """
    with threadpool_limits(limits=threads):
        yield


def parse_quota(text: str) -> float | None:
    """Return the number of cores in the text of `cpu.max`; None for no limit."""
    words = text.split()
    if len(words) != 2 or words[0] in {"max", "-1"} or words[1] == "0":
        return None
    return int(words[0]) / int(words[1])


def _quota() -> float | None:
    for files in ((_CPU_MAX,), (_CPU_QUOTA, _CPU_PERIOD)):
        with suppress(OSError, ValueError):
            return parse_quota(" ".join(file.read_text() for file in files))
    return None
