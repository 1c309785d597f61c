"""Share of a rate limit that the budget uses.

    python -m benchmarks.request_budget [--hours 24] [--real SECONDS]

The real `RequestBudget` over a SQLite database, the real `call_with_retries`, and the sandbox's
limiter, on one simulated clock (`benchmarks.simulated_clock`): a request takes a tenth of a
second, and workers send requests as fast as the budget allows. `used` is the share of the requests
that the limit allows. With `--real`, two `collector harvest` share a database and a sandbox over
HTTP.
"""

import argparse
import logging
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter

import structlog
from sqlalchemy import event

from benchmarks import simulated_clock
from collector.curation import genres
from collector.errors import Blocked, RateLimited
from collector.http import adaptive_limit
from collector.http.rate_limiter import RequestBudget
from collector.http.retry import call_with_retries
from collector.rate_limits import SAFETY_FACTOR, Account, Rate
from genrebase.runtime.clock import Clock, SystemClock
from genrebase.settings import child_environment
from genrebase.store import schema_upgrade
from genrebase.store.engine import Engine, make_engine
from sandbox.application import SandboxOptions
from sandbox.middleware.rate_limit import SlidingWindowLimit
from sandbox.middleware.request_stats import HandledRequest, RequestStats
from sandbox.server import serve_in_thread
from sandbox.synthetic import catalogue as synthetic_catalogue
from sandbox.tracks.catalogue import SandboxCatalogue

WINDOW = 30.0
LATENCY = 0.1
"""Seconds that a request takes, half of them before it reaches the source."""
HOUR = 3_600.0
REAL_RATE = Rate(60, 6.0)
"""Rate of the real run: high, so that a few seconds suffice."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """The parameters of a simulation."""

    configured: int
    """Requests per window that the harvester is configured with."""
    true: int
    """Requests per window that the limiter allows."""
    seconds: float
    workers: int = 1
    """Processes that share one database."""
    window: float = WINDOW
    """Length of the window in seconds."""


@dataclass(slots=True)
class BudgetUse:
    """The result of a scenario."""

    scenario: Scenario
    granted: int = 0
    refused: list[float] = field(default_factory=list)
    """Times of 429 responses, in seconds since the start."""
    max_in_window: int = 0
    while_banned: int = 0
    rate: float = 0.0
    """Requests per window, at the end."""

    @property
    def used(self) -> float:
        """Return the share of the allowed requests that was used."""
        return self.granted / (self.scenario.true * self.scenario.seconds / self.scenario.window)

    @property
    def max_refused_per_hour(self) -> int:
        """Return the maximum number of refusals in any hour after the first refusal."""
        later = self.refused[1:]
        return max(
            (sum(start <= time < start + HOUR for time in later) for start in later), default=0
        )


def play(engine: Engine, scenario: Scenario) -> BudgetUse:
    """Simulate a scenario on an empty database."""
    result = BudgetUse(scenario)
    limit, stats = (
        SlidingWindowLimit(Rate(scenario.true, WINDOW)),
        RequestStats({"spotify": Rate(1, WINDOW)}),
    )
    account = Account("spotify", "simulated", Rate(scenario.configured, WINDOW))

    def request(clock: Clock) -> None:
        clock.sleep(LATENCY / 2)
        now = clock.monotonic()
        held, ban = limit.active_ban(now), limit.admit(now)
        since = held.since if held else None
        stats.record(
            HandledRequest(
                "spotify", "/v1/search", now, 429 if ban else 200, since, refused=bool(ban)
            )
        )
        clock.sleep(LATENCY / 2)
        if ban is None:
            result.granted += 1
            return
        result.refused.append(now)
        raise RateLimited(ban.retry_after(now), ban.reason)

    def work(clock: Clock) -> None:
        budget = RequestBudget.open(engine, account)
        while clock.monotonic() < scenario.seconds:
            try:
                call_with_retries(budget, clock, lambda: request(clock))
            except Blocked as ban:
                clock.sleep((ban.until - clock.now()).total_seconds())

    simulated_clock.run(*[work] * scenario.workers)
    counted = stats.as_json()
    result.max_in_window, result.while_banned = counted["max_in_window"], counted["while_banned"]
    state = RequestBudget.open(engine, account).state()
    result.rate = adaptive_limit.allowed_requests(account.rate, state.ceiling)
    return result


@contextmanager
def fresh_engine() -> Iterator[Engine]:
    """Yield an engine on a new SQLite database that does not wait for the disk."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'budget.db'}"
        schema_upgrade.upgrade(url)
        engine = make_engine(url)

        @event.listens_for(engine, "connect")
        def on_connect(dbapi: sqlite3.Connection, _record: object) -> None:
            dbapi.execute("PRAGMA synchronous=OFF")

        yield engine
        engine.dispose()


def play_real(seconds: float, rate: Rate) -> BudgetUse:
    """Run two harvests against a sandbox over HTTP; measure from their first requests on."""
    clock = SystemClock()
    catalogue = SandboxCatalogue(synthetic_catalogue.generate_catalogue(1))
    limit = SandboxOptions(mode="development", rate=rate)
    with fresh_engine() as engine, serve_in_thread(catalogue, limit, clock=clock) as running:
        for name in catalogue.genres:
            genres.add(engine, clock, name, 10_000)
        environment = child_environment(
            STORE_URL=engine.url.render_as_string(hide_password=False),
            COLLECTOR_SPOTIFY_URL=running.url,
            COLLECTOR_RATE=f"{rate.requests}/{rate.seconds:g}s",
            SPOTIPY_CLIENT_ID="an-id",
            SPOTIPY_CLIENT_SECRET="a-secret",
        )
        command = [sys.executable, "-m", "collector", "harvest", "--json"]
        nowhere = subprocess.DEVNULL
        begin = partial(subprocess.Popen[bytes], env=environment, stdout=nowhere, stderr=nowhere)
        children = [begin(command) for _ in range(2)]
        try:
            while running.stats()["requests"] < rate.requests / 10:
                clock.sleep(0.01)
            before = running.stats()["apis"]["spotify"]["requests"]
            clock.sleep(seconds)
            counted = running.stats()["apis"]["spotify"]
        finally:
            for child in children:
                child.terminate()
                child.wait()
    return BudgetUse(
        Scenario(rate.requests, rate.requests, seconds, workers=2, window=rate.seconds),
        granted=counted["requests"] - before,
        refused=[0.0] * counted["banned"],
        max_in_window=counted["max_in_window"],
        while_banned=counted["while_banned"],
        rate=SAFETY_FACTOR * rate.requests,
    )


def scenarios(hours: float) -> Iterator[Scenario]:
    """Yield the scenarios of the benchmark."""
    for workers in (1, 2):
        for true in (10, 60, 180):
            yield Scenario(true, true, 300.0, workers)
    for workers in (1, 2):
        for true in (10, 60):
            yield Scenario(2 * true, true, hours * HOUR, workers)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every scenario, or the real one; print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.request_budget")
    parser.add_argument(
        "--hours", type=float, default=24.0, help="simulated hours with a wrong rate"
    )
    parser.add_argument(
        "--real", type=float, help="instead run two harvests over HTTP for so many seconds"
    )
    options = parser.parse_args(arguments)
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)  # refusals are in the table
    structlog.configure(wrapper_class=quiet)
    names = ["configured", "true", "workers", "hours", "used", "max in window", "rate", "429s"]
    names += ["429s/h later", "while banned", "took"]
    print("  ".join(f"{name:>13}" for name in names))
    if options.real:
        show(play_real(options.real, REAL_RATE), options.real)
        return
    for scenario in scenarios(options.hours):
        began = perf_counter()
        with fresh_engine() as engine:
            result = play(engine, scenario)
        show(result, perf_counter() - began)


def show(result: BudgetUse, took: float) -> None:
    """Print a row of the table."""
    scenario = result.scenario
    cells = (
        f"{scenario.configured}/{scenario.window:g}s",
        f"{scenario.true}/{scenario.window:g}s",
        f"{scenario.workers}",
        f"{scenario.seconds / HOUR:.3f}",
        f"{result.used:.1%}",
        f"{result.max_in_window}",
        f"{result.rate:.1f}",
        f"{len(result.refused)}",
        f"{result.max_refused_per_hour}",
        f"{result.while_banned}",
        f"{took:.1f} s",
    )
    print("  ".join(f"{cell:>13}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
