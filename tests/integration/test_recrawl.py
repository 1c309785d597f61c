"""Exhausted searches are crawled again after a period, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from collector.catalogue import shards
from collector.crawl.search_harvester import SearchHarvester
from collector.curation import genres
from collector.http.rate_limiter import RequestBudget
from collector.shard import CLOCK_TOLERANCE, RECENT_RECRAWL_SHARE, RECRAWL_AFTER
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests import database_states
from tests import factories as make
from tests.consistency import assert_consistent
from tests.fakes import NOON, FakeClock, FakeSource, page_of

REACH = 15
SECOND = timedelta(seconds=1)


@pytest.fixture
def crawled(engine):
    """Return a harvester that has read all there is: one genre behind the cap, one in front."""
    rows = {
        "rock": [(f"r{n}", f"R {n}", "A", 1990 + n) for n in range(30)],
        "jazz": [(f"j{n}", f"J {n}", "B", 1970) for n in range(5)],
    }
    source = FakeSource(rows, REACH)

    def harvester(clock):
        budget = RequestBudget.open(engine, source.account)
        return SearchHarvester(engine, source, budget, clock)

    def crawl():
        clock = FakeClock()
        for genre in rows:
            genres.add(engine, clock, genre, 1_000)
        assert harvester(clock).run().recorded.tracks_new == 35
        return clock.now()

    return harvester(FakeClock(database_states.once(engine, __name__, crawl)))


def days(harvester, number):
    harvester.clock.advance(number * 86_400)


def test_no_request_before_the_period_is_over(crawled):
    """An exhausted genre causes no request and no work for the daemon."""
    days(crawled, 7)
    crawled.source.rows["jazz"].append(("j9", "J 9", "B", 2025))
    assert not crawled.has_work()
    outcome = crawled.run()
    assert (outcome.requests, outcome.stopped) == (0, "exhausted")


def test_the_current_year_is_crawled_again_sooner(crawled):
    """After a quarter of the period only new releases are searched."""
    crawled.source.rows["jazz"].append(("j9", "J 9", "B", 2025))
    crawled.source.rows["rock"].append(("r99", "R 99", "A", 2026))
    crawled.source.rows["rock"].append(("r98", "R 98", "A", 1991))
    crawled.source.queries.clear()
    days(crawled, 8)
    assert crawled.has_work()
    outcome = crawled.run()
    assert (outcome.recorded.tracks_new, outcome.stopped) == (2, "exhausted")
    assert min(query.year_to for query in crawled.source.queries) >= 2026
    assert crawled.run().requests == 0


def test_after_the_whole_period_everything_is_crawled_again(crawled):
    """New results of every year are recorded; then the genre is exhausted again."""
    crawled.source.rows["rock"].append(("r98", "R 98", "A", 1991))
    days(crawled, RECRAWL_AFTER.days)
    outcome = crawled.run()
    assert (outcome.recorded.tracks_new, outcome.stopped) == (1, "exhausted")
    assert crawled.run().requests == 0
    with read_transaction(crawled.engine) as connection:
        assert_consistent(connection)
        assert connection.scalar(select(func.count()).select_from(tables.track)) == 36


@pytest.mark.parametrize(
    ("status", "year_to", "age", "due"),
    [
        ("exhausted", 2020, RECRAWL_AFTER, True),
        ("capped", 2020, RECRAWL_AFTER, True),
        ("exhausted", 2020, RECRAWL_AFTER - SECOND, False),
        ("exhausted", NOON.year, RECRAWL_AFTER * RECENT_RECRAWL_SHARE, True),
        ("exhausted", NOON.year, RECRAWL_AFTER * RECENT_RECRAWL_SHARE - SECOND, False),
        ("open", 2020, 10 * RECRAWL_AFTER, False),
        ("split", 2020, 10 * RECRAWL_AFTER, False),
        ("exhausted", 2020, -CLOCK_TOLERANCE - SECOND, True),
        ("exhausted", 2020, -CLOCK_TOLERANCE, False),
    ],
)
def test_a_closed_search_is_due_after_its_period(engine, status, year_to, age, due):
    """With the current year in it sooner; a visit in the future shows a clock that was set."""
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock")
        values = {"status": status, "year_to": year_to, "visited_at": NOON - age}
        shard = make.add_shard(connection, rock, **values)
        found = shards.due_for_recrawl(connection, "spotify", [rock], NOON, RECRAWL_AFTER)
        assert [one.id for one in found] == [shard] * due


def test_the_crawl_follows_the_years(crawled):
    """A genre that was split years ago is searched for the years since."""
    crawled.source.rows["rock"].append(("r97", "R 97", "A", 2029))
    days(crawled, 3 * 365)
    assert crawled.run().recorded.tracks_new == 1


def test_a_complete_genre_is_not_crawled_again(crawled):
    """Only genres below their target are crawled again."""
    genres.set_target(crawled.engine, "rock", 30)
    genres.set_target(crawled.engine, "jazz", 5)
    days(crawled, 400)
    assert not crawled.has_work()
    assert (crawled.run().requests, crawled.run().stopped) == (0, "target")


def test_a_genre_without_search_results_is_reported(crawled):
    """Two empty first pages suggest a misspelt name."""
    crawled.source.rows["jaz"] = []
    genres.add(crawled.engine, crawled.clock, "jaz", 10)
    outcome = crawled.run()
    assert (outcome.requests, outcome.unknown_genres, outcome.stopped) == (2, ["jaz"], "exhausted")
    assert crawled.run().unknown_genres == ["jaz"]


def test_a_source_that_repeats_a_page_is_left_alone(crawled):
    """Three requests show it; the search sleeps until it is due, and the run says so."""

    def repeat(query):
        rows = crawled.source.rows["loop"]
        return page_of(rows[: query.limit])

    crawled.source.rows["loop"] = [(f"l{n}", f"L {n}", "A", 1991) for n in range(60)]
    genres.add(crawled.engine, crawled.clock, "loop", 1_000)
    crawled.source.page_limits = (5,)
    fetch, crawled.source.fetch = crawled.source.fetch, repeat
    outcome = crawled.run()
    assert (outcome.requests, outcome.repeating_genres) == (3, ["loop"])
    assert outcome.facts()["repeating"] == ["loop"]
    assert crawled.run().requests == 0
    crawled.source.fetch = fetch
    days(crawled, RECRAWL_AFTER.days)
    assert crawled.run(["loop"]).recorded.tracks_new == REACH - 5
