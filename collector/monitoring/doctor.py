"""Check which of the configured sources can be accessed, with at most four requests to Spotify's.

Spotify and ReccoBeats, which has features of its tracks, are checked if Spotify is among the
sources. If MusicBrainz is, two requests go to it, and two to AcousticBrainz.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from collector import composition_root
from collector.catalogue import genre_counters
from collector.errors import BadCredentials, CollectorError, EndpointClosed, SourceUnavailable
from collector.http.rate_limiter import RequestBudget
from collector.http.reachability import unreachable_reason
from collector.http.retry import RequestLimit, call_with_retries, fetch_page
from collector.ports import FeatureProvider, Source
from collector.providers.acousticbrainz import AcousticBrainz
from collector.providers.reccobeats import ReccoBeats
from collector.providers.spotify_features import SpotifyAudioFeatures
from collector.records import Page, PageQuery
from collector.settings import CollectorSettings
from collector.sources import spotify_client
from collector.sources.musicbrainz_search import MusicBrainzSearch
from collector.sources.spotify_search import SpotifySearch
from genrebase.audio import scan
from genrebase.counts import counted
from genrebase.errors import GenrebaseError, UserError
from genrebase.runtime.checks import Check
from genrebase.runtime.clock import Clock, SystemClock
from genrebase.store import connect, disposing, source_ids
from genrebase.store.engine import Engine, read_transaction
from genrebase.store.tables import ALL_YEARS

MAX_REQUESTS: Final = 4
"""A page of search, one smaller where it is refused, and one request to each provider."""

_MAX_ATTEMPTS: Final = 2
"""Attempts per request: with more, an unreachable source would use up `MAX_REQUESTS`."""

_CONNECT_SECONDS: Final = 1.5
"""Seconds to connect to a source: without a network, all checks together take under five."""

_GENRE: Final = "rock"
_IDS: Final = {
    source_ids.SPOTIFY: "3n3Ppam7vgaVa1iaRUc9Lp",
    source_ids.MUSICBRAINZ: "e8afe383-1478-497e-90b1-7885c7f37f6e",
}
"""Mr. Brightside; Soul Love."""


@dataclass(frozen=True, slots=True)
class CollectorDoctor:
    """Checks the sources and ReccoBeats, within their budgets."""

    engine: Engine
    settings: CollectorSettings
    clock: Clock
    request_limit: RequestLimit

    def run_checks(self) -> Iterator[Check]:
        """Yield one result per source, and per provider of features of its tracks."""
        if self.settings.sandbox_url:
            sentence = f"Requests go to {self.settings.sandbox_url}, not to the live services."
            yield Check("sandbox", ok=True, sentence=sentence)
        if source_ids.MUSICBRAINZ in self.settings.source_names:
            yield _run_check("musicbrainz", self._check_musicbrainz)
            yield self._check_acousticbrainz()
        for name in (source_ids.INTERNET_ARCHIVE, source_ids.JAMENDO):
            if name in self.settings.source_names:
                yield _run_check(name, partial(self._check_audio_source, name))
        if source_ids.SPOTIFY in self.settings.source_names:
            yield from self._check_spotify()
            if ReccoBeats.name in self.settings.provider_names:
                provider = ReccoBeats(self.settings, self.clock)
                address = self.settings.reccobeats_api_url
                check = partial(self._check_provider, provider, self.request_limit, address)
                yield _run_check("reccobeats", check)

    def _require_reachable(self, *addresses: str) -> None:
        """Raise `SourceUnavailable` if a host does not let us connect, without any retries."""
        reason = unreachable_reason(addresses, self.clock, _CONNECT_SECONDS)
        if reason is not None:
            raise SourceUnavailable(reason)

    def _check_spotify(self) -> Iterator[Check]:
        try:
            source = SpotifySearch(self.settings, self.clock)
        except BadCredentials as error:
            yield Check("spotify", ok=None, sentence=f"{error} Imports need none.")
            return
        if self.settings.uses_real_spotify and not self.settings.terms_accepted:
            yield Check("spotify terms", ok=None, sentence=composition_root.TERMS_MESSAGE)
        searched = _run_check("spotify search", partial(self._check_search, source))
        yield searched
        if searched.ok and spotify_client.NAME in self.settings.provider_names:
            provider = SpotifyAudioFeatures(self.settings, self.clock)
            check = partial(self._check_provider, provider, self.request_limit)
            yield _run_check("spotify audio features", check)

    def _check_musicbrainz(self) -> Check:
        source = MusicBrainzSearch(self.settings, self.clock)
        page = self._first_page_at(self.settings.musicbrainz_api_url, source)
        return Check("musicbrainz", ok=True, sentence=f"{page.received} recordings on a page.")

    def _check_audio_source(self, name: str) -> Check:
        """Return whether a source of audio files can be searched, and its files analysed."""
        source = composition_root.make_source(name, self.settings, self.clock)
        settings = self.settings
        addresses = {
            source_ids.INTERNET_ARCHIVE: settings.archive_api_url,
            source_ids.JAMENDO: settings.jamendo_api_url,
        }
        page = self._first_page_at(addresses[name], source)
        received = f"{counted(page.received, 'result')} on a page."
        try:
            scan.require_libraries()
        except UserError as error:
            return Check(name, ok=None, sentence=f"{received} {error}")
        return Check(name, ok=True, sentence=received)

    def _check_acousticbrainz(self) -> Check:
        """Return a check that never fails: the service may have ended, and is not needed."""
        provider = AcousticBrainz(self.settings, self.clock)
        limit, address = RequestLimit(_MAX_ATTEMPTS), self.settings.acousticbrainz_api_url
        request = partial(self._check_provider, provider, limit, address)
        check = _run_check(provider.name, request)
        if check.ok:
            return check
        sentence = f"{check.sentence} It may have ended; its dumps have the same numbers."
        return Check(provider.name, ok=None, sentence=sentence)

    def _check_search(self, source: SpotifySearch) -> Check:
        self._require_reachable(self.settings.spotify_token_url, self.settings.spotify_api_url)
        budget = composition_root.open_spotify_budget(self.engine, self.settings, self.clock)
        page = self._first_page(source, budget, self.request_limit)
        now = self.clock.now().timestamp()
        limit = budget.capabilities.page_limit(source.page_limits, now)
        if page.is_empty:
            return Check(
                "spotify search",
                ok=False,
                sentence=f"the credentials are accepted, but a search for the genre {_GENRE} "
                "returns nothing: this app may not search by genre. Import a dataset instead.",
            )
        mode = "extended mode" if limit == source.page_limits[0] else "development mode"
        return Check("spotify search", ok=True, sentence=f"{limit} tracks a page ({mode}).")

    def _first_page_at(self, address: str, source: Source) -> Page:
        self._require_reachable(address)
        budget = RequestBudget.open(self.engine, source.account)
        return self._first_page(source, budget, RequestLimit(_MAX_ATTEMPTS))

    def _first_page(self, source: Source, budget: RequestBudget, limit: RequestLimit) -> Page:
        """Return the first page of a search for a genre."""
        query = PageQuery(_GENRE, source.query_for(_GENRE), *ALL_YEARS, 0, source.page_limits[0])
        return fetch_page(budget, self.clock, source, query, limit, max_attempts=_MAX_ATTEMPTS)

    def _check_provider(
        self, provider: FeatureProvider, limit: RequestLimit, *addresses: str
    ) -> Check:
        self._require_reachable(*addresses)
        budget = RequestBudget.open(self.engine, provider.account)
        now = self.clock.now().timestamp()
        if budget.capabilities.is_closed(provider.endpoint, now):
            return _closed(provider.name)
        call = partial(provider.fetch, [_IDS[provider.ids_of]])
        try:
            call_with_retries(budget, self.clock, call, limit, max_attempts=_MAX_ATTEMPTS)
        except EndpointClosed:
            return _closed(provider.name)
        return Check(_name(provider.name), ok=True, sentence="audio features are available.")


def checks() -> Iterator[Check]:
    """Yield what the collector's settings and credentials allow, and what to do if they do not."""
    clock = SystemClock()
    try:
        configured = CollectorSettings.load()
    except GenrebaseError:
        yield Check("sources", ok=None, sentence="not checked: correct the settings first.")
        return
    try:
        engine = connect()
    except GenrebaseError:
        yield Check(
            "sources",
            ok=None,
            sentence="not checked: requests are counted in the database, which cannot be used.",
        )
        return
    with disposing(engine):
        yield _run_check("genre counters", partial(check_counters, engine))
        yield from CollectorDoctor(
            engine, configured, clock, RequestLimit(MAX_REQUESTS)
        ).run_checks()


def check_counters(engine: Engine) -> Check:
    """Compare the genres' counters with their rows, which reads all tracks and sightings."""
    with read_transaction(engine) as connection:
        wrong = genre_counters.wrong_counters(connection)
    if not wrong:
        return Check("genre counters", ok=True, sentence="they equal the numbers of the rows.")
    first = wrong[0]
    sentence = (
        f"the counters of {counted(len(wrong), 'genre')} are wrong: {first.name!r} has "
        f"{counted(first.counted_tracks, 'track')} and "
        f"{counted(first.counted_sightings, 'sighting')}, its counters {first.tracks:,} and "
        f"{first.sightings:,}. Run collector genres recount."
    )
    return Check("genre counters", ok=False, sentence=sentence)


def _run_check(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except CollectorError as error:
        return Check(name, ok=False, sentence=str(error))


def _closed(provider: str) -> Check:
    sentence = "closed to these credentials; the other providers are used instead."
    return Check(_name(provider), ok=None, sentence=sentence)


def _name(provider: str) -> str:
    return "spotify audio features" if provider == spotify_client.NAME else provider
