"""The harvest over a source in memory, on both databases."""

import random
import shutil
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import event, select

from collector.catalogue import shards
from collector.crawl.dry_run import plan_searches
from collector.crawl.search_harvester import SearchHarvester
from collector.curation import genres as genre_use
from collector.errors import RateLimited
from collector.http.rate_limiter import RequestBudget
from genrebase.errors import NothingToDo
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests.consistency import assert_consistent
from tests.fakes import SPOTIFY_LIMITS, FakeClock, FakeSource

OWN_ROWS = {"rock": 14, "jazz": 4, "funk": 3}
"""Rows that only one genre has; with the shared ones, rock is above the result limit."""


def catalogue(shared=10, seed=1):
    """Rows per genre, some of them of all genres, years all over."""
    draw = random.Random(seed)
    common = [
        (f"c{n}", f"Common {n}", f"Artist {n % 7}", 1950 + n * 3 % 75) for n in range(shared)
    ]
    made = {}
    for genre, n_own in OWN_ROWS.items():
        own = [
            (f"{genre}{n}", f"{genre} {n}", f"{genre} artist {n % 9}", 1950 + n * 7 % 75)
            for n in range(n_own)
        ]
        made[genre] = own + common
        draw.shuffle(made[genre])
    return made


def harvester(engine, rows, *, targets=10_000, order=None, reach=15):
    clock, source = FakeClock(), FakeSource(rows, reach)
    for genre in order or rows:
        genre_use.add(engine, clock, genre, targets)
    return SearchHarvester(engine, source, RequestBudget.open(engine, source.account), clock)


def stored(engine):
    """Everything a harvest leaves behind, without surrogate keys and times."""
    t = tables
    alias = select(t.track_alias.c.source_id, t.track.c.identity, t.genre.c.name)
    alias = alias.join(t.track, t.track.c.id == t.track_alias.c.track_id)
    alias = alias.outerjoin(t.genre, t.genre.c.id == t.track.c.genre_id)
    seen = select(t.track.c.identity, t.genre.c.name, t.sighting.c.best_rank, t.sighting.c.times)
    seen = seen.join(t.sighting, t.sighting.c.track_id == t.track.c.id)
    seen = seen.join(t.genre, t.genre.c.id == t.sighting.c.genre_id)
    credited = select(t.track.c.identity, t.artist.c.source_id, t.track_artist.c.position)
    credited = credited.join(t.track_artist, t.track_artist.c.track_id == t.track.c.id)
    credited = credited.join(t.artist, t.artist.c.id == t.track_artist.c.artist_id)
    with read_transaction(engine) as connection:
        assert_consistent(connection)
        return {
            name: sorted(tuple(row) for row in connection.execute(query))
            for name, query in (("aliases", alias), ("sightings", seen), ("credits", credited))
        }


@pytest.fixture(scope="module")
def undisturbed(migrated_sqlite, tmp_path_factory):
    """What a harvest of the catalogue leaves behind that runs once, to its end."""
    path = tmp_path_factory.mktemp("undisturbed") / "undisturbed.db"
    shutil.copyfile(migrated_sqlite, path)
    engine = make_engine(f"sqlite:///{path}")
    harvester(engine, catalogue()).run()
    result = stored(engine)
    engine.dispose()
    return result


def claimed(result):
    return {source_id: genre for source_id, _, genre in result["aliases"]}


def claims(engine):
    return claimed(stored(engine))


def statuses(engine):
    with read_transaction(engine) as connection:
        return set(connection.scalars(select(tables.shard.c.status)))


def test_a_harvest_reaches_every_row_behind_the_cap(engine):
    """A genre above the result limit is split by years until every row was returned."""
    rows = catalogue()
    outcome = harvester(engine, rows).run()
    assert outcome.stopped == "exhausted"
    assert set(claims(engine)) == {row[0] for result in rows.values() for row in result}
    assert outcome.recorded.tracks_new == len(claims(engine))
    assert statuses(engine) == {"split", "exhausted"}


def test_a_year_that_is_still_full_is_capped(engine):
    """Rows beyond the limit of one year are unreachable: the shard is `capped`."""
    rows = {"rock": [(f"r{n}", f"R {n}", "A", 1999) for n in range(20)]}
    outcome = harvester(engine, rows).run()
    assert outcome.stopped == "exhausted"
    assert "capped" in statuses(engine)
    assert len(claims(engine)) == 15


def test_a_harvest_ends_at_the_targets(engine):
    """No request is made beyond the target."""
    one = harvester(engine, catalogue(), targets=5)
    assert one.run().stopped == "target"
    n_queries = len(one.source.queries)
    assert one.run().stopped == "target"
    assert len(one.source.queries) == n_queries


def test_a_second_harvest_adds_nothing(engine):
    """Exhausted is remembered: no request, no row."""
    rows = catalogue()
    one = harvester(engine, rows)
    one.run()
    before = stored(engine)
    again = SearchHarvester(engine, one.source, one.budget, one.clock).run()
    assert (again.requests, again.recorded.tracks_new, again.stopped) == (0, 0, "exhausted")
    assert stored(engine) == before


@contextmanager
def dying_at(engine, number, statement):
    """Raise an error just before the n-th statement with a line that begins so is sent."""
    sent = []

    def look(_connection, _cursor, text, *_rest):
        if text.startswith(statement) or f"\n{statement}" in text:
            sent.append(text)
            if len(sent) == number:
                raise KeyboardInterrupt

    event.listen(engine, "before_cursor_execute", look)
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        event.remove(engine, "before_cursor_execute", look)


@pytest.mark.parametrize("number", [5])
@pytest.mark.parametrize(
    "statement", ["UPDATE shard", "INSERT INTO track ", "INSERT INTO sighting", "UPDATE genre"]
)
def test_a_crash_anywhere_changes_nothing(engine, undisturbed, number, statement):
    """Killed between any two statements of a step: the same end as undisturbed."""
    one = harvester(engine, catalogue())
    with dying_at(engine, number, statement):
        one.run()
    SearchHarvester(engine, one.source, one.budget, one.clock).run()
    assert stored(engine) == undisturbed


@pytest.mark.parametrize("order", [("rock", "jazz", "funk"), ("funk", "rock", "jazz")])
def test_claims_do_not_depend_on_the_order_of_the_genres(engine, undisturbed, order):
    """Genre by genre in any order, or all at once: the same labels."""
    one = harvester(engine, catalogue(), order=order)
    for genre in order:
        one.run([genre])
    assert claims(engine) == claimed(undisturbed)


def test_the_request_limit_is_kept(engine):
    """`max_requests` bounds the requests, and the next run resumes."""
    one = harvester(engine, catalogue())
    outcome = one.run(max_requests=3)
    assert (outcome.requests, outcome.stopped, len(one.source.queries)) == (3, "limit", 3)


def test_a_long_ban_ends_the_harvest_and_keeps_its_tracks(engine):
    """During a ban of hours no request is made, and its end is reported."""
    one = harvester(engine, catalogue())
    one.run(max_requests=2)
    fetch = one.source.fetch

    def limited(_query):
        raise RateLimited(20_000)

    one.source.fetch = limited
    outcome = one.run()
    assert outcome.stopped == "blocked"
    assert outcome.blocked is not None
    assert not one.has_work()
    one.source.fetch = fetch
    n_queries = len(one.source.queries)
    assert one.run().stopped == "blocked"
    assert len(one.source.queries) == n_queries
    one.clock.advance(20_100)
    assert one.has_work()
    assert one.run().stopped == "exhausted"


def test_a_stop_finishes_the_current_step(engine):
    """A stop request ends the harvest between two steps."""
    one = harvester(engine, catalogue())
    stopping = SearchHarvester(
        engine, one.source, one.budget, one.clock, lambda: len(one.source.queries) >= 4
    )
    assert stopping.run().stopped == "interrupted"
    assert len(one.source.queries) == 4


def test_without_a_target_there_is_nothing_to_do(engine):
    """A genre that only an import made is not harvested."""
    clock, source = FakeClock(), FakeSource({})
    with pytest.raises(NothingToDo, match="genres add"):
        SearchHarvester(engine, source, RequestBudget.open(engine, source.account), clock).run()


def test_a_preview_makes_no_request(engine):
    """It lists the next searches, before and between harvests."""
    one = harvester(engine, catalogue())
    assert [result.open_shards for result in plan_searches(engine, [SPOTIFY_LIMITS], [])] == [
        1,
        1,
        1,
    ]
    one.run(max_requests=4)
    displayed = {
        result.genre: result for result in plan_searches(engine, [SPOTIFY_LIMITS], ["rock"])
    }
    assert displayed["rock"].query == 'genre:"rock"'
    assert len(one.source.queries) == 4


def test_a_cursor_moved_by_another_process_is_kept(engine):
    """Two harvesters with the same page move one cursor and record the sightings of both."""
    one = harvester(engine, catalogue())
    one.run(max_requests=1)
    with transaction(engine) as connection:
        (before, *_) = shards.open_shards(connection, "spotify", [1, 2, 3])
        after = before
        assert shards.update_cursor(connection, before, after, 0, one.clock.now())
        stale = replace(before, next_offset=before.next_offset + 10)
        assert not shards.update_cursor(connection, stale, after, 0, one.clock.now())
