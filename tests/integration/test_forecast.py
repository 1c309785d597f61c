"""What a harvest has still to do, on both databases."""

from sqlalchemy import delete

from collector.catalogue import feature_queue as queue
from collector.catalogue import forecast_counts as counts
from collector.catalogue import status_counts
from collector.catalogue.feature_queue import ProviderResult
from collector.crawl import forecast
from collector.crawl.dry_run import plan_searches
from collector.crawl.forecast import forecast_genres
from collector.crawl.forecast_limits import PAGE_LIMITS, SourceLimits
from collector.crawl.search_harvester import SearchHarvester
from collector.curation import genres
from collector.http.rate_limiter import RequestBudget
from collector.monitoring.status import read_status
from collector.rate_limits import Rate
from collector.records import AudioFeatures
from collector.sources.internet_archive import InternetArchive
from collector.sources.jamendo import Jamendo
from collector.sources.musicbrainz_search import MusicBrainzSearch
from collector.sources.spotify_search import SpotifySearch
from genrebase.digests.refresh import refresh
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests.fakes import NOON, SPOTIFY_LIMITS, FakeClock, FakeSource

ROWS = {
    "rock": [(f"r{n}", f"R {n}", "A", 1990 + n % 30) for n in range(30)],
    "rockk": [],
}
ONE_A_SECOND = Rate(1, 0.97)


def harvester(engine, rows=ROWS, target=100, reach=40):
    clock, source = FakeClock(), FakeSource(rows, reach)
    for genre in rows:
        genres.add(engine, clock, genre, target)
    return SearchHarvester(engine, source, RequestBudget.open(engine, source.account), clock)


def forecasts_of(engine, names=()):
    with read_transaction(engine) as connection:
        forecasts = forecast.forecast_genres(
            connection, [SourceLimits("spotify", ONE_A_SECOND)], FakeClock(), genres=names
        )
    return {one.genre: one for one in forecasts}


def test_before_the_first_request_pages_are_assumed_full(engine):
    """A target of 7,200 takes 144 pages of 50, at the configured rate."""
    genres.add(engine, FakeClock(), "rock", 7_200)
    one = forecasts_of(engine)["rock"]
    assert (one.have, one.requests, one.expected_requests, one.open_shards) == (0, 0, 144, 1)
    assert one.hours_to_go == 144 / 3_600


def test_the_forecast_uses_new_tracks_per_page(engine):
    """Half a page of new tracks doubles the requests; the rate is the budget's."""
    rows = {"rock": ROWS["rock"] * 2, "funk": ROWS["rock"]}
    one = harvester(engine, rows)
    one.run(["rock"], max_requests=3)
    one.run(["funk"], max_requests=1)
    forecasts = forecasts_of(engine)
    assert (forecasts["rock"].have + forecasts["funk"].have, forecasts["rock"].requests) == (30, 3)
    assert forecasts["rock"].expected_requests == -(-(100 - forecasts["rock"].have) // 10)
    assert forecasts["funk"].expected_requests == -(-(100 - forecasts["funk"].have) // 5)
    interval = one.budget.state().interval
    assert forecasts["funk"].hours_to_go == forecasts["funk"].expected_requests * interval / 3_600


def test_exhausted_genres_have_no_forecast(engine):
    """An exhausted genre has neither requests nor hours to go; a complete one has 0."""
    one = harvester(engine)
    one.run()
    forecasts = forecasts_of(engine)
    assert (forecasts["rock"].expected_requests, forecasts["rock"].hours_to_go) == (None, None)
    assert (forecasts["rock"].open_shards, forecasts["rock"].unknown) == (0, False)
    assert forecasts["rockk"].unknown
    genres.set_target(engine, "rock", 30)
    assert (
        forecasts_of(engine)["rock"].expected_requests,
        forecasts_of(engine, ["rock"]).keys(),
    ) == (
        0,
        {"rock"},
    )


def test_features_are_stored_missing_or_queued(engine):
    """A miss without a next attempt counts as missing."""
    harvester(engine).run(["rock"])
    with transaction(engine) as connection:
        ids = connection.scalars(queue.queue_of("spotify").next_due(NOON, limit=3)).all()
        features = [
            ProviderResult(ids[0], 1, None, found=True, features=AudioFeatures(tempo=120.0)),
            ProviderResult(ids[1], 1, None, found=False),
            ProviderResult(ids[2], 1, NOON, found=False),
        ]
        queue.record_results(connection, queue.queue_of("spotify"), features, NOON)
    one = forecasts_of(engine)["rock"]
    assert (one.features_known, one.features_nowhere, one.features_waiting) == (1, 1, 28)


def test_a_genre_with_a_large_overlap_is_reported(engine, monkeypatch):
    """The warning names the overlapping genres, the largest first; of many tracks by digests."""
    rows = {f"r{n}": (f"r{n}", f"R {n}", "A", 2000) for n in range(200)}
    displayed = list(rows.values())
    crawled = harvester(
        engine,
        {
            "r&b": displayed[:100],
            "rock": displayed[50:],
            "rap": [*displayed[20:50], ("own", "Own", "B", 2000), *displayed[150:190]],
            "few": displayed[:3],
        },
        target=1_000,
        reach=1_000,
    )
    crawled.source.page_limits = (50,)
    crawled.run()
    warnings = [
        "r&b: 83% of its tracks are also in rock, rap, few: check the query.",
        "rap: 99% of its tracks are also in rock, r&b: check the query.",
    ]
    assert read_status(engine, crawled.clock, [SPOTIFY_LIMITS]).alarms == warnings
    refresh(engine, crawled.clock)
    monkeypatch.setattr(status_counts, "SMALL", 10)
    with transaction(engine) as connection:  # sightings of nothing: only digests can warn
        connection.execute(delete(tables.sighting))
    counted = read_status(engine, crawled.clock, [SPOTIFY_LIMITS])
    assert counted.alarms == warnings
    assert {(one.features_nowhere, one.features_waiting) for one in counted.outlook} == {
        (None, None)
    }


def test_the_status_contains_the_forecast(engine):
    """It has a forecast per genre and lists names without search results."""
    one = harvester(engine)
    one.run()
    status = read_status(engine, one.clock, [SPOTIFY_LIMITS])
    assert [ahead.genre for ahead in status.outlook] == ["rock", "rockk"]
    assert (status.unknown, status.alarms) == (["rockk"], [])


def test_the_page_limits_are_those_of_the_sources():
    """The duplicated constants equal those of the searches."""
    searches = (SpotifySearch, MusicBrainzSearch, InternetArchive, Jamendo)
    assert {source.name: source.page_limits for source in searches} == PAGE_LIMITS


def test_a_genre_is_forecast_for_the_source_that_is_next(engine):
    """The next source is forecast once the one before has nothing left, at its own page limit."""
    one = harvester(engine, target=1_000)
    sources = [SourceLimits("spotify"), SourceLimits("musicbrainz", ONE_A_SECOND, (100, 25))]

    def next_of(genre):
        with read_transaction(engine) as connection:
            by_genre = {
                forecast.genre: forecast
                for forecast in forecast_genres(connection, sources, FakeClock())
            }
        searches = {search.genre: search for search in plan_searches(engine, sources, [])}
        assert searches[genre].source == by_genre[genre].source
        return by_genre[genre]

    assert (next_of("rock").source, next_of("rock").requests) == ("spotify", 0)
    spent = one.run().requests
    rock, unknown = next_of("rock"), next_of("rockk")
    assert (rock.source, rock.open_shards, rock.expected_requests) == ("musicbrainz", 1, 10)
    assert rock.hours_to_go == 10 / 3_600
    assert rock.requests + unknown.requests == spent
    assert not unknown.unknown, "musicbrainz was not requested yet"


def test_overlaps_count_each_track_once(engine):
    """A track under three genres is shared once, and with each of the others."""
    rows = dict.fromkeys(("a", "b", "c"), ROWS["rock"][:4])
    harvester(engine, rows).run()
    with read_transaction(engine) as connection:
        counted = counts.genre_overlaps(connection)
        assert counted.keys() == {"a", "b", "c"}
    assert counted["a"] == counts.GenreOverlap(4, 4, {"b": 4, "c": 4})
