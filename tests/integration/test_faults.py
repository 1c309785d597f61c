"""A harvest from a sandbox that injects faults, over HTTP."""

from dataclasses import dataclass

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from collector import composition_root
from collector.crawl.search_harvester import SearchHarvester
from collector.curation import genres as genre_use
from collector.enrichment.features import FeatureEnricher
from collector.settings import CollectorSettings
from genrebase.store import tables
from genrebase.store.engine import read_transaction
from sandbox.application import SandboxOptions
from sandbox.middleware import faults
from sandbox.middleware.faults import FAULTS_OF_ANY_RESPONSE, Fault
from sandbox.server import serve_in_thread
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable
from tests.consistency import assert_consistent
from tests.fakes import FakeClock

COLUMNS = ("track_id", "track_name", "artists", "release_date", "duration_ms", "energy", "genre")
SIZES = {"rock": 97, "r&b": 64, "演歌": 31}
SHARED = 12
LATE = 0.01
"""Delay of a slow response: short, because only its arrival matters here."""


def _row(genre, number):
    own = "all" if number % 5 == 0 and number < 5 * SHARED else genre
    title = f"{own} {number}"
    year = str(1960 + number * 7 % 60)
    source_id = f"{list(SIZES).index(genre) if own != 'all' else 9}{number:021}"
    return source_id, title, f"{own} artist {number % 11}", year, "200000", "0.5", genre


CATALOGUE = SandboxCatalogue(
    CatalogueTable(
        COLUMNS,
        [_row(genre, number) for genre, size in SIZES.items() for number in range(size)],
        "broken.csv",
        "0" * 64,
    )
)
IDS = {row[0] for row in (_row(g, n) for g, size in SIZES.items() for n in range(size))}
UNDISTURBED = sum(-(-size // 10) + 2 for size in SIZES.values())
"""Requests: ten items per page, and the end of each genre requested twice."""


@dataclass
class Harvested:
    outcome: object
    stats: dict
    aliases: list


def harvest(engine, broken, seed=1):
    made = faults.parse_faults(broken, seed, LATE)
    with serve_in_thread(CATALOGUE, SandboxOptions(faults=made)) as running:
        settings, clock = settings_for(running.url), FakeClock()
        for genre in SIZES:
            genre_use.add(engine, clock, genre, 10_000)
        source, budget = composition_root.open_source("spotify", engine, settings, clock)
        budget.record_refused_limit(
            50, clock.now().timestamp()
        )  # known, so that pages are counted alike
        outcome = SearchHarvester(engine, source, budget, clock).run()
        enricher = FeatureEnricher(
            engine, clock, composition_root.open_providers(engine, settings, clock)
        )
        enricher.run()
        return Harvested(outcome, running.stats(), stored(engine))


def settings_for(url):
    return CollectorSettings(
        _env_file=None,
        spotify_client_id="an-id",
        spotify_client_secret=SecretStr("a-secret"),
        spotify_url=url,
        spotify_terms="accepted",
        rate="100000/30s",
        reccobeats_rate="100000/30s",
        timeout=5.0,
    )


def stored(engine):
    with read_transaction(engine) as connection:
        assert_consistent(connection)
        return sorted(connection.scalars(select(tables.track_alias.c.source_id)))


def requests_for(stats, endpoint="/v1/search"):
    return stats["apis"]["spotify"]["endpoints"][endpoint]["requests"]


@pytest.mark.parametrize("fault", list(Fault))
def test_each_kind_of_fault_costs_requests_and_no_track(sqlite_engine, fault):
    """With one response in five broken: the same tracks, none twice."""
    result = harvest(sqlite_engine, f"{fault}=0.2")
    assert set(result.stats["faults"]) == {fault.value}
    assert result.aliases == sorted(IDS)
    assert result.outcome.stopped == "exhausted"
    assert result.outcome.recorded.tracks_new == len(IDS)
    extra = requests_for(result.stats) - UNDISTURBED
    costly = {*FAULTS_OF_ANY_RESPONSE, Fault.SHORT} - {Fault.SLOW}
    assert extra > 0 if fault in costly else 0 <= extra <= result.stats["faults"][fault]


@pytest.mark.parametrize("seed", [1, 2])
def test_all_kinds_together(engine, seed, record_property):
    """With a fifth of all responses broken in every way: the same tracks and features."""
    result = harvest(engine, "0.2", seed)
    assert result.aliases == sorted(IDS)
    assert result.outcome.stopped == "exhausted"
    with read_transaction(engine) as connection:
        described = connection.scalar(select(func.count()).select_from(tables.audio_features))
    assert described == result.outcome.recorded.tracks_new
    requests = requests_for(result.stats)
    record_property("requests", requests)
    record_property("requests_undisturbed", UNDISTURBED)
    assert UNDISTURBED <= requests <= 1.3 * UNDISTURBED


def test_without_faults_no_extra_request(sqlite_engine):
    """A share of 0 breaks nothing: the baseline of the request counts above."""
    result = harvest(sqlite_engine, "0")
    assert result.stats["faults"] == {}
    assert requests_for(result.stats) == result.outcome.requests == UNDISTURBED
