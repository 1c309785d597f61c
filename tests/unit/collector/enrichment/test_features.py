"""Enrichment with audio features."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert, select

from collector.acousticbrainz_submissions import Submission
from collector.enrichment.features import BudgetedProvider, FeatureEnricher
from collector.errors import (
    AccessDenied,
    CollectorError,
    EndpointClosed,
    InvalidResponse,
    NotFound,
    RateLimited,
    SourceUnavailable,
)
from collector.http.rate_limiter import RequestBudget
from collector.rate_limits import Account, Rate
from collector.records import AudioFeatures
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests.fakes import NOON, FakeClock
from tests.unit.collector.conftest import Store, spotify_id

LOUD = AudioFeatures(energy=0.9)


@dataclass
class FakeProvider:
    """Has the features of some ids, and raises the given errors first."""

    name: str
    knows: set[str]
    batch_size: int = 2
    failures: list[Exception] = field(default_factory=list)
    requested_ids: list[str] = field(default_factory=list)
    requests: int = 0
    licence: str = "unknown"
    ids_of: str = "spotify"
    may_have_ended: bool = False

    @property
    def endpoint(self) -> str:
        return f"{self.name}/features"

    @property
    def account(self) -> Account:
        return Account(self.name, "fake", Rate(1_000, 30))

    def fetch(self, ids: Sequence[str]) -> Mapping[str, AudioFeatures | None]:
        self.requests += 1
        if self.failures:
            raise self.failures.pop(0)
        assert len(ids) <= self.batch_size
        self.requested_ids += ids
        return {one: LOUD if one in self.knows else None for one in ids}


Enrich = Callable[..., FeatureEnricher]


@pytest.fixture
def enricher(engine: Engine) -> Enrich:
    def made(*providers: FakeProvider, clock: FakeClock | None = None) -> FeatureEnricher:
        counts = [
            BudgetedProvider(provider, RequestBudget.open(engine, provider.account))
            for provider in providers
        ]
        return FeatureEnricher(engine, clock or FakeClock(), counts)

    return made


def stored_features(engine: Engine) -> dict[str, int]:
    features = tables.audio_features
    with read_transaction(engine) as connection:
        rows = connection.execute(select(features.c.provider, features.c.track_id)).all()
    return {provider: sum(row[0] == provider for row in rows) for provider, _ in rows}


def ids(*names: str) -> set[str]:
    return {spotify_id(name) for name in names}


def test_providers_are_requested_in_turn(engine: Engine, store: Store, enricher: Enrich) -> None:
    """The first provider gets all tracks, the next one those without features."""
    store(["a", "b", "c"])
    first, second = FakeProvider("spotify", ids("a")), FakeProvider("reccobeats", ids("b"))
    outcome = enricher(first, second).run()
    assert (outcome.requested, outcome.found, outcome.not_found) == (5, 2, 3)
    assert (outcome.stopped, outcome.requests) == ("done", 3)
    assert set(second.requested_ids) == ids("b", "c")
    assert stored_features(engine) == {"spotify": 1, "reccobeats": 1}


def test_no_track_is_requested_twice(store: Store, enricher: Enrich) -> None:
    """A second run requests new tracks only; misses wait for their retry time."""
    store(["a", "b"])
    provider, clock = FakeProvider("reccobeats", ids("a")), FakeClock()
    enricher(provider, clock=clock).run()
    store(["c"])
    assert enricher(provider, clock=clock).run().requested == 1
    clock.advance(86_400)
    assert enricher(provider, clock=clock).run().requested == 2


def test_a_limit_bounds_the_requests(store: Store, enricher: Enrich) -> None:
    """No more requests than allowed, retries included; the next run continues there."""
    store(["a", "b", "c", "d", "e"])
    provider = FakeProvider("reccobeats", ids("a", "b", "c"), failures=[SourceUnavailable()])
    clock = FakeClock()
    outcome = enricher(provider, clock=clock).run(max_requests=2)
    assert (outcome.stopped, outcome.requests, outcome.requested) == ("limit", 2, 2)
    assert provider.requests == 2
    outcome = enricher(provider, clock=clock).run()
    assert (outcome.stopped, outcome.requested) == ("done", 3)


def test_a_closed_endpoint_is_requested_once_a_week(store: Store, enricher: Enrich) -> None:
    """A closed provider gets no request for a week; the next provider is used."""
    store(["a"])
    closed = FakeProvider("spotify", set(), failures=[EndpointClosed("spotify/features")] * 2)
    other, clock = FakeProvider("reccobeats", set()), FakeClock()
    assert enricher(closed, other, clock=clock).run().not_found == 1
    clock.advance(6 * 86_400)
    assert enricher(closed, other, clock=clock).run().stopped == "done"
    assert closed.requests == 1
    clock.advance(86_400)
    enricher(closed, other, clock=clock).run()
    assert closed.requests == 2


def test_other_providers_continue_while_one_is_blocked(store: Store, enricher: Enrich) -> None:
    """A ban of one provider does not stop the next; the result has its end."""
    store(["a", "b"])
    blocked = FakeProvider("spotify", ids("b"), failures=[RateLimited(20_000)])
    other = FakeProvider("reccobeats", ids("a"))
    outcome = enricher(blocked, other).run()
    assert (outcome.stopped, outcome.found, blocked.requests) == ("blocked", 1, 1)
    assert outcome.blocked_until == NOON + timedelta(seconds=20_001)


def test_a_ban_without_waiting_tracks_is_ignored(store: Store, enricher: Enrich) -> None:
    """If another provider had every track, the run is not blocked."""
    store(["a", "b"])
    blocked = FakeProvider("spotify", set(), failures=[RateLimited(20_000)])
    outcome = enricher(blocked, FakeProvider("reccobeats", ids("a", "b"))).run()
    assert (outcome.stopped, outcome.found) == ("done", 2)


def test_a_broken_provider_stops_only_itself(store: Store, enricher: Enrich) -> None:
    """A provider that keeps failing is skipped and reported; the next one is used."""
    store(["a"])
    broken = FakeProvider("spotify", set(), failures=[InvalidResponse("gibberish")] * 10)
    outcome = enricher(broken, FakeProvider("reccobeats", ids("a"))).run()
    assert outcome.found == 1
    assert outcome.problems == ["spotify: gibberish"]


def test_stops_between_batches(engine: Engine, store: Store) -> None:
    """After a stop request the current batch is finished; stored results stay."""
    store(["a", "b", "c"])
    provider = FakeProvider("reccobeats", ids("a", "b", "c"))
    counts = BudgetedProvider(provider, RequestBudget.open(engine, provider.account))  # type: ignore[arg-type]  # as above
    stopper = FeatureEnricher(engine, FakeClock(), [counts], lambda: provider.requests > 0)
    assert stopper.run().stopped == "interrupted"
    assert stored_features(engine) == {"reccobeats": 2}


MBIDS = [f"{number:08}-0000-4000-8000-000000000000" for number in range(6)]


@dataclass
class FakeAcousticBrainz(FakeProvider):
    """Has numbers of some MBIDs."""

    ids_of: str = "musicbrainz"
    may_have_ended: bool = True

    def fetch(self, ids: Sequence[str]) -> Mapping[str, tuple[Submission, ...] | None]:  # type: ignore[override]
        known = super().fetch(ids)
        return {one: (Submission(bpm=120.0, key=2),) if known[one] else None for one in ids}


def add_mbids(engine: Engine, tracks: Mapping[int, Sequence[str]]) -> None:
    rows = [
        {"source": "musicbrainz", "source_id": mbid, "track_id": track}
        for track, mbids in tracks.items()
        for mbid in mbids
    ]
    with transaction(engine) as connection:
        connection.execute(insert(tables.track_alias), rows)


def test_numbers_by_mbid(engine: Engine, store: Store, enricher: Enrich) -> None:
    """Each MBID of a track is requested once, at most a full batch per request."""
    tracks = store(["a", "b", "c"])
    add_mbids(engine, {tracks["a"]: MBIDS[:3], tracks["b"]: MBIDS[3:4], tracks["c"]: MBIDS[4:5]})
    provider = FakeAcousticBrainz("acousticbrainz", {MBIDS[1], MBIDS[2], MBIDS[4]})
    spotify, clock = FakeProvider("spotify", ids("a")), FakeClock()
    outcome = enricher(spotify, provider, clock=clock).run()
    assert (outcome.requested, outcome.found) == (6, 3)
    assert sorted(provider.requested_ids) == MBIDS[:5]
    assert provider.requests == 3
    assert stored_features(engine) == {"spotify": 1, "acousticbrainz": 2}
    row = tables.acousticbrainz_recording.c
    with read_transaction(engine) as connection:
        recordings = connection.scalars(select(row.recording_id).order_by(row.recording_id)).all()
    assert recordings == [MBIDS[1], MBIDS[2], MBIDS[4]]
    clock.advance(365 * 86_400)
    assert enricher(provider, clock=clock).run().requested == 0


def test_an_outage_is_a_problem_of_its_run(engine: Engine, store: Store, enricher: Enrich) -> None:
    """Without a network for a minute, it is reported, and requested by the next run."""
    tracks = store(["a", "b"])
    add_mbids(engine, {tracks["a"]: MBIDS[:1], tracks["b"]: MBIDS[1:2]})
    failing = FakeAcousticBrainz(
        "acousticbrainz", {MBIDS[0]}, failures=[SourceUnavailable("no network")] * 12
    )
    other, clock = FakeProvider("reccobeats", ids("b")), FakeClock()
    outcome = enricher(failing, other, clock=clock).run()
    assert (outcome.stopped, outcome.found) == ("done", 1)
    assert outcome.problems == ["acousticbrainz: no network"]
    clock.advance(60)
    assert enricher(failing, clock=clock).has_work()
    assert enricher(failing, clock=clock).run().problems == ["acousticbrainz: no network"]
    clock.advance(60)
    assert enricher(failing, clock=clock).run().found == 1


def test_outages_with_responses_between_them_never_add_up(
    engine: Engine, store: Store, enricher: Enrich
) -> None:
    """Each response shows that the service is there."""
    clock = FakeClock()
    for number, mbid in enumerate(MBIDS):
        add_mbids(engine, {store([f"track {number}"])[f"track {number}"]: [mbid]})
        failing = FakeAcousticBrainz("acousticbrainz", {mbid}, failures=[SourceUnavailable()] * 6)
        assert "week" not in enricher(failing, clock=clock).run().problems[0]
        assert enricher(failing, clock=clock).run().found == 1
        clock.advance(86_400)


def test_a_service_that_seems_to_have_ended_is_requested_once_a_week(
    engine: Engine, store: Store, enricher: Enrich
) -> None:
    """After a day without a response, until it responds; it stops no others."""
    tracks = store(["a", "b"])
    add_mbids(engine, {tracks["a"]: MBIDS[:1], tracks["b"]: MBIDS[1:2]})
    ended = FakeAcousticBrainz(
        "acousticbrainz", {MBIDS[0]}, failures=[SourceUnavailable("gone")] * 24
    )
    clock = FakeClock()
    for _ in range(2):
        assert enricher(ended, clock=clock).run().problems == ["acousticbrainz: gone"]
        clock.advance(43_200)
    closed = ["acousticbrainz: gone It may have ended, and is requested again in a week."]
    for requests in (18, 24):
        assert enricher(ended, clock=clock).run().problems == closed
        clock.advance(6 * 86_400)
        assert enricher(ended, clock=clock).run().problems == []
        assert ended.requests == requests
        clock.advance(86_400)
    assert enricher(ended, clock=clock).run().found == 1


@pytest.mark.parametrize("error", [NotFound("Nothing there."), InvalidResponse(), AccessDenied()])
def test_every_kind_of_end(
    engine: Engine, store: Store, enricher: Enrich, error: CollectorError
) -> None:
    """A 404, a page of HTML and a refusal close the endpoint, too."""
    add_mbids(engine, {store(["a"])["a"]: MBIDS[:1]})
    ended = FakeAcousticBrainz("acousticbrainz", set(), failures=[error] * 6)
    clock = FakeClock()
    assert len(enricher(ended, clock=clock).run().problems) == 1
    requests = ended.requests
    assert enricher(ended, clock=clock).run().problems == []
    assert ended.requests == requests
