"""Playlists bound to genres, read from a sandbox over HTTP."""

from contextlib import contextmanager
from datetime import timedelta

from pydantic import SecretStr
from sqlalchemy import select
from structlog.testing import capture_logs

from collector import composition_root
from collector.crawl.dry_run import plan_playlists
from collector.crawl.playlist_harvester import RECHECK_AFTER, PlaylistHarvester
from collector.curation import genres as genre_use
from collector.http.rate_limiter import RequestBudget
from collector.settings import CollectorSettings
from genrebase.store import tables
from genrebase.store.engine import read_transaction
from sandbox import ids
from sandbox.application import SandboxOptions
from sandbox.middleware import faults
from sandbox.server import serve_in_thread
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable
from tests.consistency import assert_consistent
from tests.fakes import FakeClock

COLUMNS = ("track_id", "track_name", "artists", "release_date", "genre")
ROWS = 180
OURS = ids.id_from_text("playlist|rock by sandbox")
THEIRS = ids.id_from_text("playlist|rock by somebody")


def music(rows=ROWS):
    made = [(f"{n:022}", f"Song {n}", f"Band {n % 7}", str(1990 + n % 30)) for n in range(rows)]
    return SandboxCatalogue(
        CatalogueTable(COLUMNS, [(*row, "rock") for row in made], "rock.csv", "0" * 64)
    )


MUSIC = music()
IN_OURS = {f"{n:022}" for n in range(0, ROWS, 2)}
REQUESTS = 4
"""Fifty items and 43 more, then the end, requested twice."""


@contextmanager
def crawling(
    engine, *, target=10_000, playlists=(OURS,), catalogue=MUSIC, clock=None, **behaviour
):
    """Yield the crawl of one genre and its sandbox."""
    clock = clock or FakeClock()
    with serve_in_thread(MUSIC, SandboxOptions(**behaviour)) as running:
        genre_use.add(engine, clock, "rock", target, playlists)
        yield composition_root.open_crawl(engine, settings_for(running.url), clock), running


def settings_for(url):
    return CollectorSettings(
        _env_file=None,
        spotify_client_id="an-id",
        spotify_client_secret=SecretStr("a-secret"),
        spotify_url=url,
        rate="100000/30s",
        timeout=5.0,
    )


def reader(engine, running, clock):
    """Return what reads playlists only."""
    source = composition_root.make_source(
        composition_root.PLAYLIST_SOURCE, settings_for(running.url), clock
    )
    return PlaylistHarvester(engine, source, RequestBudget.open(engine, source.account), clock)


def stored(engine):
    with read_transaction(engine) as connection:
        assert_consistent(connection)
        alias = tables.track_alias.c
        return {
            known_as
            for source, known_as in connection.execute(select(alias.source, alias.source_id))
            if source == "spotify"
        }


def request_count(running, what):
    """Return the number of requests for searches or playlists."""
    endpoints = running.stats()["apis"]["spotify"]["endpoints"]
    return sum(of["requests"] for path, of in endpoints.items() if what in path)


def test_a_genre_is_filled_from_its_playlists_first(engine):
    """If they suffice, no search is made; items that are no tracks are rejected."""
    with crawling(engine, target=90) as (crawl, running):
        outcome = crawl.run()
        assert (outcome.stopped, outcome.recorded.tracks_new) == ("target", 90)
        assert outcome.unusable_reasons == {
            "not a track": 1,
            "a local file": 1,
            "nothing there": 1,
        }
        assert (request_count(running, "playlists"), request_count(running, "search")) == (2, 0)
        assert not crawl.has_work()
    assert stored(engine) == IN_OURS
    with read_transaction(engine) as connection:
        assert set(connection.scalars(select(tables.sighting.c.playlist))) == {OURS}


def test_missing_tracks_are_searched(engine):
    """Playlists are read to their end once, then searches follow."""
    with crawling(engine) as (crawl, running):
        outcome = crawl.run()
        assert outcome.stopped == "exhausted"
        assert request_count(running, "playlists") == REQUESTS
        assert request_count(running, "search") > 0
        assert crawl.run().requests == 0
    assert stored(engine) == {f"{n:022}" for n in range(ROWS)}


def test_a_genre_is_exhausted_after_the_last_source(sqlite_engine):
    """A source that has no playlist of it is not the last one: one line, with all tracks."""
    with crawling(sqlite_engine, playlists=()) as (crawl, _), capture_logs() as lines:
        outcome = crawl.run()
    exhausted = [line for line in lines if line["event"] == "genre exhausted"]
    assert [(line["genre"], line["tracks"]) for line in exhausted] == [
        ("rock", outcome.recorded.tracks_new)
    ]
    assert outcome.recorded.tracks_new > 0


def test_reading_resumes_at_the_cursor(engine):
    """Interrupted after every request, no page is requested twice."""
    with crawling(engine) as (crawl, running):
        for made in range(1, REQUESTS + 1):
            assert crawl.run(max_requests=1).stopped == "limit"
            assert request_count(running, "playlists") == made
        assert (request_count(running, "search"), stored(engine)) == (0, IN_OURS)


def test_only_a_changed_playlist_is_read_again(sqlite_engine):
    """After a week one request checks the version; a changed playlist is read completely."""
    clock = FakeClock()
    with crawling(sqlite_engine, clock=clock) as (_, running):
        one = reader(sqlite_engine, running, clock)
        assert one.run().requests == REQUESTS
        assert not one.has_work()
        clock.advance(RECHECK_AFTER.total_seconds() + 1)
        assert one.has_work()
        assert (one.run().requests, one.run().requests) == (1, 0)
    clock.advance(RECHECK_AFTER.total_seconds() + 1)
    with serve_in_thread(music(ROWS + 10)) as running:
        outcome = reader(sqlite_engine, running, clock).run()
        assert (outcome.requests, outcome.recorded.tracks_new) == (REQUESTS, 5)


def test_a_foreign_playlist_is_requested_once(sqlite_engine):
    """In development mode it is skipped, like a deleted one; other playlists continue."""
    listed = (THEIRS, OURS, "x" * 22)
    with crawling(sqlite_engine, target=90, playlists=listed) as (crawl, running):
        assert crawl.run().stopped == "target"
        assert stored(sqlite_engine) == IN_OURS
        genre_use.set_target(sqlite_engine, "rock", 95)
        assert crawl.run().stopped == "target"
        assert request_count(running, "search") > 0
        endpoints = running.stats()["apis"]["spotify"]["endpoints"]
        assert endpoints["/v1/playlists/{id}"]["statuses"] == {"200": 2, "404": 1}


def test_broken_responses_hide_no_track(sqlite_engine):
    """With 40% broken responses the same tracks are recorded."""
    broken = faults.parse_faults("0.4", seed=3, slow_seconds=0.01)
    with crawling(sqlite_engine, faults=broken) as (_, running):
        clock = FakeClock()
        assert reader(sqlite_engine, running, clock).run().stopped == "exhausted"
        assert running.stats()["faults"]
    assert stored(sqlite_engine) == IN_OURS


def test_a_preview_lists_playlists_without_requests(engine):
    """It lists the playlists to read with their offsets; a complete one is due again later."""
    clock = FakeClock()

    def displayed(**later):
        now = clock.now() + timedelta(**later)
        result = plan_playlists(engine, "spotify_playlists", [], now)
        return [(one.playlist, one.offset, one.read_before) for one in result]

    with crawling(engine, clock=clock) as (_, running):
        assert displayed() == [(OURS, 0, False)]
        one = reader(engine, running, clock)
        one.run(max_requests=1)
        assert displayed() == [(OURS, 50, False)]
        one.run()
        counts = running.stats()["requests"]
        assert displayed() == []
        assert displayed(days=8) == [(OURS, 0, True)]
        assert running.stats()["requests"] == counts
