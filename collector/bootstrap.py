"""From settings to the things the collector works with. The one place that puts them together."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from collector.catalogue import catalogue_origin as origins
from collector.catalogue import origin
from collector.catalogue.origin import CatalogueOrigin
from collector.crawl.playlists import PlaylistHarvester
from collector.crawl.search import SearchHarvester
from collector.crawl.sequence import CrawlSequence
from collector.enrichment.features import BudgetedProvider
from collector.errors import NotFound, TermsNotAccepted
from collector.http import client as http
from collector.http.rate_limiter import RequestBudget
from collector.ports import FeatureProvider, Source
from collector.settings import CollectorSettings
from collector.sources import spotify_client
from collector.sources.spotify_client import SpotifyClient
from genrebase.runtime import plugins
from genrebase.runtime.clock import Clock
from genrebase.settings import InvalidSettings
from genrebase.store import bulk
from genrebase.store.engine import Engine, read_transaction, transaction

if TYPE_CHECKING:
    from collector.enrichment.analyses import AnalysisFetcher

SOURCES_GROUP: Final = "collector.sources"
FEATURES_GROUP: Final = "collector.features"
"""The entry points under which plug-ins are registered."""

PLAYLIST_SOURCE: Final = "spotify_playlists"
"""The source that reads the playlists bound to genres."""

IMPORT_PROVIDERS: Final = ("csv", "audio")
"""Names in the order of features that nobody is asked for: they come with imports."""

TERMS_MESSAGE: Final = (
    "Spotify's Developer Terms forbid training models on Spotify content and keeping it without "
    "limit. Read https://developer.spotify.com/terms; set COLLECTOR_SPOTIFY_TERMS=accepted if you "
    "may do this under them, or fill a database from the sandbox: `collector sandbox`."
)


def make_source(name: str, settings: CollectorSettings, clock: Clock) -> Source:
    """Return the source registered as `name`."""
    made: Source = plugins.load(SOURCES_GROUP, name).from_settings(settings, clock)
    return made


def make_providers(settings: CollectorSettings, clock: Clock) -> Iterator[FeatureProvider]:
    """Yield the providers in the order of `COLLECTOR_FEATURE_ORDER`, those that are installed.

    Spotify's own is left out where there are no credentials, or its terms are not accepted:
    another may know the tracks.
    """
    installed = plugins.registered_names(FEATURES_GROUP)
    for name in settings.provider_names:
        if name in IMPORT_PROVIDERS and name not in installed:
            continue
        if name not in installed:
            known = ", ".join(sorted({*installed, *IMPORT_PROVIDERS}))
            raise InvalidSettings(f"COLLECTOR_FEATURE_ORDER names {name!r}. Known: {known}.")
        if name == spotify_client.NAME and not _may_ask_spotify(settings):
            continue
        made: FeatureProvider = plugins.load(FEATURES_GROUP, name).from_settings(settings, clock)
        yield made


def open_source(
    name: str, engine: Engine, settings: CollectorSettings, clock: Clock
) -> tuple[Source, RequestBudget]:
    """Return a source to harvest from and its budget, once everything speaks for it.

    Refuses, before anything is asked or written, where credentials or accepted terms are missing
    or the database was filled from another catalogue.
    """
    source = make_source(name, settings, clock)
    if name == spotify_client.NAME:
        require_accepted_terms(settings)
        check_origin(engine, settings, clock)
    return source, RequestBudget.open(engine, source.account)


def open_crawl(
    engine: Engine,
    settings: CollectorSettings,
    clock: Clock,
    stop_requested: Callable[[], bool] = lambda: False,
) -> CrawlSequence:
    """Return all that a harvest asks, under one budget; refuses as `open_source` does."""
    search, budget = open_source(spotify_client.NAME, engine, settings, clock)
    lists = make_source(PLAYLIST_SOURCE, settings, clock)
    return CrawlSequence(
        engine,
        clock,
        (
            PlaylistHarvester(engine, lists, budget, clock, stop_requested),
            SearchHarvester(
                engine,
                search,
                budget,
                clock,
                stop_requested,
                recrawl_after=settings.recrawl_after,
            ),
        ),
    )


def open_spotify(
    engine: Engine, settings: CollectorSettings, clock: Clock
) -> tuple[SpotifyClient, RequestBudget]:
    """Return Spotify's client and its budget, to ask by id; refuses as `open_source` does."""
    client = SpotifyClient(settings, clock)
    require_accepted_terms(settings)
    check_origin(engine, settings, clock)
    return client, RequestBudget.open(engine, spotify_client.spotify_account(settings))


def open_analyser(
    engine: Engine,
    settings: CollectorSettings,
    clock: Clock,
    stop_requested: Callable[[], bool] = lambda: False,
) -> "AnalysisFetcher":
    """Return who asks for audio analyses; refuses as `open_source` does."""
    # numpy stands behind these: whoever asks for no analysis need not wait for it
    from collector.enrichment.analyses import AnalysisFetcher
    from collector.providers.spotify_analysis import SpotifyAudioAnalysis

    client, budget = open_spotify(engine, settings, clock)
    provider = SpotifyAudioAnalysis(client, spotify_client.spotify_account(settings))
    return AnalysisFetcher(engine, clock, provider, budget, stop_requested)


def open_providers(
    engine: Engine, settings: CollectorSettings, clock: Clock
) -> list[BudgetedProvider]:
    """Return the providers to ask with their budgets, in order.

    Raises `OtherCatalogue` where the database was filled from another catalogue than they know.
    """
    with read_transaction(engine) as connection:
        stored = origins.load_origin(connection)
    if stored is not None:
        origin.check_compatible(stored, configured_origin(settings, clock), None)
    return [with_budget(engine, provider) for provider in make_providers(settings, clock)]


def with_budget(engine: Engine, provider: FeatureProvider) -> BudgetedProvider:
    """Return a provider together with its budget."""
    return BudgetedProvider(provider, RequestBudget.open(engine, provider.account))


def require_accepted_terms(settings: CollectorSettings) -> None:
    """Raise `TermsNotAccepted` where Spotify itself would be harvested without its terms."""
    if settings.uses_real_spotify and not settings.terms_accepted:
        raise TermsNotAccepted(TERMS_MESSAGE)


def configured_origin(settings: CollectorSettings, clock: Clock) -> CatalogueOrigin:
    """Return what would be harvested; a sandbox is asked, which costs no counted request."""
    if settings.spotify_url is None:
        return origin.SPOTIFY_ORIGIN
    return origin.parse_sandbox_origin(_ask_sandbox(settings, clock), settings.spotify_url)


def check_origin(engine: Engine, settings: CollectorSettings, clock: Clock) -> CatalogueOrigin:
    """See that this database may be filled from the configured catalogue; remember it.

    Raises `OtherCatalogue` before anything is written.
    """
    asked = configured_origin(settings, clock)
    with read_transaction(engine) as connection:
        stored = origins.load_origin(connection)
        elsewhere = origins.other_track_origin(connection, spotify_client.NAME)
    if origin.check_compatible(stored, asked, elsewhere):
        with transaction(engine) as connection:
            bulk.lock_identity_writers(connection)  # another process may be starting as well
            if origin.check_compatible(origins.load_origin(connection), asked, elsewhere):
                origins.store_origin(connection, asked, clock.now())
    return asked


def _may_ask_spotify(settings: CollectorSettings) -> bool:
    accepted = settings.terms_accepted or not settings.uses_real_spotify
    return accepted and spotify_client.has_credentials(settings)


def _ask_sandbox(settings: CollectorSettings, clock: Clock) -> Any:
    address = f"{settings.spotify_url}/__sandbox__/catalogue"
    with http.make_session(address) as session:
        try:
            return http.get_json(session, address, timeout=settings.timeout, now=clock.now())
        except NotFound:
            return None
