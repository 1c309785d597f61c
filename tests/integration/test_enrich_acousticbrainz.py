"""AcousticBrainz' numbers from the sandbox, over real HTTP, against what it holds."""

from pathlib import Path

import pytest
import requests
from sqlalchemy import Engine, select

from collector.acousticbrainz_submissions import parse_key
from collector.catalogue import tracks
from collector.composition_root import make_providers
from collector.datasets import essentia_documents
from collector.enrichment.features import BudgetedProvider, FeatureEnricher
from collector.http.rate_limiter import RequestBudget
from collector.imports.essentia import import_documents
from collector.rate_limits import Rate
from collector.records import ArtistCredit, Provenance, SourceTrack, TrackObservation
from collector.settings import CollectorSettings
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from sandbox.tracks.submissions import SubmissionCatalogue
from tests.fakes import NOON, FakeClock
from tests.import_runs import context_of
from tests.recording_catalogues import recordings, tracks_with_derived_ids
from tests.sandbox_client import SandboxStarter

CATALOGUE = tracks_with_derived_ids(120)
SUBMISSIONS = SubmissionCatalogue(recordings(CATALOGUE))
MBIDS = list(dict.fromkeys(one.mbid for one in SUBMISSIONS.all_submissions()))[:60]
UNKNOWN = [f"{number:08}-0000-4000-8000-000000000000" for number in range(10)]


def enricher(engine: Engine, url: str, clock: FakeClock, **options: object) -> FeatureEnricher:
    settings = CollectorSettings(
        _env_file=None, sandbox_url=url, feature_order="acousticbrainz", **options
    )
    providers = [
        BudgetedProvider(provider, RequestBudget.open(engine, provider.account))
        for provider in make_providers(settings, clock)
    ]
    return FeatureEnricher(engine, clock, providers)


@pytest.fixture
def by_mbid(engine: Engine) -> dict[str, int]:
    """Return tracks by MBID; the sandbox has no numbers of the last ten."""
    seen = [
        TrackObservation(
            SourceTrack("musicbrainz", mbid, f"Song {mbid}", (ArtistCredit("Band"),)), None, 0
        )
        for mbid in [*MBIDS, *UNKNOWN]
    ]
    with transaction(engine) as connection:
        tracks.record(connection, seen, Provenance("musicbrainz", None), NOON)
    alias = tables.track_alias.c
    with read_transaction(engine) as connection:
        return dict(map(tuple, connection.execute(select(alias.source_id, alias.track_id))))


def test_numbers_are_the_sandboxes(engine: Engine, by_mbid: dict[str, int]) -> None:
    """25 recordings a request; a second run has nothing to request."""
    with SandboxStarter() as started:
        url = started(catalogue=CATALOGUE).sandbox.url
        outcome = enricher(engine, url, FakeClock()).run()
        assert (outcome.requests, outcome.requested, outcome.found) == (3, 70, 60)
        assert enricher(engine, url, FakeClock()).run().requests == 0
    row = views.acousticbrainz_features.c
    query = select(row.track_id, row.recording_id, row.bpm, row.key, row.mode)
    with read_transaction(engine) as connection:
        stored = {tuple(numbers) for numbers in connection.execute(query)}
    expected = set()
    for mbid in MBIDS:
        first = SUBMISSIONS.submission(mbid, 0)
        expected.add((by_mbid[mbid], mbid, first.bpm, *parse_key(first.key, first.scale)))
    assert stored == expected


def test_several_submissions_are_summarised(engine: Engine, by_mbid: dict[str, int]) -> None:
    """As many as there are, up to the setting."""
    with SandboxStarter() as started:
        url = started(catalogue=CATALOGUE).sandbox.url
        outcome = enricher(engine, url, FakeClock(), acousticbrainz_submissions=3).run()
    assert outcome.requests == 9
    row = views.acousticbrainz_features.c
    with read_transaction(engine) as connection:
        counts = dict(
            map(tuple, connection.execute(select(row.recording_id, row.rhythm_submissions)))
        )
    assert counts == {mbid: min(3, SUBMISSIONS.count(mbid)) for mbid in MBIDS}


def test_a_limit_is_waited_for(engine: Engine, by_mbid: dict[str, int]) -> None:
    """Its seconds are in X-RateLimit-Reset-In; every track is requested once all the same."""
    clock = FakeClock()
    with SandboxStarter() as started:
        started_sandbox = started(
            clock, catalogue=CATALOGUE, acousticbrainz_rate=Rate(1, 20)
        ).sandbox
        outcome = enricher(engine, started_sandbox.url, clock).run()
    assert (outcome.stopped, outcome.requested, outcome.found) == ("done", 70, 60)


def test_a_service_that_is_down_stops_nothing(engine: Engine, by_mbid: dict[str, int]) -> None:
    """It is reported; after a day it is not requested again: its endpoint counts as closed."""
    clock = FakeClock()
    options = {"acousticbrainz": "down", "acousticbrainz_hang": 1.0}
    with SandboxStarter() as started:
        url = started(catalogue=CATALOGUE, **options).sandbox.url
        for _ in range(3):
            outcome = enricher(engine, url, clock, timeout=0.3).run()
            assert (outcome.stopped, outcome.found) == ("done", 0)
            assert len(outcome.problems) == 1
            clock.advance(43_200)
        assert not enricher(engine, url, clock).has_work()
        again = enricher(engine, url, clock).run()
        assert (again.requests, again.problems) == (0, [])


def test_the_sample_dump(engine: Engine, tmp_path: Path) -> None:
    """Its documents become tracks with the numbers of all their submissions."""
    name = "acousticbrainz-lowlevel-sample-json-20220623-0.tar.zst"
    with SandboxStarter() as started:
        url = f"{started(catalogue=CATALOGUE).sandbox.url}/acousticbrainz/dumps/{name}"
        (tmp_path / name).write_bytes(requests.get(url, timeout=30).content)
    files = essentia_documents.recognise(tmp_path / name)
    assert files is not None
    assert files.is_published
    result = import_documents(context_of(engine), files)
    assert result.rejected == 0
    row = views.acousticbrainz_features.c
    query = select(row.recording_id, row.rhythm_submissions, row.bpm, row.licence)
    with read_transaction(engine) as connection:
        stored = connection.execute(query).all()
    assert sum(numbers.rhythm_submissions for numbers in stored) <= result.rows
    assert result.described == len({numbers.recording_id for numbers in stored}) > 10
    for mbid, count, bpm, licence in stored:
        every = [SUBMISSIONS.submission(mbid, place) for place in range(SUBMISSIONS.count(mbid))]
        assert licence == "cc0"
        assert count <= len(every)
        assert bpm in {one.bpm for one in every}
