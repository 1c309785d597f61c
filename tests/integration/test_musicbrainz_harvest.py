"""A harvest from the sandbox's MusicBrainz, on a clock that only sleeping moves."""

import logging
from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select

from collector.crawl.search_harvester import MAX_PAGES_OF_OTHER_GENRES
from genrebase.runtime.clock import SystemClock
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction
from sandbox.server import RunningSandbox
from sandbox.tracks.catalogue import SandboxCatalogue
from tests.crash_harvests import ProcessKilled, stored
from tests.fakes import FakeClock
from tests.musicbrainz_harvests import (
    CONTACT,
    Kill,
    harvest,
    make_catalogue,
    pages_recorded,
    prepare,
    requests_made,
    served,
    tracks_per_genre,
)

COLLECTED = ("rock", "indie rock", "post-rock", "hip hop", "underground hip hop", "r&b")
CROWD = {"punk rock": 500}
TARGET = 120
MAX_RESULTS = 300
"""`rock` has more results: it is split by years."""
KILLS = (1, 6, 15, 28, 48)
"""Requests and commits, each before and after, that a process survives."""


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)  # uvicorn logs connections that the sandbox drops


@pytest.fixture(scope="module")
def catalogue() -> SandboxCatalogue:
    return make_catalogue(220, COLLECTED, CROWD)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(SystemClock().now())


@pytest.fixture
def sandbox(catalogue: SandboxCatalogue, clock: FakeClock) -> Iterator[RunningSandbox]:
    with served(catalogue, clock) as running:
        yield running


def service_stats(running: RunningSandbox) -> dict[str, object]:
    stats: dict[str, object] = running.stats()["apis"]["musicbrainz"]
    return stats


def test_fills_every_genre(engine: Engine, clock: FakeClock, sandbox: RunningSandbox) -> None:
    """Tokenised tags, shuffled ties, merged MBIDs and faults: every genre gets its tracks.

    No second has two requests, every request names its program and user, and a search that is too
    large is split by years.
    """
    prepare(engine, clock, TARGET, COLLECTED)
    outcome = harvest(engine, sandbox.url, clock, max_results=MAX_RESULTS)
    assert outcome.stopped == "target"
    assert min(tracks_per_genre(engine).values()) >= TARGET
    assert outcome.unusable_reasons["of another genre"] > 100
    service = service_stats(sandbox)
    assert service["requests"] == requests_made(engine) == outcome.requests
    assert (service["max_in_window"], service["banned"]) == (1, 0)
    assert len(service["user_agents"]) == 1  # type: ignore[arg-type]
    assert CONTACT in next(iter(service["user_agents"]))  # type: ignore[call-overload]
    assert any("firstreleasedate:[*" in query for query in service["queries"])  # type: ignore[attr-defined]
    faults = Counter({str(kind): n for kind, n in sandbox.stats()["faults"].items()})
    assert faults.total() > 0
    assert outcome.requests == pages_recorded(engine) + faults.total() - faults["slow"]


def test_votes_decide_what_a_track_counts_for(
    engine: Engine, clock: FakeClock, sandbox: RunningSandbox
) -> None:
    """Of the genres that a track was returned for, it counts for the one with the most votes."""
    prepare(engine, clock, TARGET, COLLECTED)
    harvest(engine, sandbox.url, clock, max_results=MAX_RESULTS)
    track, row = tables.track.c, tables.sighting.c
    with read_transaction(engine) as connection:
        votes = connection.execute(
            select(row.track_id, row.genre_id, row.votes, row.level, row.source)
        ).all()
        claims = dict(map(tuple, connection.execute(select(track.id, track.genre_id))))
    assert {(one.level, one.source) for one in votes} == {(0, "musicbrainz")}
    most: dict[int, int] = {}
    for one in votes:
        most[one.track_id] = max(one.votes, most.get(one.track_id, 0))
    by_claim = {one.track_id: one.votes for one in votes if claims[one.track_id] == one.genre_id}
    several = Counter(one.track_id for one in votes)
    assert sum(n > 1 for n in several.values()) > 20
    wrong = [track_id for track_id, best in most.items() if by_claim[track_id] != best]
    assert len(wrong) <= len(most) // 50, "tracks of two recordings, each with votes of its own"


def test_another_spelling_costs_few_requests(
    engine: Engine, clock: FakeClock, sandbox: RunningSandbox
) -> None:
    """A genre whose words are those of another one is searched for on five pages, and named.

    One that differs by blanks is the same, and is searched to its end.
    """
    prepare(engine, clock, TARGET, ["rock"])
    prepare(engine, clock, 2_000, ["Rock-Rock", "hip  hop", "post rock"])
    outcome = harvest(engine, sandbox.url, clock)
    assert outcome.stopped == "exhausted"
    assert outcome.unknown_genres == ["Rock-Rock", "post rock"]
    with read_transaction(engine) as connection:
        row, genre = tables.shard.c, tables.genre.c
        query = select(genre.name, row.requests).join(tables.genre, genre.id == row.genre_id)
        requests = dict(map(tuple, connection.execute(query)))
    assert requests["post rock"] == MAX_PAGES_OF_OTHER_GENRES
    assert requests["hip  hop"] > MAX_PAGES_OF_OTHER_GENRES
    assert tracks_per_genre(engine)["hip  hop"] > 150


def test_killed_it_ends_like_an_undisturbed_one(
    engine: Engine, other_engine: Engine, catalogue: SandboxCatalogue, clock: FakeClock
) -> None:
    """Killed five times, before and after requests and commits, it stores the same rows.

    A kill repeats at most one request.
    """
    prepare(engine, clock, TARGET, COLLECTED)
    prepare(other_engine, clock, TARGET, COLLECTED)
    with served(catalogue, clock, faults=0.0) as running:
        undisturbed = harvest(other_engine, running.url, clock, max_results=MAX_RESULTS)
    with served(catalogue, clock) as running:
        for process, moment in enumerate(KILLS):
            mortal = make_engine(engine.url)
            with pytest.raises(ProcessKilled):
                harvest(
                    mortal,
                    running.url,
                    clock,
                    kill=Kill(moment),
                    process=process,
                    max_results=MAX_RESULTS,
                )
            mortal.dispose()
        outcome = harvest(engine, running.url, clock, process=len(KILLS), max_results=MAX_RESULTS)
        service, faults = service_stats(running), running.stats()["faults"]
    assert undisturbed.stopped == outcome.stopped == "target"
    assert stored(engine) == stored(other_engine)
    assert service["max_in_window"] == 1
    broken = sum(faults.values()) - faults.get("slow", 0)
    assert (
        pages_recorded(engine)
        <= service["requests"] - broken
        <= (  # type: ignore[operator]
            pages_recorded(engine) + len(KILLS)
        )
    )
