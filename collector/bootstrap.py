"""From settings to the things the collector works with. The one place that puts them together."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from collector.catalogue import catalogue_origin as origins
from collector.catalogue import origin
from collector.catalogue.origin import Origin
from collector.crawl.harvest import Harvester
from collector.crawl.playlists import PlaylistHarvester
from collector.crawl.sequence import Crawl
from collector.enrichment.features import Asked
from collector.errors import BadSettings, NotFound, TermsNotAccepted
from collector.http import client as http
from collector.http.rate_limiter import Budget
from collector.ports import FeatureProvider, Source
from collector.settings import CollectorSettings
from collector.sources import spotify_client
from collector.sources.spotify_client import SpotifyClient
from genrebase.runtime import plugins
from genrebase.runtime.clock import Clock
from genrebase.store import bulk
from genrebase.store.engine import Engine, reading, transaction

if TYPE_CHECKING:
    from collector.enrichment.analyses import Analyser

SOURCES: Final = "collector.sources"
FEATURES: Final = "collector.features"
"""The entry points under which plug-ins are registered."""

PLAYLISTS: Final = "spotify_playlists"
"""The source that reads the playlists bound to genres."""

DELIVERED: Final = ("csv", "audio")
"""Names in the order of features that nobody is asked for: they come with imports."""

TERMS: Final = (
    "Spotify's Developer Terms forbid training models on Spotify content and keeping it without "
    "limit. Read https://developer.spotify.com/terms; set COLLECTOR_SPOTIFY_TERMS=accepted if you "
    "may do this under them, or fill a database from the sandbox: `collector sandbox`."
)


def make_source(name: str, settings: CollectorSettings, clock: Clock) -> Source:
    """Return the source registered as `name`."""
    made: Source = plugins.load(SOURCES, name).from_settings(settings, clock)
    return made


def make_providers(settings: CollectorSettings, clock: Clock) -> Iterator[FeatureProvider]:
    """Yield the providers in the order of `COLLECTOR_FEATURE_ORDER`, those that are installed.

    Spotify's own is left out where there are no credentials, or its terms are not accepted:
    another may know the tracks.
    """
    installed = plugins.names(FEATURES)
    for name in settings.providers:
        if name in DELIVERED and name not in installed:
            continue
        if name not in installed:
            known = ", ".join(sorted({*installed, *DELIVERED}))
            raise BadSettings(f"COLLECTOR_FEATURE_ORDER names {name!r}. Known: {known}.")
        if name == spotify_client.NAME and not _may_ask_spotify(settings):
            continue
        made: FeatureProvider = plugins.load(FEATURES, name).from_settings(settings, clock)
        yield made


def open_source(
    name: str, engine: Engine, settings: CollectorSettings, clock: Clock
) -> tuple[Source, Budget]:
    """Return a source to harvest from and its budget, once everything speaks for it.

    Refuses, before anything is asked or written, where credentials or accepted terms are missing
    or the database was filled from another catalogue.
    """
    source = make_source(name, settings, clock)
    if name == spotify_client.NAME:
        check_terms(settings)
        admit_origin(engine, settings, clock)
    return source, Budget.open(engine, source.account)


def open_crawl(
    engine: Engine,
    settings: CollectorSettings,
    clock: Clock,
    stop_requested: Callable[[], bool] = lambda: False,
) -> Crawl:
    """Return all that a harvest asks, under one budget; refuses as `open_source` does."""
    search, budget = open_source(spotify_client.NAME, engine, settings, clock)
    lists = make_source(PLAYLISTS, settings, clock)
    return Crawl(
        engine,
        clock,
        (
            PlaylistHarvester(engine, lists, budget, clock, stop_requested),
            Harvester(
                engine,
                search,
                budget,
                clock,
                stop_requested,
                look_back=settings.look_back_period,
            ),
        ),
    )


def open_spotify(
    engine: Engine, settings: CollectorSettings, clock: Clock
) -> tuple[SpotifyClient, Budget]:
    """Return Spotify's client and its budget, to ask by id; refuses as `open_source` does."""
    client = SpotifyClient(settings, clock)
    check_terms(settings)
    admit_origin(engine, settings, clock)
    return client, Budget.open(engine, spotify_client.account(settings))


def open_analyser(
    engine: Engine,
    settings: CollectorSettings,
    clock: Clock,
    stop_requested: Callable[[], bool] = lambda: False,
) -> "Analyser":
    """Return who asks for audio analyses; refuses as `open_source` does."""
    # numpy stands behind these: whoever asks for no analysis need not wait for it
    from collector.enrichment.analyses import Analyser
    from collector.providers.spotify_analysis import SpotifyAudioAnalysis

    client, budget = open_spotify(engine, settings, clock)
    provider = SpotifyAudioAnalysis(client, spotify_client.account(settings))
    return Analyser(engine, clock, provider, budget, stop_requested)


def open_providers(engine: Engine, settings: CollectorSettings, clock: Clock) -> list[Asked]:
    """Return the providers to ask with their budgets, in order.

    Raises `OtherCatalogue` where the database was filled from another catalogue than they know.
    """
    with reading(engine) as connection:
        stored = origins.stored(connection)
    if stored is not None:
        origin.admit(stored, find_origin(settings, clock), None)
    return [fund(engine, provider) for provider in make_providers(settings, clock)]


def fund(engine: Engine, provider: FeatureProvider) -> Asked:
    """Return a provider together with its budget."""
    return Asked(provider, Budget.open(engine, provider.account))


def check_terms(settings: CollectorSettings) -> None:
    """Raise `TermsNotAccepted` where Spotify itself would be harvested without its terms."""
    if settings.real_spotify and not settings.terms_accepted:
        raise TermsNotAccepted(TERMS)


def find_origin(settings: CollectorSettings, clock: Clock) -> Origin:
    """Return what would be harvested; a sandbox is asked, which costs no counted request."""
    if settings.spotify_url is None:
        return origin.SPOTIFY
    return origin.of_sandbox(_ask_sandbox(settings, clock), settings.spotify_url)


def admit_origin(engine: Engine, settings: CollectorSettings, clock: Clock) -> Origin:
    """See that this database may be filled from the configured catalogue; remember it.

    Raises `OtherCatalogue` before anything is written.
    """
    asked = find_origin(settings, clock)
    with reading(engine) as connection:
        stored = origins.stored(connection)
        elsewhere = origins.delivered_elsewhere(connection, spotify_client.NAME)
    if origin.admit(stored, asked, elsewhere):
        with transaction(engine) as connection:
            bulk.serialise_writers(connection)  # another process may be starting as well
            if origin.admit(origins.stored(connection), asked, elsewhere):
                origins.record(connection, asked, clock.now())
    return asked


def _may_ask_spotify(settings: CollectorSettings) -> bool:
    accepted = settings.terms_accepted or not settings.real_spotify
    return accepted and spotify_client.has_credentials(settings)


def _ask_sandbox(settings: CollectorSettings, clock: Clock) -> Any:
    address = f"{settings.spotify_url}/__sandbox__/catalogue"
    with http.session_for(address) as session:
        try:
            return http.get_json(session, address, timeout=settings.timeout, now=clock.now())
        except NotFound:
            return None
