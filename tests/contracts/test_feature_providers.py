"""Contract of all registered feature providers, over HTTP against the sandbox."""

import pytest

from collector.composition_root import FEATURES_GROUP, make_providers
from collector.errors import EndpointClosed, RateLimited, SourceUnavailable
from collector.ports import FeatureProvider
from collector.rate_limits import Rate
from genrebase.runtime import plugins
from genrebase.store import source_ids
from tests.contracts.conftest import Serve, settings_for, stats_of, track_id
from tests.fakes import FakeClock

MBID = "0dad432b-16cc-4bf0-8961-fd31d124b01b"

ALL = plugins.registered_names(FEATURES_GROUP)
BY_SPOTIFY_ID = [
    name for name in ALL if plugins.load(FEATURES_GROUP, name).ids_of == source_ids.SPOTIFY
]
every_provider = pytest.mark.parametrize("name", ALL)
spotify_ids = pytest.mark.parametrize("name", BY_SPOTIFY_ID)
"""Providers that the sandbox serves by the ids of its tracks."""


def make(name: str, url: str) -> FeatureProvider:
    settings = settings_for(url).model_copy(update={"feature_order": name})
    (provider,) = make_providers(settings, FakeClock())
    return provider


@every_provider
def test_has_the_required_attributes(name: str, serve: Serve) -> None:
    """It has its registered name and a batch size."""
    provider = make(name, serve().url)
    assert provider.name == name
    assert provider.batch_size > 0
    assert provider.endpoint
    assert len(provider.account.credential) == 16


@spotify_ids
def test_every_id_is_a_key(name: str, serve: Serve) -> None:
    """Every requested id is a key, in any order; None where there are no features."""
    provider = make(name, serve().url)
    requested = [track_id("rock", 3), "Z" * 22, track_id("r&b", 1), track_id("rock", 0)]
    result = provider.fetch(requested)
    assert set(result) == set(requested)
    assert [source_id for source_id in requested if result[source_id] is None] == ["Z" * 22]


@spotify_ids
def test_features_are_the_catalogues(name: str, serve: Serve) -> None:
    """Features are those of the catalogue, in our units."""
    requested = track_id("rock", 3)
    features = make(name, serve().url).fetch([requested])[requested]
    assert features
    assert (features.danceability, features.energy, features.key) == (0.5, 0.6, 7)
    assert (features.loudness, features.mode, features.tempo) == (-5.0, 1, 120.5)


@spotify_ids
def test_a_full_batch_is_one_request(name: str, serve: Serve) -> None:
    """A full batch is one request, without retries."""
    running = serve()
    provider = make(name, running.url)
    requested = [track_id("rock", number) for number in range(provider.batch_size)]
    result = provider.fetch(requested)
    assert all(result[source_id] for source_id in requested)
    apis = stats_of(running)["apis"]
    assert apis["spotify"]["requests"] + apis["reccobeats"]["requests"] == 1


@spotify_ids
def test_raises_a_ban_at_once(name: str, serve: Serve) -> None:
    """A 429 is raised at once, with its Retry-After."""
    rate = Rate(1, 30)
    provider = make(name, serve(rate=rate, reccobeats_rate=rate).url)
    requested = [track_id("rock", 3)]
    provider.fetch(requested)
    with pytest.raises(RateLimited) as caught:
        provider.fetch(requested)
    assert caught.value.retry_after
    assert 0 < caught.value.retry_after <= 30


@spotify_ids
def test_works_or_names_the_closed_endpoint(name: str, serve: Serve) -> None:
    """In development mode it either works or names the closed endpoint."""
    provider = make(name, serve(mode="development").url)
    requested = track_id("rock", 3)
    closed: list[str] = []
    try:
        existing = provider.fetch([requested])[requested] is not None
    except EndpointClosed as error:
        existing = False
        closed.append(error.endpoint)
    assert existing or closed == [provider.endpoint]


@every_provider
def test_an_unreachable_provider_is_transient(name: str) -> None:
    """An address without a server is a transient error."""
    provider = make(name, "http://127.0.0.1:9")
    some_id = {source_ids.SPOTIFY: track_id("rock", 3), source_ids.MUSICBRAINZ: MBID}
    with pytest.raises(SourceUnavailable):
        provider.fetch([some_id[provider.ids_of]])
