"""Construction of sources and providers."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select

from collector import composition_root
from collector.catalogue.catalogue_origin import (
    OPEN_SERVICES,
    SPOTIFY_ORIGIN,
    check_compatible,
    load_origin,
)
from collector.errors import BadCredentials, CatalogueMismatch, TermsNotAccepted
from collector.http.rate_limiter import RequestBudget
from collector.settings import CollectorSettings
from genrebase.store import tables
from genrebase.store.engine import read_transaction
from tests.fakes import FakeClock
from tests.scripted_server import ScriptedResponse, ScriptedServer, serving
from tests.unit.collector.conftest import Store

CATALOGUE = "/__sandbox__/catalogue"
INVENTED = ScriptedResponse.json({"kind": "synthetic", "detail": "seed 1", "sha256": "ab"})
FILE = ScriptedResponse.json({"kind": "file", "detail": "mine.csv", "sha256": "cd"})


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as script:
        yield script


def settings_for(url: str | None = None, **more: object) -> CollectorSettings:
    values: dict[str, object] = {
        "spotify_client_id": "an-id",
        "spotify_client_secret": SecretStr("a-secret"),
        "spotify_url": url,
        "spotify_terms": "",
    }
    return CollectorSettings(_env_file=None, **{**values, **more})  # type: ignore[arg-type]


def stored_origins(engine: Engine) -> list[str]:
    with read_transaction(engine) as connection:
        return list(connection.scalars(select(tables.catalogue_origin.c.kind)))


def test_spotify_requires_accepted_terms(engine: Engine) -> None:
    """Nothing is written until the terms of the real service are accepted."""
    with pytest.raises(TermsNotAccepted, match="COLLECTOR_SPOTIFY_TERMS=accepted") as caught:
        composition_root.open_source("spotify", engine, settings_for(), FakeClock())
    assert caught.value.exit_code == 2
    assert stored_origins(engine) == []
    accepted = settings_for(spotify_terms="accepted")
    source, budget = composition_root.open_source("spotify", engine, accepted, FakeClock())
    assert (source.name, budget.source) == ("spotify", "spotify")
    assert stored_origins(engine) == ["spotify"]


def test_missing_credentials_are_reported_first(engine: Engine) -> None:
    """Without credentials the sentence names them; exit code 2."""
    with pytest.raises(BadCredentials, match="SPOTIPY_CLIENT_ID") as caught:
        composition_root.open_source(
            "spotify", engine, settings_for(spotify_client_id=None), FakeClock()
        )
    assert caught.value.exit_code == 2


def test_a_sandbox_requires_no_terms(engine: Engine, server: ScriptedServer) -> None:
    """A sandbox's catalogue is stored, and the same one accepted again."""
    server.respond(CATALOGUE, FILE)
    for _ in range(2):
        composition_root.open_source("spotify", engine, settings_for(server.url), FakeClock())
    assert stored_origins(engine) == ["file"]


def test_another_catalogue_is_refused(engine: Engine, server: ScriptedServer) -> None:
    """A database filled from one catalogue accepts neither tracks nor features of another."""
    server.respond(CATALOGUE, FILE, INVENTED)
    settings = settings_for(server.url)
    composition_root.open_source("spotify", engine, settings, FakeClock())
    with pytest.raises(CatalogueMismatch):
        composition_root.open_source("spotify", engine, settings, FakeClock())
    with pytest.raises(CatalogueMismatch):
        composition_root.open_providers(engine, settings, FakeClock())
    with pytest.raises(CatalogueMismatch):
        composition_root.open_providers(engine, settings_for(), FakeClock())
    assert stored_origins(engine) == ["file"]


def test_a_sandbox_in_another_mode_is_requested_again(
    engine: Engine, server: ScriptedServer
) -> None:
    """What a sandbox refused in one mode is forgotten in another one, and kept in the same."""
    document = {"kind": "synthetic", "detail": "seed 1", "sha256": "ab"}
    modes = ("development", "development", "extended", "development", "extended")
    server.respond(CATALOGUE, *(ScriptedResponse.json(document | {"mode": one}) for one in modes))
    settings, clock = settings_for(server.url), FakeClock()
    now = clock.now().timestamp()

    def closed(budget: RequestBudget) -> bool:
        return budget.capabilities.is_closed("audio-analysis", now)

    _, budget = composition_root.open_source("spotify", engine, settings, clock)
    budget.record_closed_endpoint("audio-analysis", now)
    budget.record_refused_limit(50, now)
    _, same = composition_root.open_source("spotify", engine, settings, clock)
    assert closed(same)
    _, extended = composition_root.open_source("spotify", engine, settings, clock)
    assert not closed(extended)
    assert extended.capabilities.page_limit((50, 10), now) == 50
    extended.record_closed_endpoint("audio-analysis", now)
    assert not closed(composition_root.open_spotify_budget(engine, settings, clock))
    budget.record_closed_endpoint("audio-features", now)
    providers = composition_root.open_providers(engine, settings, clock)
    [own] = [one.budget for one in providers if one.budget.source == "spotify"]
    assert not own.capabilities.is_closed("audio-features", now)


def test_a_synthetic_catalogue_does_not_join_imports(
    engine: Engine, server: ScriptedServer, store: Store
) -> None:
    """A synthetic catalogue is not harvested into a database of imported tracks."""
    store(["a"], origin="csv:mine.csv")
    server.respond(CATALOGUE, INVENTED)
    with pytest.raises(CatalogueMismatch, match=r"csv:mine\.csv"):
        composition_root.open_source("spotify", engine, settings_for(server.url), FakeClock())
    assert stored_origins(engine) == []


def test_open_services_do_not_join_a_synthetic_catalogue(
    engine: Engine, server: ScriptedServer
) -> None:
    """Real music goes in with imports and Spotify's, and never with a sandbox's."""
    assert not check_compatible(None, OPEN_SERVICES, "csv:mine.csv")
    assert not check_compatible(SPOTIFY_ORIGIN, OPEN_SERVICES, "spotify")
    server.respond(CATALOGUE, INVENTED)
    composition_root.open_source("spotify", engine, settings_for(server.url), FakeClock())
    with read_transaction(engine) as connection:
        stored = load_origin(connection)
    with pytest.raises(CatalogueMismatch, match="seed 1"):
        check_compatible(stored, OPEN_SERVICES, None)


def test_another_api_is_identified_by_its_address(engine: Engine, server: ScriptedServer) -> None:
    """Another Spotify-shaped API, which does not report its origin, is accepted."""
    composition_root.open_source("spotify", engine, settings_for(server.url), FakeClock())
    assert stored_origins(engine) == ["other"]


def test_providers_are_in_the_configured_order() -> None:
    """The order is the setting's; providers of imports are skipped."""
    accepted = settings_for(spotify_terms="accepted", feature_order="audio,reccobeats,csv,spotify")
    made = composition_root.make_providers(accepted, FakeClock())
    assert [provider.name for provider in made] == ["reccobeats", "spotify"]


@pytest.mark.parametrize(
    "settings", [settings_for(), settings_for("http://x", spotify_client_secret=None)]
)
def test_spotify_is_left_out_without_access(settings: CollectorSettings) -> None:
    """Without credentials or accepted terms the other providers are used."""
    made = composition_root.make_providers(settings, FakeClock())
    assert [provider.name for provider in made] == ["reccobeats", "acousticbrainz"]


def test_an_unknown_provider_is_refused() -> None:
    """The message lists the registered names."""
    with pytest.raises(match=r"'recobeats'.*Known: acousticbrainz, audio, csv, "):
        list(composition_root.make_providers(settings_for(feature_order="recobeats"), FakeClock()))


def test_one_account_has_one_budget(engine: Engine, server: ScriptedServer) -> None:
    """Searches and feature requests with one credential are counted together."""
    settings = settings_for(server.url)
    server.respond(CATALOGUE, FILE)
    _, budget = composition_root.open_source("spotify", engine, settings, FakeClock())
    budget.acquire(FakeClock().now().timestamp())
    options = composition_root.open_providers(engine, settings, FakeClock())
    requests = {one.provider.name: one.budget.state().requests for one in options}
    assert requests == {"spotify": 1, "reccobeats": 0, "acousticbrainz": 0}
