"""Leases of shards, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from collector.catalogue import shard_leases, shards
from collector.catalogue.lease import LEASE_SECONDS, RENEW_AFTER_SECONDS
from collector.crawl.lease_manager import LeaseManager
from collector.crawl.playlist_harvester import PlaylistHarvester
from collector.crawl.search_harvester import SearchHarvester
from collector.curation import genres as genre_use
from collector.errors import LeaseLost
from collector.http.rate_limiter import RequestBudget
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.process_identity import ProcessIdentity
from genrebase.store.database_clock import server_time
from genrebase.store.engine import read_transaction, transaction
from tests.fakes import FakeClock, FakePlaylists, FakeSource

ELSEWHERE = "another host:1:born"
"""A process of which nobody here knows whether it lives."""

MIX = "mix0" * 5 + "xx"
"""The id of a playlist."""


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def time(clock, monkeypatch):
    """Leases expire by the test's clock."""
    monkeypatch.setattr(shard_leases, "server_time", lambda _: clock.now().timestamp())


@pytest.fixture
def shard(engine, clock):
    """The first shard of one genre."""
    genre_use.add(engine, clock, "rock", 100)
    with transaction(engine) as connection:
        (genre_id,) = shards.genre_progress(connection)
        shards.add_roots(connection, "spotify", [genre_id], str, clock.now())
        (result,) = shards.open_shards(connection, "spotify", [genre_id])
    return result


@pytest.fixture
def ours(engine, clock, time):
    return LeaseManager(engine, clock, str(ProcessIdentity.current()))


@pytest.fixture
def theirs(engine, clock, time):
    return LeaseManager(engine, clock, ELSEWHERE)


def test_a_shard_has_one_holder(ours, theirs, shard):
    """A leased shard cannot be leased by another process."""
    with theirs.acquire(shard):
        assert ours.available([shard]) == []
        with pytest.raises(LeaseLost), ours.acquire(shard):
            pass


def test_a_lease_is_released_with_the_last_write(engine, ours, theirs, shard):
    """The transaction that moves the cursor releases the lease."""
    with theirs.acquire(shard) as lease, transaction(engine) as connection:
        lease.rows.lock(connection)
        lease.rows.release(connection)
    assert ours.available([shard]) == [shard]


def test_a_failed_step_releases_its_lease(ours, theirs, shard):
    """After any error the next process need not wait."""
    with pytest.raises(KeyError), theirs.acquire(shard):
        raise KeyError
    with ours.acquire(shard):
        pass


def test_a_lease_expires(ours, theirs, shard, clock):
    """An owner elsewhere that fell silent keeps a shard for half a minute, not for ever."""
    with pytest.raises(LeaseLost), theirs.acquire(shard) as lease:
        clock.advance(LEASE_SECONDS)
        assert ours.available([shard]) == [shard]
        with ours.acquire(shard):
            lease.renew_if_due()


def test_late_results_are_dropped(engine, ours, theirs, shard, clock):
    """The fencing token prevents an expired holder from overwriting later work."""
    with pytest.raises(LeaseLost), theirs.acquire(shard) as lease:
        clock.advance(LEASE_SECONDS)
        with ours.acquire(shard) as other:
            with transaction(engine) as connection:
                other.rows.release(connection)
            with transaction(engine) as connection:
                lease.rows.lock(connection)


def test_a_lease_is_renewed_before_a_late_request(ours, theirs, shard, clock):
    """It is renewed before each request if some time has passed."""
    with theirs.acquire(shard) as lease:
        for _ in range(10):
            clock.advance(RENEW_AFTER_SECONDS)
            lease.renew_if_due()
            assert ours.available([shard]) == []


@pytest.mark.parametrize("apart", [-40, 40, 86_400])
def test_hosts_need_not_agree_on_the_time(engine, clock, shard, apart):
    """The database's clock counts: one that is ahead steals nothing, one behind holds nothing."""
    theirs = LeaseManager(engine, clock, ELSEWHERE)
    ours = LeaseManager(
        engine, FakeClock(clock.now() + timedelta(seconds=apart)), "a third host:1:born"
    )
    with theirs.acquire(shard):
        assert ours.available([shard]) == []
        with pytest.raises(LeaseLost), ours.acquire(shard):
            pass


def test_the_database_clock_decides(engine):
    """In seconds since 1970, to less than a minute."""
    with read_transaction(engine) as connection:
        reported = server_time(connection)
    assert reported == pytest.approx(SystemClock().now().timestamp(), abs=60)


def test_leases_of_ended_processes_are_free_at_once(engine, clock, ours, shard):
    """On the same host the expiry need not be waited for."""
    current = ProcessIdentity.current()
    dead = LeaseManager(
        engine, clock, str(ProcessIdentity(current.host, current.pid, "born before"))
    )
    with dead.acquire(shard):
        assert ours.available([shard]) == [shard]
        with ours.acquire(shard):
            pass


def test_a_shard_that_moved_meanwhile_is_planned_again(ours, shard):
    """A plan on an old cursor does not fetch a page twice."""
    with pytest.raises(LeaseLost), ours.acquire(replace(shard, next_offset=50)):
        pass


def test_a_harvest_waits_for_leased_shards(engine, clock, time, theirs):
    """It is `exhausted` only when other processes are done or their leases have expired."""
    source = FakeSource({"rock": [(f"r{n}", f"R {n}", "A", 1999) for n in range(12)]})
    genre_use.add(engine, clock, "rock", 100)
    budget = RequestBudget.open(engine, source.account)
    harvester = SearchHarvester(engine, source, budget, clock)
    harvester.run(max_requests=1)
    with read_transaction(engine) as connection:
        (shard,) = shards.open_shards(connection, "spotify", shards.genre_progress(connection))
    with pytest.raises(LeaseLost), theirs.acquire(shard) as lease:
        began = clock.monotonic()
        assert harvester.run().stopped == "exhausted"
        assert LEASE_SECONDS <= clock.monotonic() - began < LEASE_SECONDS + 5
        with transaction(engine) as connection:
            lease.rows.lock(connection)
    assert [query.offset for query in source.queries] == [0, 10, 12, 12]


def test_a_harvest_waits_for_a_leased_playlist(engine, clock, time, theirs):
    """It is `exhausted` when the playlist was read completely, by any process."""
    source = FakePlaylists({MIX: [(f"m{n}", f"M {n}", "A", 1999) for n in range(12)]})
    genre_use.add(engine, clock, "rock", 100, [MIX])
    budget = RequestBudget.open(engine, source.account)
    harvester = PlaylistHarvester(engine, source, budget, clock)
    harvester.run(max_requests=1)
    with read_transaction(engine) as connection:
        (shard,) = shards.open_shards(connection, source.name, shards.genre_progress(connection))
    with pytest.raises(LeaseLost), theirs.acquire(shard) as lease:
        began = clock.monotonic()
        assert harvester.run().stopped == "exhausted"
        assert LEASE_SECONDS <= clock.monotonic() - began < LEASE_SECONDS + 5
        with transaction(engine) as connection:
            lease.rows.lock(connection)
    assert [query.offset for query in source.queries] == [0, 10, 12, 12]


def test_a_lease_of_a_clock_set_back_since_has_expired(ours, theirs, shard, clock):
    """A shard does not stay leased until the database's clock has come as far again."""
    clock.advance(36 * 365 * 86_400.0)
    with theirs.acquire(shard):
        assert ours.available([shard]) == []
        clock.advance(-36 * 365 * 86_400.0)
        assert ours.available([shard]) == [shard]
        with ours.acquire(shard):
            assert theirs.available([shard]) == []


def test_a_genre_that_was_removed_or_renamed_meanwhile(engine, clock):
    """A harvest that was about to begin leaves it out, or searches for its new name."""
    for name in ("rock", "jazz", "folk"):
        genre_use.add(engine, clock, name, 100)
    with read_transaction(engine) as connection:
        ids = sorted(shards.genre_progress(connection))
    genre_use.remove(engine, "rock")
    genre_use.rename(engine, "jazz", "bebop")
    with transaction(engine) as connection:
        shards.add_roots(connection, "spotify", ids, "genre:{}".format, clock.now())
        added = shards.open_shards(connection, "spotify", ids)
    assert sorted(shard.query for shard in added) == ["genre:bebop", "genre:folk"]
