"""Analyses from the sandbox over HTTP, as credentials of both kinds get them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from collector import composition_root, daemon
from collector.catalogue import analysis_queue
from collector.cli import app
from collector.crawl.search_harvester import SearchHarvester
from collector.curation import genres as genre_use
from collector.enrichment.analyses import AnalysisResult
from collector.settings import CollectorSettings
from genrebase.runtime.shutdown import StopSignal
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction
from sandbox.application import SandboxOptions
from sandbox.server import RunningSandbox, serve_in_thread
from sandbox.synthetic import analysis as served
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable
from tests.fakes import FakeClock

COLUMNS = ("track_id", "track_name", "artists", "release_date", "duration_ms", "key", "mode")
FEATURES = ("energy", "loudness", "tempo")
GENRES = {"rock": 4, "シティポップ": 3}
ENDPOINT = "/v1/audio-analysis/{id}"
WEEK = 7 * 86_400.0


def _row(genre: str, number: int) -> tuple[str, ...]:
    name = f"{genre} {number}"
    source_id = f"{list(GENRES).index(genre)}{number:021}"
    described = (source_id, name, f"Band {name}", "2001", "100000", str(number), "1")
    return (*described, "0.5", "-8", "120", genre)


CATALOGUE = SandboxCatalogue(
    CatalogueTable(
        (*COLUMNS, *FEATURES, "genre"),
        [_row(genre, number) for genre, size in GENRES.items() for number in range(size)],
        "small.csv",
        "0" * 64,
    )
)
IDS = {_row(genre, number)[0] for genre, size in GENRES.items() for number in range(size)}


@contextmanager
def sandbox(engine: Engine, mode: str) -> Iterator[tuple[RunningSandbox, CollectorSettings]]:
    """A sandbox of one of the two modes, harvested into the database."""
    with serve_in_thread(CATALOGUE, SandboxOptions(mode=mode)) as running:  # type: ignore[arg-type]  # one of the two
        settings = CollectorSettings(
            _env_file=None,
            spotify_client_id="an-id",
            spotify_client_secret=SecretStr("a-secret"),
            spotify_url=running.url,
            rate="100000/30s",
            reccobeats_rate="100000/30s",
            timeout=5.0,
            analyses=2,
        )
        clock = FakeClock()
        for genre in GENRES:
            genre_use.add(engine, clock, genre, 100)
        source, budget = composition_root.open_source("spotify", engine, settings, clock)
        SearchHarvester(engine, source, budget, clock).run()
        yield running, settings


def analyse(engine: Engine, settings: CollectorSettings, clock: FakeClock) -> AnalysisResult:
    return composition_root.open_analyser(engine, settings, clock).run()


def request_counts(running: RunningSandbox) -> int:
    """Number of requests for analyses that the sandbox received."""
    endpoints: dict[str, Any] = running.stats()["apis"]["spotify"]["endpoints"]
    return int(endpoints.get(ENDPOINT, {}).get("requests", 0))


def test_the_served_analysis_is_stored(engine: Engine) -> None:
    """One request per track; the views have every section relative to the tonic."""
    with sandbox(engine, "extended") as (running, settings):
        outcome = analyse(engine, settings, FakeClock())
        assert (outcome.stopped, outcome.found, outcome.requests) == ("done", len(IDS), len(IDS))
        assert request_counts(running) == len(IDS)
        assert analyse(engine, settings, FakeClock()).requests == 0
    track_id = views.tracks.c.spotify_id
    for source_id in IDS:
        with read_transaction(engine) as connection:
            query = select(views.sections, views.tracks.c.title).join(
                views.tracks, views.tracks.c.track_id == views.sections.c.track_id
            )
            stored = connection.execute(query.where(track_id == source_id)).mappings().all()
        wanted = served.make_analysis(
            CATALOGUE.track_by_id(source_id), CATALOGUE.genre_of_track(source_id)
        )
        tonic = wanted["track"]["key"]
        assert [row["degree"] for row in stored] == [
            (one["key"] - tonic) % 12 for one in wanted["sections"]
        ]
        assert [row["loudness"] for row in stored] == [
            one["loudness"] for one in wanted["sections"]
        ]
    with read_transaction(engine) as connection:
        rows = connection.execute(select(views.harmony)).mappings().all()
        stored = connection.execute(select(views.genre_progressions.c.genre)).scalars()
        assert len(rows) == len(IDS)
        assert all(
            sum(row[name] for name in tables.DEGREE_COLUMNS) == pytest.approx(1) for row in rows
        )
        assert set(stored) == set(GENRES)


def test_closed_credentials_make_one_request_a_week(engine: Engine) -> None:
    """In development mode one request finds the endpoint closed; none follows for a week."""
    clock = FakeClock()
    with sandbox(engine, "development") as (running, settings):
        assert analyse(engine, settings, clock).stopped == "closed"
        clock.advance(WEEK - 1)
        assert analyse(engine, settings, clock).requests == 0
        assert not composition_root.open_analyser(engine, settings, clock).has_work()
        assert request_counts(running) == 1
        clock.advance(1)
        assert analyse(engine, settings, clock).stopped == "closed"
        assert request_counts(running) == 2
    with read_transaction(engine) as connection:
        assert connection.execute(select(tables.feature_attempt)).all() == []


def test_the_daemon_keeps_its_request_limit(engine: Engine) -> None:
    """At most so many requests per poll, and none while features are pending."""
    clock = FakeClock()
    with sandbox(engine, "extended") as (running, settings):
        jobs = {job.name: job for job in daemon.jobs(engine, settings, clock, StopSignal())}
        jobs["analyse"].run()
        assert request_counts(running) == 0
        jobs["enrich"].run()
        for look in (2, 4, 6, 7, 7):
            jobs["analyse"].run()
            assert request_counts(running) == look
        none = settings.model_copy(update={"analyses": 0})
        assert {job.name for job in daemon.jobs(engine, none, clock, StopSignal())} == {
            "harvest",
            "enrich",
        }


def test_the_command(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes one JSON document."""
    with sandbox(sqlite_engine, "extended") as (running, _settings):
        monkeypatch.setenv("STORE_URL", sqlite_engine.url.render_as_string())
        monkeypatch.setenv("COLLECTOR_SPOTIFY_URL", running.url)
        monkeypatch.setenv("COLLECTOR_RATE", "100000/30s")
        monkeypatch.setenv("SPOTIPY_CLIENT_ID", "an-id")
        monkeypatch.setenv("SPOTIPY_CLIENT_SECRET", "a-secret")
        result = CliRunner().invoke(app, ["analyse", "--max-requests", "3", "--json"])
    document = json.loads(result.stdout)
    assert {name: document[name] for name in ("asked", "known", "requests", "stopped")} == {
        "asked": 3, "known": 3, "requests": 3, "stopped": "limit",
    }  # fmt: skip
    with read_transaction(sqlite_engine) as connection:
        for table in analysis_queue.ANALYSIS_TABLES:
            assert len(set(connection.scalars(select(table.c.track_id)))) == 3
