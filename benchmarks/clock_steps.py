"""Steps of the clock under running daemons.

    apt-get install faketime
    python -m benchmarks.clock_steps [--steps +1d,-1d,+1y,-1y,+36y,-36y] [--interval 5]

`collector run` and `classifier run` work on the sandbox with a clock that libfaketime sets while
they run: by each step, and back again. After each a genre's target is raised; a row gives the
seconds until its tracks are there and until they have predictions (both by the machine's own
clock), and the daemons' resident memory. The first row is without a step.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from resource import getpagesize
from typing import Final

from sqlalchemy import func, select

from genrebase.launcher import sandbox
from genrebase.launcher.sandbox import client_environment
from genrebase.runtime.clock import SystemClock
from genrebase.settings import child_environment
from genrebase.store import connect, schema_upgrade, tables
from genrebase.store.engine import Engine, read_transaction
from sandbox.synthetic.genre_profiles import GENRE_PROFILES

LIBRARY: Final = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
STEPS: Final = "+1d,-1d,+1y,-1y,+36y,-36y"
PATIENCE: Final = 600.0
"""Seconds after which nothing is expected any more."""
GENRES: Final = 3
FIRST_TARGET: Final = 60
MORE: Final = 20
"""Tracks by which each step raises a genre's target."""
_SLEEP: Final = (
    "import threading, time\ntime.sleep = lambda s: threading.Event().wait(s) and None\n"
)
"""In the daemons, because libfaketime breaks `clock_nanosleep` with an absolute time."""
_CLOCK = SystemClock()


@contextmanager
def daemon(name: str, environment: Mapping[str, str], folder: Path) -> Iterator[int]:
    """Run a daemon; yield its process id."""
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", name, "run"], env=environment, stdout=log, stderr=log
        )
        try:
            yield process.pid
            if process.poll() is not None:
                print(f"{name} ended with {process.returncode}: see {log.name}")
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(60)
            process.kill()
            print(f"{name} ended with {process.wait()} after SIGTERM")


def resident(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * getpagesize() / 2**20


def seconds_until(condition: Callable[[], bool]) -> float:
    """Return the seconds until a condition holds, infinity if it does not within `PATIENCE`."""
    started = _CLOCK.monotonic()
    while not condition():
        if _CLOCK.monotonic() - started > PATIENCE:
            return float("inf")
        _CLOCK.sleep(0.2)
    return _CLOCK.monotonic() - started


def tracks_of(engine: Engine, genre: str) -> int:
    """Count the tracks of a genre."""
    query = (
        select(func.count())
        .select_from(tables.track.join(tables.genre, tables.genre.c.id == tables.track.c.genre_id))
        .where(tables.genre.c.name == genre)
    )
    with read_transaction(engine) as connection:
        return connection.scalar(query) or 0


def unpredicted(engine: Engine) -> int:
    """Count the tracks without a prediction."""
    predicted = select(tables.prediction.c.track_id)
    query = select(func.count()).where(tables.track.c.id.not_in(predicted))
    with read_transaction(engine) as connection:
        return connection.scalar(query) or 0


def play(folder: Path, steps: Sequence[str], interval: float) -> None:
    """Run the daemons through all steps."""
    url = f"sqlite:///{folder / 'clock.db'}"
    schema_upgrade.upgrade(url)
    engine, stamp = connect(url), folder / "time"
    stamp.write_text("+0\n")
    (folder / "sitecustomize.py").write_text(_SLEEP)
    with sandbox.run_sandbox(sandbox.sandbox_command(None, rate="1000/1s")) as running:
        environment = child_environment(
            STORE_URL=url,
            COLLECTOR_INTERVAL=str(interval),
            COLLECTOR_RATE="100/1s",
            COLLECTOR_RECCOBEATS_RATE="100/1s",
            CLASSIFIER_LOOK_EVERY=str(interval),
            CLASSIFIER_ESTIMATOR="logistic",
            CLASSIFIER_MIN_TRACKS="10",
            CLASSIFIER_NEW_TRACKS="0",
            CLASSIFIER_REFIT="false",
            OMP_NUM_THREADS="1",
            LD_PRELOAD=str(LIBRARY),
            FAKETIME_TIMESTAMP_FILE=str(stamp),
            FAKETIME_NO_CACHE="1",
            PYTHONPATH=str(folder),
            FAKETIME_DONT_FAKE_MONOTONIC="1",
            **client_environment(running.url),
        )
        names = list(GENRE_PROFILES)[:GENRES]
        for name in names:
            set_target(name, FIRST_TARGET, environment)
        with (
            daemon("collector", environment, folder) as collector,
            daemon("classifier", environment, folder) as classifier,
        ):
            trained = seconds_until(lambda: unpredicted(engine) == 0 < tracks_in(engine))
            print(f"first training and predictions after {trained:.0f} s", flush=True)
            offsets = ["+0", *[offset for step in steps for offset in (step, "+0")]]
            for number, offset in enumerate(offsets):
                stamp.write_text(f"{offset}\n")
                genre = names[number % GENRES]
                target = tracks_of(engine, genre) + MORE
                set_target(genre, target, environment)
                harvested = seconds_until(partial(has_tracks, engine, genre, target))
                predicted = seconds_until(lambda: unpredicted(engine) == 0)
                memory = [resident(pid) for pid in (collector, classifier)]
                print(
                    f"{offset:>6}  harvested {harvested:6.1f} s  predicted {predicted:6.1f} s  "
                    f"memory {memory[0]:.0f} + {memory[1]:.0f} MiB",
                    flush=True,
                )
    engine.dispose()


def has_tracks(engine: Engine, genre: str, target: int) -> bool:
    """Return whether a genre has reached its target."""
    return tracks_of(engine, genre) >= target


def tracks_in(engine: Engine) -> int:
    """Count all tracks."""
    with read_transaction(engine) as connection:
        return connection.scalar(select(func.count(tables.track.c.id))) or 0


def set_target(genre: str, target: int, environment: Mapping[str, str]) -> None:
    """Add a genre, or raise its target, as a user of that computer does."""
    subprocess.run(
        [sys.executable, "-m", "collector", "genres", "add", genre, "--target", str(target)],
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row for each step."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clock_steps")
    parser.add_argument("--steps", default=STEPS, help="offsets of the clock")
    parser.add_argument("--interval", type=float, default=5.0, help="seconds between two checks")
    options = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="genrebase-clock-"))
    print(f"database and logs: {folder}")
    play(folder, options.steps.split(","), options.interval)


if __name__ == "__main__":
    main()
