"""Composition root: builds sources, providers and jobs from the settings, after checking them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

from collector.catalogue import audio_items
from collector.catalogue.catalogue_origin import (
    OPEN_SERVICES,
    SPOTIFY_ORIGIN,
    CatalogueOrigin,
    any_track_origin,
    check_compatible,
    load_origin,
    parse_sandbox_origin,
    store_origin,
)
from collector.crawl.harvest_loop import ShardHarvester
from collector.crawl.item_lister import ItemLister
from collector.crawl.playlist_harvester import PlaylistHarvester
from collector.crawl.search_harvester import SearchHarvester
from collector.crawl.stages import CrawlStages
from collector.downloads.downloader import Downloader
from collector.downloads.folder import DownloadFolder, folder_for
from collector.downloads.queue import DownloadQueue
from collector.enrichment.features import BudgetedProvider
from collector.errors import NotFound, TermsNotAccepted
from collector.http.client import ServiceClient, error_with_503_as_limit
from collector.http.file_download import FileClient
from collector.http.rate_limiter import RequestBudget
from collector.ports import AudioSource, FeatureProvider, Source
from collector.rate_limits import Account
from collector.settings import (
    AUDIO_SOURCES_GROUP,
    FEATURES_GROUP,
    IMPORT_PROVIDERS,
    PLAYLIST_SOURCE,
    SOURCES_GROUP,
    CollectorSettings,
)
from collector.sources import internet_archive, spotify_client
from genrebase.errors import NothingToDo, UserError
from genrebase.runtime import audio_models, plugins
from genrebase.runtime.clock import Clock
from genrebase.store import bulk
from genrebase.store.engine import Engine, read_transaction, transaction

if TYPE_CHECKING:
    from collector.downloads.run import DownloadRun
    from collector.enrichment.analyses import AnalysisFetcher

_MEGABYTE: Final = 1e6

TERMS_MESSAGE: Final = (
    "Spotify's Developer Terms forbid training models on Spotify content and keeping it without "
    "limit. Read https://developer.spotify.com/terms; set COLLECTOR_SPOTIFY_TERMS=accepted if you "
    "may do this under them, or fill a database from the sandbox: `collector sandbox`."
)


def make_source(name: str, settings: CollectorSettings, clock: Clock) -> Source:
    """Return the source registered as `name`."""
    source: Source = _load(SOURCES_GROUP, name, settings, clock)
    return source


def check_sources(settings: CollectorSettings, clock: Clock) -> None:
    """Raise `BadCredentials` or `TermsNotAccepted` if a source cannot be used with these settings.

    Nothing is requested, and no database is opened.
    """
    for name in settings.source_names:
        if make_source(name, settings, clock).account.source == spotify_client.NAME:
            _check_spotify_terms(settings)


def make_providers(settings: CollectorSettings, clock: Clock) -> Iterator[FeatureProvider]:
    """Yield the installed providers in the order of `COLLECTOR_FEATURE_ORDER`.

    Spotify's own is left out without credentials or accepted terms: another provider may have the
    tracks.
    """
    installed = plugins.registered_names(FEATURES_GROUP)
    may_use_spotify = spotify_client.has_credentials(settings) and (
        settings.terms_accepted or not settings.uses_real_spotify
    )
    for name in settings.provider_names:
        if name in IMPORT_PROVIDERS and name not in installed:
            continue
        if name == spotify_client.NAME and not may_use_spotify:
            continue
        provider: FeatureProvider = _load(FEATURES_GROUP, name, settings, clock)
        yield provider


def open_source(
    name: str, engine: Engine, settings: CollectorSettings, clock: Clock
) -> tuple[Source, RequestBudget]:
    """Return a source and its budget after checking credentials, terms and catalogue.

    Raises `BadCredentials`, `TermsNotAccepted` or `CatalogueMismatch` before anything is requested
    or written.
    """
    source = make_source(name, settings, clock)
    origin = _check_source(engine, source, settings, clock)
    return source, _open_budget(engine, source.account, origin)


def open_crawl(
    engine: Engine,
    settings: CollectorSettings,
    clock: Clock,
    stop_requested: Callable[[], bool] = lambda: False,
) -> CrawlStages:
    """Return the stages of a harvest in the order of `COLLECTOR_SOURCES`.

    Playlists come before Spotify's search, under the same budget. Raises the errors of
    `open_source`.
    """
    stages: list[ShardHarvester] = []
    for name in settings.source_names:
        source, budget = open_source(name, engine, settings, clock)
        if name == spotify_client.NAME:
            playlists = make_source(PLAYLIST_SOURCE, settings, clock)
            stages.append(PlaylistHarvester(engine, playlists, budget, clock, stop_requested))
        if name == internet_archive.NAME:
            lister = ItemLister(
                engine,
                source,
                budget,
                clock,
                stop_requested,
                recrawl_after=settings.recrawl_after,
                licence=settings.licence,
            )
            stages.append(lister)
            continue
        search = SearchHarvester(
            engine, source, budget, clock, stop_requested, recrawl_after=settings.recrawl_after
        )
        stages.append(search)
    return CrawlStages(engine, clock, stages)


def open_downloads(
    engine: Engine,
    settings: CollectorSettings,
    clock: Clock,
    stop_requested: Callable[[], bool] = lambda: False,
    *,
    keep: Path | None = None,
    workers: int = 1,
) -> "DownloadRun":
    """Return the run that downloads and analyses audio files of all sources that have some.

    Raises the errors of `_open_audio_sources`, and `UserError` if the folder cannot be made.
    """
    # These import numpy, which is slow: only where audio files are analysed.
    from collector.downloads.run import DownloadRun
    from collector.downloads.session import FundedSource

    sources, problems = _open_audio_sources(engine, settings, clock)
    in_folder = int(settings.downloads_mb * _MEGABYTE)
    folder = DownloadFolder(folder_for(settings.downloads, _database_name(engine)), in_folder)
    funded = [
        FundedSource(
            DownloadQueue(engine, clock, source, settings.licence),
            Downloader(
                source,
                RequestBudget.open(engine, source.account),
                FileClient(
                    source.domain,
                    source.user_agent,
                    error_with_503_as_limit,
                    any_port=source.base_url is not None,
                ),
                folder,
                clock,
                settings.timeout,
                stop_requested,
            ),
        )
        for source in sources
    ]
    return DownloadRun(
        engine,
        clock,
        funded,
        folder,
        max_file=min(int(settings.file_mb * _MEGABYTE), in_folder),
        daily=int(settings.daily_mb * _MEGABYTE),
        stop_requested=stop_requested,
        keep=keep,
        workers=workers,
        models=audio_models.chosen_models(None),
        problems=problems,
    )


def _open_audio_sources(
    engine: Engine, settings: CollectorSettings, clock: Clock
) -> tuple[list[AudioSource], list[str]]:
    """Return the sources of audio files that are configured, or have waiting items.

    Also returned is why others cannot be opened; raises such an error if there is no other source,
    and `NothingToDo` if no item waits and no source of audio files is configured.
    """
    installed = plugins.registered_names(AUDIO_SOURCES_GROUP)
    with read_transaction(engine) as connection:
        names = [
            name
            for name in installed
            if name in settings.source_names
            or audio_items.allowed_licences(connection, name, settings.licence)
        ]
    sources: list[AudioSource] = []
    errors: dict[str, UserError] = {}
    for name in names:
        try:
            source: AudioSource = _load(AUDIO_SOURCES_GROUP, name, settings, clock)
            _check_source(engine, source, settings, clock)
            sources.append(source)
        except UserError as error:
            errors[name] = error
    if errors and not sources:
        raise next(iter(errors.values()))
    if not sources:
        raise NothingToDo(
            "No audio file is waiting to be analysed: set COLLECTOR_SOURCES=internetarchive and "
            "run `collector harvest`, which lists some."
        )
    return sources, [f"{name}: {error}" for name, error in errors.items()]


def _database_name(engine: Engine) -> str:
    """Return what distinguishes a database from others on this computer, without a password."""
    url = engine.url
    if url.get_backend_name() == "sqlite" and url.database:
        return str(Path(url.database).absolute())
    return url.render_as_string(hide_password=True)


def open_analyser(
    engine: Engine,
    settings: CollectorSettings,
    clock: Clock,
    stop_requested: Callable[[], bool] = lambda: False,
) -> "AnalysisFetcher":
    """Return the fetcher of audio analyses; raises the errors of `open_source`."""
    # These import numpy, which is slow: only where analyses are fetched.
    from collector.enrichment.analyses import AnalysisFetcher
    from collector.providers.spotify_analysis import SpotifyAudioAnalysis

    _, budget = open_source(spotify_client.NAME, engine, settings, clock)
    provider = SpotifyAudioAnalysis(settings, clock)
    return AnalysisFetcher(engine, clock, provider, budget, stop_requested)


def open_providers(
    engine: Engine, settings: CollectorSettings, clock: Clock
) -> list[BudgetedProvider]:
    """Return the feature providers with their budgets, in order.

    Raises `CatalogueMismatch` where the database was filled from another catalogue than theirs.
    """
    with read_transaction(engine) as connection:
        stored = load_origin(connection)
    origin = None if stored is None else configured_origin(settings, clock)
    if stored is not None and origin is not None:
        check_compatible(stored, origin, None)
    return [
        BudgetedProvider(provider, _open_budget(engine, provider.account, origin))
        for provider in make_providers(settings, clock)
    ]


def open_spotify_budget(
    engine: Engine, settings: CollectorSettings, clock: Clock
) -> RequestBudget:
    """Return the budget of the configured Spotify API, without checks of terms or catalogue."""
    origin = configured_origin(settings, clock)
    return _open_budget(engine, spotify_client.spotify_account(settings), origin)


def configured_origin(settings: CollectorSettings, clock: Clock) -> CatalogueOrigin:
    """Return the catalogue of the configured Spotify API."""
    if settings.spotify_base_url is None:
        return SPOTIFY_ORIGIN
    return _origin_at(settings.spotify_base_url, settings, clock)


def _origin_at(base_url: str, settings: CollectorSettings, clock: Clock) -> CatalogueOrigin:
    """Return the catalogue that a host says it has; its request is not counted."""
    address = urljoin(base_url, "/__sandbox__/catalogue")
    try:
        document = ServiceClient(address, clock, settings.timeout).get_json()
    except NotFound:
        document = None
    return parse_sandbox_origin(document, base_url)


def _load(group: str, name: str, settings: CollectorSettings, clock: Clock) -> Any:
    return plugins.load(group, name)(settings, clock)


def _check_source(
    engine: Engine, source: Source | AudioSource, settings: CollectorSettings, clock: Clock
) -> CatalogueOrigin:
    """Check terms and catalogue before anything is written; return the catalogue.

    Raises `TermsNotAccepted` for Spotify itself without accepted terms, or `CatalogueMismatch`.
    """
    if source.account.source == spotify_client.NAME:
        _check_spotify_terms(settings)
        configured = configured_origin(settings, clock)
    elif source.base_url is None:
        configured = OPEN_SERVICES
    else:
        configured = _origin_at(source.base_url, settings, clock)
        if configured.kind == "other":  # a mirror
            configured = OPEN_SERVICES
    _check_origin(engine, configured, clock)
    return configured


def _open_budget(
    engine: Engine, account: Account, origin: CatalogueOrigin | None
) -> RequestBudget:
    """Return an account's budget; that of Spotify forgets what a sandbox's other mode refused."""
    budget = RequestBudget.open(engine, account)
    if account.source == spotify_client.NAME and origin is not None and origin.access_mode:
        budget.record_access_mode(origin.access_mode)
    return budget


def _check_spotify_terms(settings: CollectorSettings) -> None:
    if settings.uses_real_spotify and not settings.terms_accepted:
        raise TermsNotAccepted(TERMS_MESSAGE)


def _check_origin(engine: Engine, configured: CatalogueOrigin, clock: Clock) -> None:
    """Check that the database may be filled from a catalogue; store its origin."""
    with read_transaction(engine) as connection:
        stored = load_origin(connection)
        other_origin = any_track_origin(connection)
    if check_compatible(stored, configured, other_origin):
        with transaction(engine) as connection:
            bulk.lock_identity_writers(connection)  # another process may be starting as well
            if check_compatible(load_origin(connection), configured, other_origin):
                store_origin(connection, configured, clock.now())
