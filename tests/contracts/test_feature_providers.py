"""Contract of all registered feature providers, over HTTP against the sandbox."""

import pytest

from collector.bootstrap import FEATURES_GROUP, make_providers
from collector.errors import EndpointClosed, RateLimited, SourceUnavailable
from collector.ports import FeatureProvider
from collector.rate import Rate
from genrebase.runtime import plugins
from tests.contracts.conftest import Serve, settings_for, stats_of, track_id
from tests.fakes import FakeClock

pytestmark = pytest.mark.parametrize("name", plugins.registered_names(FEATURES_GROUP))


def make(name: str, url: str) -> FeatureProvider:
    settings = settings_for(url).model_copy(update={"feature_order": name})
    (provider,) = make_providers(settings, FakeClock())
    return provider


def test_has_the_required_attributes(name: str, serve: Serve) -> None:
    """It has its registered name and a batch size."""
    provider = make(name, serve().url)
    assert provider.name == name
    assert provider.batch_size > 0
    assert provider.endpoint
    assert len(provider.account.credential) == 16


def test_every_id_is_a_key(name: str, serve: Serve) -> None:
    """Every requested id is a key, in any order; None where there are no features."""
    provider = make(name, serve().url)
    requested = [track_id("rock", 3), "Z" * 22, track_id("r&b", 1), track_id("rock", 0)]
    result = provider.fetch(requested)
    assert set(result) == set(requested)
    assert [source_id for source_id in requested if result[source_id] is None] == ["Z" * 22]


def test_features_are_the_catalogues(name: str, serve: Serve) -> None:
    """Features are those of the catalogue, in our units."""
    requested = track_id("rock", 3)
    features = make(name, serve().url).fetch([requested])[requested]
    assert features
    assert (features.danceability, features.energy, features.key) == (0.5, 0.6, 7)
    assert (features.loudness, features.mode, features.tempo) == (-5.0, 1, 120.5)


def test_a_full_batch_is_one_request(name: str, serve: Serve) -> None:
    """A full batch is one request, without retries."""
    running = serve()
    provider = make(name, running.url)
    requested = [track_id("rock", number) for number in range(provider.batch_size)]
    result = provider.fetch(requested)
    assert all(result[source_id] for source_id in requested)
    apis = stats_of(running)["apis"]
    assert apis["spotify"]["requests"] + apis["reccobeats"]["requests"] == 1


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


def test_an_unreachable_provider_is_transient(name: str) -> None:
    """An address without a server is a transient error."""
    with pytest.raises(SourceUnavailable):
        make(name, "http://127.0.0.1:9").fetch([track_id("rock", 3)])
