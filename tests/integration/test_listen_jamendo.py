"""Jamendo through the same path: tracks by tag, and their files where artists allow it."""

from collections import Counter
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from collector import composition_root
from collector.curation import genres as genre_use
from collector.errors import BadCredentials
from collector.rate_limits import Rate
from collector.settings import CollectorSettings
from genrebase.audio import worker_main
from genrebase.audio.workers import analysis_pool
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction
from sandbox.synthetic.catalogue import generate_catalogue
from sandbox.tracks.catalogue import SandboxCatalogue
from tests.consistency import assert_consistent
from tests.fakes import FakeClock


@pytest.fixture(scope="module")
def catalogue():
    return SandboxCatalogue(generate_catalogue(1, 8, 4))


def settings_for(sandbox, tmp_path, **more):
    values = {
        "sandbox_url": sandbox.url,
        "sources": "jamendo",
        "jamendo_client_id": SecretStr("a-client"),
        "jamendo_rate": "1000/30s",
        "downloads": tmp_path / "downloads",
    }
    return CollectorSettings(_env_file=None, timeout=20, **values | more)


def rows(engine, query):
    with read_transaction(engine) as connection:
        return [tuple(row) for row in connection.execute(query)]


def harvest(engine, settings, target=10_000):
    clock = FakeClock()
    for name in ("R&B", "rock"):
        genre_use.add(engine, clock, name, target)
    return composition_root.open_crawl(engine, settings, clock).run()


@pytest.fixture(scope="module")
def pool():
    """Analyse in this process, the same sound once for all tests."""
    analyses = {}

    @contextmanager
    def opened(_workers, plan, _stop_requested):
        def submit(file):
            content = file.path.read_bytes()
            if content not in analyses:
                analyses[content] = worker_main.analyse(file.path, plan)
            future = Future()
            future.set_result(analyses[content])
            return future

        yield submit

    return opened


def listen(engine, settings, pool=analysis_pool, **limits):
    run = composition_root.open_downloads(engine, settings, FakeClock(), workers=1)
    return replace(run, pool=pool).run(**limits)


def test_tracks_have_licences_and_then_features(engine, serving, catalogue, tmp_path, pool):
    """Genres are the artists' tags; what may not be downloaded is counted."""
    settings = settings_for(serving(catalogue=catalogue).sandbox, tmp_path)
    outcome = harvest(engine, settings)
    recorded = outcome.recorded.tracks_new
    assert recorded > 10
    seen = views.track_genre_sources.c
    query = select(seen.genre, seen.source, seen.votes, seen.level, seen.licence)
    sightings = rows(engine, query)
    assert {row[:4] for row in sightings} == {
        ("R&B", "jamendo", 1, 0),
        ("rock", "jamendo", 1, 0),
    }
    assert Counter(row[4] for row in sightings).keys() <= {
        "cc-by-4.0",
        "cc-by-sa-3.0",
        "cc-by-nc-3.0",
        "cc-by-nc-sa-3.0",
        "cc-by-nc-nd-3.0",
    }
    first = listen(engine, settings, pool, max_requests=9)
    assert first.stopped == "limit"
    second = listen(engine, settings, pool)
    left_out = first.items_left_out + second.items_left_out
    assert set(left_out) == {"its artist allows no download"}
    analysed = first.analysed + second.analysed
    items = rows(engine, select(tables.audio_item.c.item_id))
    assert analysed + left_out.total() == len(items)
    assert first.tracks_new + second.tracks_new == 0
    features = tables.audio_features.c
    licences = rows(engine, select(features.provider, features.licence))
    done = select(tables.audio_download.c.track_id).where(tables.audio_download.c.status == "done")
    tracks = rows(engine, done)
    assert len(tracks) == analysed > recorded / 2
    assert len(licences) == len(set(tracks)), "a re-release is the same track"
    assert {provider for provider, _ in licences} == {"audio"}
    assert {licence for _, licence in licences} == {row[4] for row in sightings}
    assert listen(engine, settings, pool).requests == 0
    with read_transaction(engine) as connection:
        assert_consistent(connection)


def test_tracks_of_other_licences_are_not_requested(sqlite_engine, serving, catalogue, tmp_path):
    """The licence of a track is known from its sightings before its file is requested."""
    sandbox = serving(catalogue=catalogue).sandbox
    settings = settings_for(sandbox, tmp_path, licence="open")
    harvest(sqlite_engine, settings)
    outcome = listen(sqlite_engine, settings, max_requests=6)
    assert outcome.analysed > 0
    licences = {one for (one,) in rows(sqlite_engine, select(tables.audio_features.c.licence))}
    assert licences <= {"cc-by-4.0", "cc-by-sa-3.0"}
    item = tables.audio_item.c
    waiting = select(item.licence).where(item.status == "waiting").distinct()
    assert ("cc-by-nc-nd-3.0",) in rows(sqlite_engine, waiting)


def test_a_limit_inside_a_200_is_a_ban(engine, serving, catalogue, tmp_path):
    """Code 6 is waited out; nothing is lost."""
    sandbox = serving(catalogue=catalogue, jamendo_rate=Rate(1, 20)).sandbox
    settings = settings_for(sandbox, tmp_path)
    genre_use.add(engine, FakeClock(), "rock", 10_000)
    crawl = composition_root.open_crawl(engine, settings, FakeClock())
    outcome = crawl.run(max_requests=2)
    assert outcome.recorded.tracks_new > 0
    assert sandbox.stats()["apis"]["jamendo"]["banned"] == 1


def test_a_client_id_that_is_refused_ends_the_harvest(engine, serving, catalogue, tmp_path):
    """The message says which setting it is, and the id is in no message."""
    sandbox = serving(catalogue=catalogue).sandbox
    settings = settings_for(sandbox, tmp_path, jamendo_client_id=SecretStr("no!client"))
    with pytest.raises(BadCredentials, match="COLLECTOR_JAMENDO_CLIENT_ID") as caught:
        harvest(engine, settings)
    assert "no!client" not in str(caught.value)
