"""Resource leaks of the daemon over a day.

    python -m benchmarks.daemon_day [--hours 24] [--rate 20/30s]

The daemon's jobs and a monitor that requests its health and metrics run on simulated clocks
(`benchmarks.simulated_clock`), with a SQLite file and the sandbox over HTTP, which breaks some
responses. Every hour prints the progress, the database's size, resident memory, Python objects,
open files and threads.

SQLite keeps up to 64 MiB of pages for each connection: memory grows with the database until then.
"""

import argparse
import gc
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from resource import getpagesize
from time import perf_counter
from typing import Final

import structlog
from pydantic import SecretStr

from benchmarks import simulated_clock
from collector import daemon
from collector.catalogue import status_counts
from collector.curation import genres
from collector.http import rate_limiter
from collector.monitoring.metrics import HarvesterHealth
from collector.settings import CollectorSettings
from genrebase.launcher import sandbox
from genrebase.runtime.clock import Clock, SystemClock
from genrebase.runtime.monitoring import check_health, render_metrics
from genrebase.runtime.shutdown import StopSignal
from genrebase.store import schema_upgrade
from genrebase.store.engine import Engine, make_engine, read_transaction
from sandbox.application import SandboxOptions
from sandbox.middleware import faults
from sandbox.server import serve_in_thread
from sandbox.synthetic import catalogue as synthetic_catalogue
from sandbox.tracks import catalogue_file
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable

HOUR: Final = 3_600.0
TARGET: Final = 100_000
"""More tracks than exist, so that the harvest continues all day."""
_PROC: Final = Path("/proc/self")


@dataclass(frozen=True, slots=True)
class Hour:
    """The state of the process after so many hours."""

    hour: int
    tracks: int
    requests: int
    with_features: int
    healthy: bool
    database: float
    """Size of the database file in MiB."""
    resident: float
    """Resident memory in MiB."""
    objects: int
    """Objects tracked by Python's garbage collector."""
    files: int
    """Open file descriptors, sockets among them."""
    threads: int


def measure(hour: int, engine: Engine, clock: Clock) -> Hour:
    """Measure the process after a garbage collection."""
    target = HarvesterHealth(engine, clock)
    render_metrics(target)
    with read_transaction(engine) as connection:
        totals = status_counts.totals(connection)
        budgets = rate_limiter.load_states(connection)
    gc.collect()
    pages = int((_PROC / "statm").read_text().split()[1])
    return Hour(
        hour,
        totals.tracks,
        sum(one.requests for one in budgets),
        totals.with_features,
        check_health(target).ok,
        Path(str(engine.url.database)).stat().st_size / 2**20,
        pages * getpagesize() / 2**20,
        len(gc.get_objects()),
        sum(1 for _ in (_PROC / "fd").iterdir()),
        threading.active_count(),
    )


class _Until(StopSignal):
    """A stop request at a given time."""

    def __init__(self, clock: Clock, end: float) -> None:
        super().__init__()
        self._clock, self._end = clock, end

    @property
    def requested(self) -> bool:
        """Whether the day is over."""
        return self._clock.monotonic() >= self._end


def play(
    engine: Engine, settings: CollectorSettings, hours: int, tell: Callable[[Hour], None]
) -> None:
    """Run the daemon's jobs for so many simulated hours."""
    end = hours * HOUR

    def work(name: str, clock: Clock) -> None:
        stop = _Until(clock, end)
        jobs = {job.name: job for job in daemon.jobs(engine, settings, clock, stop)}
        while not stop.requested:
            jobs[name].run()
            clock.sleep(settings.interval)

    def monitor(clock: Clock) -> None:
        for hour in range(1, hours + 1):
            clock.sleep(HOUR)
            tell(measure(hour, engine, clock))

    names = [job.name for job in daemon.jobs(engine, settings, SystemClock(), StopSignal())]
    simulated_clock.run(*(partial(work, name) for name in names), monitor)


def run(
    folder: Path,
    *,
    hours: int,
    tracks: int,
    rate: str,
    interval: float,
    broken: str,
    tell: Callable[[Hour], None],
    apart: bool = False,
) -> None:
    """Simulate a day on a new database in `folder`, with a sandbox of so many tracks.

    `apart` runs the sandbox in its own process, so that only the daemon is measured.
    """
    url = f"sqlite:///{folder / 'day.db'}"
    schema_upgrade.upgrade(url)
    engine, music = (
        make_engine(url),
        synthetic_catalogue.generate_catalogue(1, tracks, tracks // 10),
    )
    catalogue = SandboxCatalogue(music)
    serving = _apart(folder, music, broken) if apart else _here(catalogue, broken)
    with serving as served:
        settings = CollectorSettings(
            _env_file=None,
            spotify_client_id="an-id",
            spotify_client_secret=SecretStr("a-secret"),
            spotify_url=served,
            rate=rate,
            reccobeats_rate=rate,
            interval=interval,
        )
        simulated_clock.run(partial(_prepare, engine, catalogue))
        play(engine, settings, hours, tell)
    engine.dispose()


@contextmanager
def _here(catalogue: SandboxCatalogue, broken: str) -> Iterator[str]:
    behaviour = SandboxOptions(faults=faults.parse_faults(broken, seed=1, slow_seconds=0.0))
    with serve_in_thread(catalogue, behaviour) as running:
        yield running.url


@contextmanager
def _apart(folder: Path, music: CatalogueTable, broken: str) -> Iterator[str]:
    file = folder / "catalogue.csv"
    catalogue_file.write_table(music, file)
    command = sandbox.sandbox_command(str(file), rate="1000000/30s")
    arguments = (*command.arguments, "--faults", broken, "--slow-seconds", "0")
    with sandbox.run_sandbox(replace(command, arguments=arguments)) as running:
        yield running.url


def _prepare(engine: Engine, catalogue: SandboxCatalogue, clock: Clock) -> None:
    for name in catalogue.genres:
        genres.add(engine, clock, name, TARGET)


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate a day; print a row for every hour."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.daemon_day")
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--tracks", type=int, default=3_000, help="tracks in the sandbox")
    parser.add_argument("--rate", default="20/30s", help="rate limit of the collector")
    parser.add_argument(
        "--interval", type=float, default=60.0, help="seconds between two runs of a job"
    )
    options = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.disable(logging.ERROR)  # the server logs the responses it drops on purpose
    names = list(Hour.__dataclass_fields__)
    print("  ".join(f"{name:>13}" for name in names))
    began = perf_counter()

    def tell(hour: Hour) -> None:
        cells = [getattr(hour, name) for name in names]
        formatted = [f"{one:.1f}" if isinstance(one, float) else f"{one}" for one in cells]
        print("  ".join(f"{one:>13}" for one in formatted), flush=True)

    with tempfile.TemporaryDirectory(prefix="genrebase-day-") as folder:
        run(
            Path(folder),
            hours=options.hours,
            tracks=options.tracks,
            rate=options.rate,
            interval=options.interval,
            broken="0.05",
            tell=tell,
            apart=True,
        )
    print(f"took {perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
