"""Harvests that are killed, again and again, and what they leave behind.

`python -m tests.crash_harvests` is one process that brings all imports and forks harvests over one
database, each of which it kills after a random moment: forty starts would cost a minute otherwise.
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
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Engine, event, select

from collector.account import Account
from collector.crawl.playlists import PlaylistHarvester
from collector.crawl.search import SearchHarvester
from collector.crawl.sequence import CrawlSequence
from collector.curation import genres as genre_use
from collector.enrichment.features import BudgetedProvider, FeatureEnricher
from collector.http.rate_limiter import RequestBudget
from collector.rate import Rate
from collector.records import AudioFeatures
from genrebase.runtime.clock import Clock, SystemClock
from genrebase.runtime.jobs import job_run, no_other_process
from genrebase.runtime.processes import ProcessIdentity
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction
from tests.consistency import assert_consistent
from tests.fakes import FakePlaylists, FakeSource

FAST = Rate(100_000, 30.0)
LIFE = 0.04
"""Seconds that a process lives at most before it is killed."""
PACE = Rate(1_500, 30.0)
"""About 50 requests a second: so that a harvest is not over before it was killed often enough."""
MIX = "mix0" * 5 + "xx"
"""The id of a playlist."""

Tell = Callable[[str], None]
Place = tuple[int, int]


@dataclass(frozen=True)
class World:
    """What there is to harvest, how much of it is a page, and what is known about it."""

    genres: Mapping[str, Sequence[tuple[str, str, str, int]]]
    mix: Sequence[tuple[str, str, str, int]]
    page: int
    reach: int
    batch: int


def world(rock: int, jazz: int, *, page: int, reach: int, batch: int) -> World:
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
    return World(made, mix, page, reach, batch)


class Knower:
    """Knows the features of every so-manieth track."""

    endpoint = "features"

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


class Told:
    """A source or a provider, of which somebody is told before and after each request."""

    def __init__(self, asked: object, tell: Tell) -> None:
        self._asked, self._tell = asked, tell

    def __getattr__(self, name: str) -> object:
        return getattr(self._asked, name)

    def fetch(self, query: object) -> object:
        self._tell("before request")
        response = self._asked.fetch(query)  # type: ignore[attr-defined]
        self._tell("after request")
        return response


def prepare(engine: Engine, known: World) -> None:
    """Make the genres."""
    clock = SystemClock()
    genre_use.add(engine, clock, "rock", 10_000, [MIX])
    genre_use.add(engine, clock, "jazz", 10_000)


def work(
    engine: Engine,
    clock: Clock,
    known: World,
    *,
    owner: str | None = None,
    alone: Callable[[], bool] = lambda: True,
    tell: Tell = lambda _: None,
    rate: Rate = FAST,
    written: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> None:
    """Harvest and enrich by turns until nothing is left; each turn is `written` down."""
    account = Account("spotify", "fake", rate)
    budget, owner = RequestBudget.open(engine, account), owner or str(ProcessIdentity.current())
    search, lists = FakeSource(known.genres, known.reach), FakePlaylists({MIX: known.mix})
    for source in (search, lists):
        source.account, source.page_limits = account, (known.page,)
    crawl = CrawlSequence(
        engine,
        clock,
        (
            PlaylistHarvester(engine, Told(lists, tell), budget, clock, owner=owner),
            SearchHarvester(engine, Told(search, tell), budget, clock, owner=owner),
        ),
    )
    providers = [Knower("first", 2, known.batch, rate), Knower("second", 3, known.batch, rate)]
    counts = [
        BudgetedProvider(Told(one, tell), RequestBudget.open(engine, one.account))
        for one in providers
    ]
    enricher = FeatureEnricher(engine, clock, counts, no_other_worker=alone)
    while True:
        with written("harvest"):
            harvested = crawl.run(max_requests=12)
        with written("enrich"):
            enriched = enricher.run(max_requests=6)
        if (harvested.stopped, enriched.stopped) == ("exhausted", "done"):
            return


def stored(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Return what is there, without surrogate keys and times; see that it is consistent."""
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
        "questions": select(
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
    """Return how many pages, and how many answers about tracks, are recorded."""
    with engine.connect() as connection:
        result = connection.exec_driver_sql(
            "SELECT (SELECT coalesce(sum(requests), 0) FROM shard),"
            " (SELECT coalesce(sum(attempts), 0) FROM feature_attempt)"
        ).one()
    return int(result[0]), int(result[1])


class Killed(BaseException):
    """The process is dead: nothing of it runs any more, no clearing up either."""


class Fuse:
    """Kills at the first fail-point at which nobody was killed yet.

    A fail-point is a moment around a commit or a request, told apart by what was recorded then,
    and by how many others passed since.
    """

    def __init__(self, engine: Engine, observer: Engine) -> None:
        """`engine` will die; `observer` sees what was committed."""
        self._engine, self._observer = engine, observer
        self.burnt: set[tuple[Place, int, str]] = set()
        self._dead, self._passed, self._place = False, 0, (0, 0)
        commit = engine.dialect.do_commit

        def watched(connection: object) -> None:
            self.at("before commit")
            commit(connection)  # type: ignore[arg-type]
            self.at("after commit")

        engine.dialect.do_commit = watched  # type: ignore[method-assign, assignment]  # this engine's own dialect
        event.listen(engine, "begin", lambda _: self._stay_dead())

    def revive(self) -> None:
        """Begin a new life, without anything of the one before but what it committed."""
        self._engine.dispose()
        self._dead, self._passed, self._place = False, 0, recorded(self._observer)

    def at(self, moment: str) -> None:
        """Pass a fail-point, or die there."""
        self._stay_dead()
        place = recorded(self._observer)
        if place != self._place:
            self._place, self._passed = place, 0
        point = (place, self._passed, moment)
        self._passed += 1
        if point not in self.burnt:
            self.burnt.add(point)
            self._dead = True
            raise Killed

    def _stay_dead(self) -> None:
        if self._dead:
            raise Killed


@dataclass(frozen=True)
class Survival:
    """What became of a harvest that was killed again and again."""

    kills: int
    requests: int
    """Begun by all processes together."""


def kill_randomly(url: str, known: World, kills: int, seed: int) -> Survival:
    """Harvest over `url` in processes that are killed after random moments, but the last one."""
    draw, clock, done = random.Random(seed), SystemClock(), 0
    with tempfile.TemporaryFile() as tally:
        while True:
            pid, begun = _fork(url, known, tally.fileno())
            if done < kills:
                clock.sleep(draw.uniform(0, LIFE))
                os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            os.close(begun)
            if os.WIFEXITED(status):
                if os.WEXITSTATUS(status):
                    raise RuntimeError("a harvest failed; its traceback stands above")
                return Survival(done, os.fstat(tally.fileno()).st_size)
            done += 1


def _fork(url: str, known: World, tally: int) -> tuple[int, int]:
    """Start a harvest; return when it has looked at the database.

    It ends with 0, or with 1 and a traceback.
    """
    begun, tell_begun = os.pipe()
    pid = os.fork()
    if pid:
        os.close(tell_begun)
        os.read(begun, 1)
        return pid, begun
    try:
        engine, clock = make_engine(url), SystemClock()
        recorded(engine)
        os.write(tell_begun, b".")

        def report(moment: str) -> None:
            if moment.startswith("before"):
                os.write(tally, b".")

        alone = partial(no_other_process, engine, clock, "enrich")
        written = partial(job_run, engine, clock)
        work(engine, clock, known, alone=alone, tell=report, rate=PACE, written=written)
        engine.dispose()
    except BaseException:  # noqa: BLE001 - nothing of it may go on in the child
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    """Write as JSON what became of a harvest."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash_harvests")
    parser.add_argument("url")
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))

    @event.listens_for(Engine, "connect")
    def hurry(connection: object, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous=OFF")  # a kill is no power cut

    fake_sources = soaked(options.kills)
    engine = make_engine(options.url)
    prepare(engine, fake_sources)
    engine.dispose()  # no connection crosses a fork
    survived = kill_randomly(options.url, fake_sources, options.kills, options.seed)
    print(json.dumps({"kills": survived.kills, "requests": survived.requests}))  # noqa: T201


def soaked(kills: int) -> World:
    """Return a world that takes longer to harvest than so many processes live together."""
    return world(kills * 5 // 2, kills * 3 // 2, page=5, reach=kills * 5 // 2, batch=8)


if __name__ == "__main__":
    main()
