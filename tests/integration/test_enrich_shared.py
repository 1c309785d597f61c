"""Several processes enrich one database, on both engines."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select

from collector.catalogue import tracks
from collector.catalogue.attempt_queue import LEASE_DURATION
from collector.catalogue.lease import POLL_SECONDS, RENEW_AFTER_SECONDS
from collector.enrichment.features import BudgetedProvider, FeatureEnricher
from collector.errors import RateLimited
from collector.http.rate_limiter import RequestBudget
from collector.rate_limits import Account, Rate
from collector.records import ArtistCredit, Provenance, SourceTrack, TrackObservation
from genrebase.runtime.clock import SystemClock
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests.fakes import NOON, FakeClock


class Provider:
    """Has no features; counts the requested tracks, and calls a hook before it responds."""

    name = "reccobeats"
    ids_of = "spotify"
    endpoint = "reccobeats/features"
    may_have_ended = False
    batch_size = 7
    licence = "unknown"
    account = Account("reccobeats", "fake", Rate(100_000, 1.0))

    def __init__(self, requested, before=lambda ids: None):
        self.requested = requested
        self._before = before

    def fetch(self, ids):
        self.requested.update(ids)
        self._before(ids)
        return dict.fromkeys(ids)


@pytest.fixture
def ids(engine):
    """A hundred tracks without features."""
    source_tracks = [
        SourceTrack("spotify", f"{n:022d}", f"Song {n}", (ArtistCredit("A"),)) for n in range(100)
    ]
    seen = [TrackObservation(one, "rock", rank) for rank, one in enumerate(source_tracks)]
    with transaction(engine) as connection:
        tracks.record(connection, seen, Provenance("spotify", provider=None), NOON)
    return [one.source_id for one in source_tracks]


def enricher(engine, provider, clock, **more):
    return FeatureEnricher(
        engine,
        clock,
        [BudgetedProvider(provider, RequestBudget.open(engine, provider.account))],
        **more,
    )


def attempts(engine):
    """Stored number of requests per track."""
    with read_transaction(engine) as connection:
        return Counter(connection.scalars(select(tables.feature_attempt.c.attempts)))


def test_two_workers_request_no_track_twice(engine, ids):
    """Each track is requested once; neither worker ends before all responses are stored."""
    requests, start = Counter(), Barrier(2)

    def work(_):
        ours = make_engine(engine.url)
        start.wait()
        outcome = enricher(ours, Provider(requests), SystemClock()).run()
        ours.dispose()
        return outcome

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(work, range(2)))
    assert requests == Counter(ids)
    assert sum(one.requested for one in ended) == len(ids)
    assert {one.stopped for one in ended} == {"done"}
    assert attempts(engine) == {1: len(ids)}


def test_a_leased_batch_is_left_to_its_worker(engine, ids):
    """During a request, other workers lease the next tracks, not that batch."""
    theirs, clock = Counter(), FakeClock()

    def meanwhile(_):
        if not theirs:
            other = enricher(engine, Provider(theirs), clock)
            assert other.run(max_requests=2).stopped == "limit"

    ours = Counter()
    enricher(engine, Provider(ours, meanwhile), clock).run()
    assert sorted(theirs) == ids[7:21]
    assert ours + theirs == Counter(ids)


def test_the_lease_of_a_silent_worker_expires(engine, ids):
    """A worker on another machine that stops renewing keeps its batch for half a minute."""
    clock, requests = FakeClock(), Counter()

    class Killed(BaseException):
        """Nothing is given back."""

    def die(_):
        with transaction(engine) as connection:  # as the batch stands when the process is gone
            stood.extend(connection.execute(select(tables.feature_attempt)).all())
        raise Killed

    stood = []
    with pytest.raises(Killed):
        enricher(engine, Provider(Counter(), die), clock).run()
    until = {row.next_at for row in stood}
    assert until == {NOON + LEASE_DURATION}
    with transaction(engine) as connection:
        connection.execute(tables.feature_attempt.delete())
        connection.execute(tables.feature_attempt.insert(), [row._asdict() for row in stood])
    assert enricher(engine, Provider(requests), clock).run().stopped == "done"
    assert requests == Counter(ids)
    assert clock.now() >= NOON + LEASE_DURATION
    assert attempts(engine) == {1: len(ids)}


def test_leases_of_ended_workers_are_released_at_once(engine, ids):
    """If all other workers have ended, no lease is waited for."""
    clock, requests = FakeClock(), Counter()
    with transaction(engine) as connection:
        rows = connection.execute(select(tables.track.c.id)).scalars().all()
        left = {"provider": "reccobeats", "next_at": NOON + LEASE_DURATION, "outcome": "unknown"}
        connection.execute(
            tables.feature_attempt.insert(), [{"track_id": one, **left} for one in rows[:7]]
        )
    enricher(engine, Provider(requests), clock, no_other_worker=lambda: True).run()
    assert requests == Counter(ids)
    assert POLL_SECONDS not in clock.slept


def test_a_long_wait_does_not_lose_the_batch(engine, ids):
    """The lease is renewed before a late request."""
    clock, theirs, ours = FakeClock(), Counter(), Counter()
    bans = [RateLimited(55)]

    def refuse(_):
        if bans:
            raise bans.pop()
        if not theirs:
            clock.advance(LEASE_DURATION.total_seconds() - 1)
            enricher(engine, Provider(theirs), clock).run(max_requests=1)

    enricher(engine, Provider(ours, refuse), clock).run()
    assert clock.now() > NOON + LEASE_DURATION + timedelta(seconds=RENEW_AFTER_SECONDS)
    assert sorted(theirs) == ids[7:14]
    assert attempts(engine) == {1: len(ids)}


def test_a_failed_batch_is_released(engine, ids):
    """After any error the next run gets the batch at once."""
    clock, requests = FakeClock(), Counter()

    def fail(_):
        raise KeyError

    with pytest.raises(KeyError):
        enricher(engine, Provider(Counter(), fail), clock).run()
    enricher(engine, Provider(requests), clock).run()
    assert requests == Counter(ids)
    assert POLL_SECONDS not in clock.slept


def test_a_track_that_is_being_removed_is_left(postgres_engine):
    """Leasing a batch does not wait for a transaction that deletes tracks of it."""
    credit = (ArtistCredit("A"),)
    source_tracks = [SourceTrack("spotify", f"{n:022d}", f"Song {n}", credit) for n in range(3)]
    with transaction(postgres_engine) as connection:
        seen = [TrackObservation(one, "rock", 0) for one in source_tracks]
        tracks.record(connection, seen, Provenance("spotify", provider=None), NOON)
    requests = Counter()
    removed = tables.track.delete().where(tables.track.c.title == "Song 0")
    with transaction(postgres_engine) as connection:
        connection.execute(removed)
        stopped = {"stop_requested": lambda: bool(requests)}
        enricher(postgres_engine, Provider(requests), FakeClock(), **stopped).run()
    assert sorted(requests) == [f"{n:022d}" for n in (1, 2)]
