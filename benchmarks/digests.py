"""The digests beside the live views: `python -m benchmarks.digests URL [--live VIEW,…]`.

On a database made by `benchmarks.large_database` with `--predictions`. Refreshes all digests, then
all but those of predictions, as after a harvest, and
prints the CPU seconds of reading (the process that reads SQLite, or the sessions of PostgreSQL are
not ours: see `reader`), of each view's digests and of storing them. Then it reads every stored
digest, and counts the rows of the live views in the same run: `ratio` is the live view's CPU
seconds by those of all its digests. On PostgreSQL the live views' work is the server's: wall time.
"""

import argparse
import resource
import statistics
from collections import defaultdict
from collections.abc import Sequence
from time import perf_counter, process_time

from benchmarks.measuring import print_result
from genrebase import digests
from genrebase.digests import compute, store
from genrebase.digests.definitions import OF_PREDICTIONS
from genrebase.runtime.clock import SystemClock
from genrebase.store import tables, views
from genrebase.store.engine import Engine, make_engine, read_transaction, transaction


def children_cpu() -> float:
    """Return the CPU seconds of child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class CpuClock(SystemClock):
    """A clock whose monotonic time is the CPU time of this process, all threads together."""

    def monotonic(self) -> float:
        """Return CPU seconds."""
        return process_time()


def refresh(engine: Engine, threads: int, kept: Sequence[str] = ()) -> dict[str, float]:
    """Compute and store all digests but `kept`; return the CPU seconds of each view's."""
    clock = CpuClock()
    began, children, wall = process_time(), children_cpu(), perf_counter()
    computed = compute.compute(engine, clock, threads, kept)
    counted = process_time()
    with transaction(engine) as connection:
        documents = {one.view: one.documents for one in computed.views}
        store.replace(connection, documents, clock.now(), kept)
    for one in computed.views:
        print_result(
            one.view, digests=len(one.documents), rows=one.rows, cpu=round(one.seconds, 3)
        )
    print_result(
        "digests without those of predictions" if kept else "all digests",
        cpu=round(process_time() - began + children_cpu() - children, 2),
        reader=round(children_cpu() - children, 2),
        loading=round(computed.reading_seconds, 2),
        storing=round(process_time() - counted, 2),
        wall=round(perf_counter() - wall, 2),
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )
    return {one.view: one.seconds for one in computed.views}


def read_all(engine: Engine) -> None:
    """Read every stored digest once; print the time of the slowest of each view."""
    seconds = defaultdict(list)
    with read_transaction(engine) as connection:
        keys = connection.execute(tables.digest.select().with_only_columns(*_KEY)).all()
        for view, key in keys:
            began = process_time()
            digests.read(connection, view, key)
            seconds[view].append(process_time() - began)
    for view, took in seconds.items():
        median, longest = (round(1000 * one, 1) for one in (statistics.median(took), max(took)))
        print_result(f"read {view}", digests=len(took), median_ms=median, max_ms=longest)


_KEY = (tables.digest.c.view, tables.digest.c.key)


def live(engine: Engine, name: str, cpu: float) -> None:
    """Fetch all rows of a live view."""
    began, wall = process_time(), perf_counter()
    with read_transaction(engine) as connection:
        rows = len(connection.execute(views.ALL[name].table.select()).all())
    took = process_time() - began if engine.dialect.name == "sqlite" else perf_counter() - wall
    print_result(
        f"live {name}", rows=rows, seconds=round(took, 2), ratio=round(took / max(cpu, 0.001), 1)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--live", help="comma-separated views; none: empty", default="all")
    given = parser.parse_args()
    engine = make_engine(given.url)
    cpu = refresh(engine, given.threads)
    refresh(engine, given.threads, OF_PREDICTIONS)
    read_all(engine)
    for name in cpu if given.live == "all" else filter(None, given.live.split(",")):
        live(engine, name, cpu[name])
    engine.dispose()


if __name__ == "__main__":
    main()
