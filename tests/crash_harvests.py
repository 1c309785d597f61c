"""Kill harvests repeatedly and compare the stored rows.

`python -m tests.crash_harvests` imports everything once and forks harvests over one database.
It kills each after a random delay; forty new interpreters would take a minute.
"""

import argparse
import json
import logging
import os
import random
import signal
import sqlite3
import tempfile
import traceback
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial

import structlog
from sqlalchemy import Engine, event, select

from collector.crawl.playlist_harvester import PlaylistHarvester
from collector.crawl.search_harvester import SearchHarvester
from collector.crawl.stages import CrawlStages
from collector.curation import genres as genre_use
from collector.enrichment.features import BudgetedProvider, FeatureEnricher
from collector.http.rate_limiter import RequestBudget
from collector.rate_limits import Account, Rate
from collector.records import AudioFeatures
from genrebase.runtime.clock import Clock, SystemClock
from genrebase.runtime.jobs import job_run, no_other_process
from genrebase.runtime.process_identity import ProcessIdentity
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction
from tests.consistency import assert_consistent
from tests.fakes import FakePlaylists, FakeSource

FAST = Rate(100_000, 30.0)
MAX_LIFETIME = 0.04
"""Maximum seconds before a process is killed."""
MODERATE_RATE = Rate(1_500, 30.0)
"""About 50 requests a second, so that a harvest does not end before enough kills."""
MIX = "mix0" * 5 + "xx"
"""The id of a playlist."""

Report = Callable[[str], None]
Requested = Callable[[int], None]
"""Takes the number of ids of each request for features, 0 for a page."""
Place = tuple[int, int]


@dataclass(frozen=True)
class CrashCatalogue:
    """Rows of the fake source, with its page size, result limit and feature batch size."""

    genres: Mapping[str, Sequence[tuple[str, str, str, int]]]
    mix: Sequence[tuple[str, str, str, int]]
    page: int
    reach: int
    batch: int


def make_catalogue(rock: int, jazz: int, *, page: int, reach: int, batch: int) -> CrashCatalogue:
    """Two genres that share a fifth of their tracks, and a playlist of tracks of both and others.

    A third of the tracks are of one year.
    """
    made = {}
    for genre, rows in (("rock", rock), ("jazz", jazz)):
        made[genre] = [
            (
                f"{'both' if n % 5 == 0 else genre}{n}".ljust(22, "0"),
                f"Song {n} of {'both' if n % 5 == 0 else genre}",
                f"Band {n % 7}",
                1960 + n * 7 % 60 if n % 3 else 1999,
            )
            for n in range(rows)
        ]
    mix = [
        *made["rock"][::9],
        *made["jazz"][::11],
        *((f"mix{n}".ljust(22, "0"), f"Mix {n}", "A Band", 2001) for n in range(page)),
    ]
    return CrashCatalogue(made, mix, page, reach, batch)


class SparseProvider:
    """Provider with features for one track in `share`."""

    endpoint = "features"
    licence = "unknown"
    ids_of = "spotify"
    may_have_ended = False

    def __init__(self, name: str, share: int, batch: int, rate: Rate) -> None:
        self.name, self.share, self.batch_size = name, share, batch
        self.account = Account(name, "fake", rate)

    def fetch(self, ids: Sequence[str]) -> Mapping[str, AudioFeatures | None]:
        return {
            one: AudioFeatures(energy=sum(one.encode()) % 100 / 100)
            if sum(one.encode()) % self.share == 0
            else None
            for one in ids
        }


class ObservedSource:
    """Source or provider that reports before and after each request, and what it is for."""

    def __init__(self, source: object, report: Report, requested: Requested) -> None:
        self._source, self._report, self._requested = source, report, requested

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)

    def fetch(self, query: object) -> object:
        self._requested(len(query) if isinstance(query, list | tuple) else 0)
        self._report("before request")
        response = self._source.fetch(query)  # type: ignore[attr-defined]
        self._report("after request")
        return response


def prepare(engine: Engine, catalogue: CrashCatalogue) -> None:
    """Add the genres."""
    clock = SystemClock()
    genre_use.add(engine, clock, "rock", 10_000, [MIX])
    genre_use.add(engine, clock, "jazz", 10_000)


def work(
    engine: Engine,
    clock: Clock,
    catalogue: CrashCatalogue,
    *,
    owner: str | None = None,
    alone: Callable[[], bool] = lambda: True,
    report: Report = lambda _: None,
    requested: Requested = lambda _: None,
    rate: Rate = FAST,
    written: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> None:
    """Harvest and enrich in turns until both are done; `written` records each turn."""
    account = Account("spotify", "fake", rate)
    budget, owner = RequestBudget.open(engine, account), owner or str(ProcessIdentity.current())
    search, lists = (
        FakeSource(catalogue.genres, catalogue.reach),
        FakePlaylists({MIX: catalogue.mix}),
    )
    for source in (search, lists):
        source.account, source.page_limits = account, (catalogue.page,)
    crawl = CrawlStages(
        engine,
        clock,
        (
            PlaylistHarvester(
                engine, ObservedSource(lists, report, requested), budget, clock, owner=owner
            ),
            SearchHarvester(
                engine, ObservedSource(search, report, requested), budget, clock, owner=owner
            ),
        ),
    )
    providers = [
        SparseProvider("first", 2, catalogue.batch, rate),
        SparseProvider("second", 3, catalogue.batch, rate),
    ]
    budgeted = [
        BudgetedProvider(
            ObservedSource(one, report, requested), RequestBudget.open(engine, one.account)
        )
        for one in providers
    ]
    enricher = FeatureEnricher(engine, clock, budgeted, no_other_worker=alone)
    while True:
        with written("harvest"):
            harvested = crawl.run(max_requests=12)
        with written("enrich"):
            enriched = enricher.run(max_requests=6)
        if (harvested.stopped, enriched.stopped) == ("exhausted", "done"):
            return


def stored(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows without surrogate keys and times; assert that they are consistent."""
    t = tables
    track, genre, shard, attempt = t.track, t.genre, t.shard, t.feature_attempt
    queries = {
        "aliases and claims": select(t.track_alias.c.source_id, track.c.identity, genre.c.name)
        .join(track, track.c.id == t.track_alias.c.track_id)
        .outerjoin(genre, genre.c.id == track.c.genre_id),
        "sightings": select(
            track.c.identity, genre.c.name, t.sighting.c.best_rank, t.sighting.c.times
        )
        .join(t.sighting, t.sighting.c.track_id == track.c.id)
        .join(genre, genre.c.id == t.sighting.c.genre_id),
        "artists": select(track.c.identity, t.artist.c.source_id, t.track_artist.c.position)
        .join(t.track_artist, t.track_artist.c.track_id == track.c.id)
        .join(t.artist, t.artist.c.id == t.track_artist.c.artist_id),
        "features": select(
            track.c.identity, t.audio_features.c.provider, t.audio_features.c.energy
        ).join(t.audio_features, t.audio_features.c.track_id == track.c.id),
        "attempts": select(
            track.c.identity, attempt.c.provider, attempt.c.attempts, attempt.c.outcome
        ).join(attempt, attempt.c.track_id == track.c.id),
        "pages": select(
            genre.c.name,
            shard.c.query,
            shard.c.year_from,
            shard.c.year_to,
            shard.c.status,
            shard.c.requests,
            shard.c["items"],
        ).join(genre, genre.c.id == shard.c.genre_id),
    }
    with read_transaction(engine) as connection:
        assert_consistent(connection)
        return {
            name: sorted(map(tuple, connection.execute(query))) for name, query in queries.items()
        }


def recorded(engine: Engine) -> Place:
    """Return the numbers of recorded pages and of recorded feature attempts."""
    with engine.connect() as connection:
        result = connection.exec_driver_sql(
            "SELECT (SELECT coalesce(sum(requests), 0) FROM shard),"
            " (SELECT coalesce(sum(attempts), 0) FROM feature_attempt)"
        ).one()
    return int(result[0]), int(result[1])


class ProcessKilled(BaseException):
    """Simulated kill: no cleanup runs after it."""


class FailPoints:
    """Kill the process at the fail-points of a share, `1 / of`, when it first reaches them.

    A fail-point is a moment around a commit or a request. It is identified by the recorded counts
    and the number of fail-points since they changed.
    """

    def __init__(self, engine: Engine, observer: Engine, of: int = 1) -> None:
        """Kill transactions of `engine`; `observer` reads committed rows."""
        self._engine, self._observer, self._of = engine, observer, of
        self._reached: set[tuple[Place, int, str]] = set()
        self.killed_at: list[str] = []
        """The moments of the kills."""
        self._killed, self._passed, self._place = False, 0, (0, 0)
        commit = engine.dialect.do_commit

        def watched(connection: object) -> None:
            self.at("before commit")
            commit(connection)  # type: ignore[arg-type]
            self.at("after commit")

        engine.dialect.do_commit = watched  # type: ignore[method-assign, assignment]  # this engine's own dialect
        event.listen(engine, "begin", lambda _: self._raise_if_killed())

    def restart(self) -> None:
        """Start a new process that has only the committed rows."""
        self._engine.dispose()
        self._killed, self._passed, self._place = False, 0, recorded(self._observer)

    def at(self, moment: str) -> None:
        """Pass a fail-point, or raise `ProcessKilled`."""
        self._raise_if_killed()
        place = recorded(self._observer)
        if place != self._place:
            self._place, self._passed = place, 0
        point = (place, self._passed, moment)
        self._passed += 1
        if point not in self._reached:
            self._reached.add(point)
            if zlib.crc32(repr(point).encode()) % self._of == 0:
                self.killed_at.append(moment)
                self._killed = True
                raise ProcessKilled

    def _raise_if_killed(self) -> None:
        if self._killed:
            raise ProcessKilled


@dataclass(frozen=True)
class CrashReport:
    """Numbers of kills and requests of one harvest."""

    kills: int
    pages: int
    """Requested by all processes together."""
    ids: int
    """Of which features were requested, by all processes together."""


def kill_randomly(url: str, catalogue: CrashCatalogue, kills: int, seed: int) -> CrashReport:
    """Harvest in processes that are killed after random delays; the last one completes."""
    draw, clock, done = random.Random(seed), SystemClock(), 0
    with tempfile.TemporaryFile() as tally:
        while True:
            pid, begun = _fork(url, catalogue, tally.fileno())
            if done < kills:
                clock.sleep(draw.uniform(0, MAX_LIFETIME))
                os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            os.close(begun)
            if os.WIFEXITED(status):
                if os.WEXITSTATUS(status):
                    raise RuntimeError("a harvest failed; its traceback is above")
                tally.seek(0)
                requested = tally.read()
                return CrashReport(done, requested.count(b"p"), requested.count(b"i"))
            done += 1


def _fork(url: str, catalogue: CrashCatalogue, tally: int) -> tuple[int, int]:
    """Fork a harvest; return when it has read the database.

    It ends with 0, or with 1 and a traceback.
    """
    begun, begun_writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(begun_writer)
        os.read(begun, 1)
        return pid, begun
    try:
        engine, clock = make_engine(url), SystemClock()
        recorded(engine)
        os.write(begun_writer, b".")

        def requested(ids: int) -> None:
            os.write(tally, b"i" * ids or b"p")

        alone = partial(no_other_process, engine, clock, "enrich")
        written = partial(job_run, engine, clock)
        work(
            engine,
            clock,
            catalogue,
            alone=alone,
            requested=requested,
            rate=MODERATE_RATE,
            written=written,
        )
        engine.dispose()
    except BaseException:  # noqa: BLE001 - the child must not continue
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    """Print the report of a harvest as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash_harvests")
    parser.add_argument("url")
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))

    @event.listens_for(Engine, "connect")
    def disable_fsync(connection: object, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous=OFF")  # a kill is no power cut

    catalogue = large_catalogue(options.kills)
    engine = make_engine(options.url)
    prepare(engine, catalogue)
    engine.dispose()  # no connection crosses a fork
    report = kill_randomly(options.url, catalogue, options.kills, options.seed)
    print(json.dumps(asdict(report)))  # noqa: T201


def large_catalogue(kills: int) -> CrashCatalogue:
    """Return a catalogue that takes longer to harvest than so many processes live."""
    return make_catalogue(kills * 5 // 2, kills * 3 // 2, page=5, reach=kills * 5 // 2, batch=8)


if __name__ == "__main__":
    main()
