"""How well the budget uses a limit: `python -m benchmarks.budget [--hours 24]`.

The real `Budget` over a SQLite database, the real `asking.ask`, and the sandbox's own limiter, on
one simulated clock (`benchmarks.simulated`): a request takes a tenth of a second, and workers ask
as fast as they may. `used` is the share of all requests the limit would have answered.
"""

import argparse
import logging
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import structlog
from sqlalchemy import event

from benchmarks import simulated
from collector import ceiling
from collector.asking import ask
from collector.budget import Budget
from collector.errors import Blocked, RateLimited
from collector.rates import Rate
from collector.records import Account
from collector.sandbox.limits import Limit
from collector.sandbox.stats import Call, Stats
from genrebase.runtime.clock import Clock
from genrebase.store import schema
from genrebase.store.engine import Engine, make_engine

WINDOW = 30.0
LATENCY = 0.1
"""Seconds that a request takes, half of them on its way to the source."""
HOUR = 3_600.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is simulated."""

    told: int
    """Requests per window, as the harvester is told."""
    true: int
    """Requests per window, as the limiter answers them."""
    seconds: float
    workers: int = 1
    """Processes with one database."""


@dataclass(slots=True)
class Played:
    """What came of it."""

    scenario: Scenario
    granted: int = 0
    refused: list[float] = field(default_factory=list)
    """When there was a 429, in seconds since the start."""
    max_in_window: int = 0
    while_banned: int = 0
    pace: float = 0.0
    """Requests per window, at the end."""

    @property
    def used(self) -> float:
        """Return the share of what the limit allows that was used."""
        return self.granted / (self.scenario.true * self.scenario.seconds / WINDOW)

    @property
    def most_an_hour(self) -> int:
        """Return the most refusals in any hour after the first one."""
        later = self.refused[1:]
        return max((sum(at <= one < at + HOUR for one in later) for at in later), default=0)


def play(engine: Engine, scenario: Scenario) -> Played:
    """Play a scenario over an empty database."""
    played = Played(scenario)
    limit, stats = Limit(Rate(scenario.true, WINDOW)), Stats({"spotify": Rate(1, WINDOW)})
    account = Account("spotify", "simulated", Rate(scenario.told, WINDOW))

    def request(clock: Clock) -> None:
        clock.sleep(LATENCY / 2)
        now = clock.monotonic()
        held, ban = limit.ban(now), limit.enter(now)
        since = held.since if held else None
        stats.count(Call("spotify", "/v1/search", now, 429 if ban else 200, since))
        clock.sleep(LATENCY / 2)
        if ban is None:
            played.granted += 1
            return
        played.refused.append(now)
        raise RateLimited(ban.retry_after(now), ban.reason)

    def work(clock: Clock) -> None:
        budget = Budget.open(engine, account)
        while clock.monotonic() < scenario.seconds:
            try:
                ask(budget, clock, lambda: request(clock))
            except Blocked as ban:
                clock.sleep((ban.until - clock.now()).total_seconds())

    simulated.run(*[work] * scenario.workers)
    counted = stats.as_json()
    played.max_in_window, played.while_banned = counted["max_in_window"], counted["while_banned"]
    state = Budget.open(engine, account).state()
    played.pace = ceiling.pace(account.rate, state.ceiling)
    return played


@contextmanager
def fresh_engine() -> Iterator[Engine]:
    """Yield an engine on a new SQLite database that does not wait for the disk."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'budget.db'}"
        schema.upgrade(url)
        engine = make_engine(url)

        @event.listens_for(engine, "connect")
        def on_connect(dbapi: sqlite3.Connection, _record: object) -> None:
            dbapi.execute("PRAGMA synchronous=OFF")

        yield engine
        engine.dispose()


def scenarios(hours: float) -> Iterator[Scenario]:
    """Yield what the benchmark plays."""
    for workers in (1, 2):
        for true in (10, 60, 180):
            yield Scenario(true, true, 300.0, workers)
    for workers in (1, 2):
        for true in (10, 60):
            yield Scenario(2 * true, true, hours * HOUR, workers)


def main(arguments: Sequence[str] | None = None) -> None:
    """Play every scenario; write a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.budget")
    parser.add_argument("--hours", type=float, default=24.0, help="simulated, for a wrong rate")
    hours = parser.parse_args(arguments).hours
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)  # refusals are in the table
    structlog.configure(wrapper_class=quiet)
    names = ["told", "true", "workers", "hours", "used", "max in 30 s", "pace", "429s"]
    names += ["429s/h later", "while banned", "took"]
    print("  ".join(f"{name:>12}" for name in names))
    for scenario in scenarios(hours):
        began = perf_counter()
        with fresh_engine() as engine:
            played = play(engine, scenario)
        cells = (
            f"{scenario.told}/30s",
            f"{scenario.true}/30s",
            f"{scenario.workers}",
            f"{scenario.seconds / HOUR:.2f}",
            f"{played.used:.1%}",
            f"{played.max_in_window}",
            f"{played.pace:.1f}",
            f"{len(played.refused)}",
            f"{played.most_an_hour}",
            f"{played.while_banned}",
            f"{perf_counter() - began:.1f} s",
        )
        print("  ".join(f"{cell:>12}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
