"""Costs of a harvest's steps as the database grows: `python -m benchmarks.step_costs URL...`.

The URLs, of one engine, are copies of databases that `benchmarks.large_database` made; the steps
add tracks to them. Measured are the steps of a harvest (`needs`: the progress of all genres;
`plan`: the next shard; `lease`: leasing and releasing it; `record`: a page of ten, seven of them
new) and of an enrichment (`due`: whether a track waits; `batch`: leasing 40 tracks and storing
their results; `idle`: that no track waits; `look`: the same by a process that begins, and looks at
all tracks). All databases take turns. Printed are the medians of the wall time, and means of the
CPU time of this process and of PostgreSQL's, in milliseconds, and the ratios of the last database
to the first.
"""

import argparse
import json
import os
import random
import statistics
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time

from sqlalchemy import Engine, delete, select

from benchmarks import large_database
from collector.catalogue import feature_queue, shards, tracks
from collector.catalogue.attempt_queue import QueuePosition
from collector.catalogue.feature_queue import ProviderResult
from collector.crawl.lease_manager import LeaseManager
from collector.crawl.search_harvester import SearchHarvester
from collector.http.rate_limiter import RequestBudget
from collector.records import (
    ArtistCredit,
    AudioFeatures,
    DurationMs,
    Provenance,
    SourceTrack,
    TrackObservation,
)
from collector.settings import CollectorSettings
from collector.sources.spotify_search import SpotifySearch
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.process_identity import ProcessIdentity
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction, transaction

PAGE = 10
KNOWN = 3
"""Tracks of a page that are stored already."""
BATCH = 40
WARM_UP = 5
STEPS = ("needs", "plan", "lease", "record", "due", "batch", "idle", "look")
TICKS = os.sysconf("SC_CLK_TCK")


class ClockAfterFilling(SystemClock):
    """The day after the last harvest: no shard is due again, and no missed track."""

    def now(self) -> datetime:
        return large_database.LAST + timedelta(days=1)


class StepCosts:
    """Measures the steps on one database."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self.engine, self.clock = engine, ClockAfterFilling()
        self.numbers = random.Random(seed)
        with read_transaction(engine) as connection:
            made = select(tables.job_run.c.counts).order_by(tables.job_run.c.id).limit(1)
            self.tracks = int(connection.execute(made).scalar_one()["tracks_new"])
            self.genres = list(connection.scalars(select(tables.genre.c.name)))
        self.genre = self.genres[0]
        settings = CollectorSettings(
            spotify_client_id="id",
            spotify_client_secret="secret",
            spotify_url="http://127.0.0.1:1",
        )
        source = SpotifySearch(settings, self.clock)
        self.harvester = SearchHarvester(
            engine, source, RequestBudget.open(engine, source.account), self.clock
        )
        self.leases = LeaseManager(engine, self.clock, str(ProcessIdentity.current()))
        self.queue, self.position = feature_queue.queue_of("reccobeats"), QueuePosition()
        self.idle_queue = feature_queue.queue_of("acousticbrainz", "musicbrainz")
        self.idle_position = QueuePosition()

    def needs(self) -> None:
        with read_transaction(self.engine) as connection:
            self.progress = shards.genre_progress(connection)

    def plan(self) -> None:
        candidates = self.harvester._shards_to_read(self.progress)  # noqa: SLF001 - a part of a step
        available = self.leases.available(candidates)
        shard = self.harvester._choose(available, self.progress)  # noqa: SLF001 - likewise
        if shard is None:
            raise SystemExit("Nothing is left to read in this database.")
        self.shard = shard

    def lease(self) -> None:
        with self.leases.acquire(self.shard) as lease, transaction(self.engine) as connection:
            lease.rows.lock(connection)
            lease.rows.release(connection)

    def record(self) -> None:
        page = [self.observation(place) for place in range(PAGE)]
        provenance = Provenance("spotify", provider=None)
        with transaction(self.engine) as connection:
            recorded = tracks.record(connection, page, provenance, self.clock.now())
        assert recorded.tracks_new == PAGE - KNOWN

    def observation(self, place: int) -> TrackObservation:
        number = self.numbers.randrange(1, self.tracks)
        genre = self.genres[self.numbers.randrange(len(self.genres))] if place == 0 else self.genre
        self.genre = genre
        if place < KNOWN:
            name, key = f"Song {number}", f"{number:022d}"
        else:
            made = self.numbers.getrandbits(60)
            name, key = f"Tune {made}", f"x{made:021d}"
        artist = 1 + int(self.numbers.random() ** 2 * self.tracks / 6)  # as in the database
        track = SourceTrack(
            "spotify", key, name, (ArtistCredit(f"Artist {artist}", f"{artist:022d}"),),
            album="An album", release_date="2001-01-01", release_year=2001,
            duration_ms=DurationMs(200_000), explicit=False, popularity=5,
            isrc=f"QZ{self.numbers.getrandbits(30):010d}",
        )  # fmt: skip
        return TrackObservation(track, genre, rank=place)

    def due(self) -> None:
        with read_transaction(self.engine) as connection:
            assert self.queue.has_due(connection, self.clock.now(), self.position)

    def batch(self) -> None:
        with transaction(self.engine) as connection:
            leased = self.queue.lease_next(connection, self.position, self.clock.now, BATCH)
        self.position.advance(leased.tracks[0].track_id - 1)
        self.leased = [one.track_id for one in leased.tracks]
        results = [
            ProviderResult(
                one.track_id,
                one.attempts + 1,
                None,
                found=True,
                features=AudioFeatures(energy=0.5),
            )
            for one in leased.tracks
        ]
        assert len(results) == BATCH
        with transaction(self.engine) as connection:
            now = self.clock.now()
            feature_queue.record_results(connection, self.queue, results, now)

    def after_batch(self) -> None:
        """Make the tracks due again: small databases have few."""
        attempt = tables.feature_attempt
        is_leased = attempt.c.track_id.in_(self.leased), attempt.c.provider == self.queue.provider
        with transaction(self.engine) as connection:
            feature_queue.delete_features(connection, self.leased, self.queue.provider)
            connection.execute(delete(attempt).where(*is_leased))

    def idle(self) -> None:
        with read_transaction(self.engine) as connection:
            position = self.idle_position
            assert not self.idle_queue.has_due(connection, self.clock.now(), position)

    def look(self) -> None:
        with read_transaction(self.engine) as connection:
            assert not self.idle_queue.has_due(connection, self.clock.now())


def server_seconds(engine: Engine) -> float:
    """Return the CPU seconds of the process that serves this connection; 0 for SQLite."""
    if engine.dialect.name != "postgresql":
        return 0.0
    with read_transaction(engine) as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@dataclass
class Cost:
    """What a step took, repetition by repetition."""

    walls: list[float] = field(default_factory=list)
    cpu: float = 0.0

    def document(self) -> dict[str, float]:
        """Return milliseconds: the median of the wall time, the mean of the CPU time."""
        wall, cpu = statistics.median(self.walls), self.cpu / len(self.walls)
        return {"wall_ms": round(1_000 * wall, 2), "cpu_ms": round(1_000 * cpu, 2)}


def measure(databases: list[StepCosts], step: str, times: int) -> list[Cost]:
    """Measure a step on all databases by turns, so that they share what else the machine does."""
    costs = [Cost() for _ in databases]
    for repetition in range(WARM_UP + times):
        if repetition == WARM_UP:
            before = [server_seconds(one.engine) for one in databases]
        for one, cost in zip(databases, costs, strict=True):
            run, undo = getattr(one, step), getattr(one, f"after_{step}", None)
            began, used = perf_counter(), process_time()
            run()
            if repetition >= WARM_UP:
                cost.cpu += process_time() - used
                cost.walls.append(perf_counter() - began)
            if undo is not None:
                spent = server_seconds(one.engine)
                undo()
                cost.cpu -= server_seconds(one.engine) - spent if repetition >= WARM_UP else 0.0
    for one, cost, seconds in zip(databases, costs, before, strict=True):
        cost.cpu += server_seconds(one.engine) - seconds
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("urls", nargs="+", help="copies of databases, the smallest first")
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--steps", default=",".join(STEPS))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    given = parser.parse_args()
    databases = [StepCosts(make_engine(url), given.seed) for url in given.urls]
    for step in given.steps.split(","):
        costs = [cost.document() for cost in measure(databases, step, given.times)]
        for one, cost in zip(databases, costs, strict=True):
            shared = {"engine": one.engine.dialect.name, "tracks": one.tracks, "step": step}
            print(json.dumps({**shared, **cost, "load": os.getloadavg()[0]}), flush=True)
        ratio = {unit: round(costs[-1][unit] / max(costs[0][unit], 0.01), 2) for unit in costs[0]}
        print(json.dumps({"step": step, "last_to_first": ratio}), flush=True)


if __name__ == "__main__":
    main()
