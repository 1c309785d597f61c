"""An empty page in the middle of a search or playlist, on both databases."""

import pytest

from collector.crawl.playlist_harvester import PlaylistHarvester
from collector.crawl.search_harvester import SearchHarvester
from collector.curation import genres
from collector.http.rate_limiter import RequestBudget
from genrebase.store.engine import read_transaction
from tests.consistency import assert_consistent
from tests.fakes import FakeClock, FakePlaylists, FakeSource

ROWS = [(f"r{n}", f"R {n}", f"A {n % 3}", 1999) for n in range(40)]
PLAYLIST = "37i9dQZF1DXcBWIGoYBM5M"


def harvested(engine, source, *, target=1_000, cls=SearchHarvester, playlists=()):
    """Harvest once and return the outcome and the offsets requested."""
    clock = FakeClock()
    genres.add(engine, clock, "rock", target, playlists)
    budget = RequestBudget.open(engine, source.account)
    outcome = cls(engine, source, budget, clock).run()
    with read_transaction(engine) as connection:
        assert_consistent(connection)
    return outcome, [query.offset for query in source.queries]


def searched(engine, holes, total="rows", *, rows=ROWS, target=1_000):
    source = FakeSource({"rock": rows}, 1_000, holes=holes, total=total)
    return harvested(engine, source, target=target)


def test_a_hole_is_passed_over_while_the_source_states_more(engine):
    """The target is reached behind the hole, with one request more than the empty page's two."""
    outcome, offsets = searched(engine, [10], target=25)
    assert (outcome.recorded.tracks_new, outcome.stopped) == (30, "target")
    assert offsets == [0, 10, 10, 20, 30]


@pytest.mark.parametrize(
    ("holes", "total", "tracks", "requested"),
    [
        ([0], "rows", 30, [0, 0, 10, 20, 30, 40, 40]),
        ([10, 30], 45, 20, [0, 10, 10, 20, 30, 30, 40]),
        ([10, 30], 60, 20, [0, 10, 10, 20, 30, 30, 40]),
        ([10, 20], "rows", 10, [0, 10, 10, 20]),
        ([10], None, 10, [0, 10, 10]),
        ([10], 20, 10, [0, 10, 10]),
        ([], 1_000, 40, [0, 10, 20, 30, 40, 40, 50]),
        ([30], "rows", 30, [0, 10, 20, 30, 30]),
    ],
)
def test_one_page_beyond_a_hole_is_requested_before_the_end(
    engine, holes, total, tracks, requested
):
    """Where it is empty, too, or the source states no more, the search is exhausted."""
    outcome, offsets = searched(engine, holes, total)
    assert (outcome.recorded.tracks_new, outcome.stopped) == (tracks, "exhausted")
    assert offsets == requested


def test_a_hole_in_a_year_of_a_split_search(engine):
    """A child is read from behind its head, over its hole, and its head last."""
    rows = [(f"s{n}", f"S {n}", "A", 1960 + n % 2 * 45) for n in range(80)]
    source = FakeSource({"rock": rows}, 40, holes=[20], total="rows")
    outcome, _ = harvested(engine, source)
    assert outcome.recorded.tracks_new == 80


def test_a_harvest_that_ends_in_a_hole_continues_behind_it(engine):
    """The state of the hole is stored with the cursor."""
    source = FakeSource({"rock": ROWS}, 1_000, holes=[10], total="rows")
    clock = FakeClock()
    genres.add(engine, clock, "rock", 1_000)
    budget = RequestBudget.open(engine, source.account)
    for _ in range(20):
        if SearchHarvester(engine, source, budget, clock).run(max_requests=1).stopped != "limit":
            break
    assert [query.offset for query in source.queries] == [0, 10, 10, 20, 30, 40, 40]


@pytest.mark.parametrize(
    ("holes", "tracks", "requested"),
    [
        ([10], 30, [0, 10, 10, 20, 30, 40, 40]),
        ([10, 20], 10, [0, 10, 10, 20]),
        ([30], 30, [0, 10, 20, 30, 30]),
        ([], 40, [0, 10, 20, 30, 40, 40]),
    ],
)
def test_a_hole_in_a_playlist(engine, holes, tracks, requested):
    """Playlists state their number of items, too."""
    source = FakePlaylists({PLAYLIST: ROWS}, holes=holes)
    outcome, offsets = harvested(engine, source, cls=PlaylistHarvester, playlists=(PLAYLIST,))
    assert (outcome.recorded.tracks_new, offsets) == (tracks, requested)
