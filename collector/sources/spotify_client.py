"""Spotify's Web API through spotipy: one request per call, OAuth tokens, translated errors.

Some of spotipy's own behaviour is not used: waiting out bans inside its retries, fetching tokens
(they would be used unchecked, and be renewed inside other requests), and logging them.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import requests
from spotipy import Spotify, SpotifyException

from collector.errors import (
    AccessDenied,
    BadCredentials,
    BadRequest,
    CollectorError,
    EndpointClosed,
    InvalidLimit,
    InvalidResponse,
    NotFound,
    SourceUnavailable,
    TokenExpired,
)
from collector.http.client import (
    error_details,
    error_for_response,
    fingerprint,
    list_in,
    to_collector_error,
)
from collector.http.session import make_session
from collector.rate_limits import Account
from collector.settings import CollectorSettings
from collector.sources.access_tokens import AccessTokens
from genrebase.runtime.clock import Clock
from genrebase.store import source_ids

NAME: Final = "spotify"
TRACKS_ENDPOINT: Final = "tracks"
AUDIO_FEATURES_ENDPOINT: Final = "audio-features"
AUDIO_ANALYSIS_ENDPOINT: Final = "audio-analysis"

CREDENTIALS_HELP: Final = (
    "Create an app at https://developer.spotify.com/dashboard and set SPOTIPY_CLIENT_ID and "
    "SPOTIPY_CLIENT_SECRET in the environment or in .env."
)
NO_ACCOUNT_HELP: Final = (
    "A harvest of MusicBrainz needs no account: set COLLECTOR_SOURCES=musicbrainz, and "
    "COLLECTOR_CONTACT to your e-mail address or web page."
)

_ITEM_TYPES: Final = ("track", "episode")
"""Without it, episodes would come in the shape of tracks."""
_MAX_PLAYLIST_PAGE: Final = 100
"""Items on the first page of a playlist."""
_INVALID_LIMIT: Final = "invalid limit"
_SPOTIPY_CRASHES: Final = (AttributeError, KeyError, TypeError, RecursionError)
"""Raised by spotipy over a response that is no object where it expects one."""


class ItemPage(NamedTuple):
    """A page of a search or a playlist."""

    items: list[Any]
    """Unparsed."""
    total: int | None
    """The number of items of all pages, as Spotify says; None if it is not given."""


class SpotifyClient:
    """The Web API with client credentials. Use one per thread."""

    def __init__(self, settings: CollectorSettings, clock: Clock) -> None:
        """Raise `BadCredentials` where there are none. Makes no request yet."""
        credentials = require_credentials(settings)
        logging.getLogger("spotipy").setLevel(logging.CRITICAL)  # errors are raised, tokens secret
        self._clock = clock
        self._timeout = settings.timeout
        self._tokens = AccessTokens(
            settings.spotify_token_url, credentials, CREDENTIALS_HELP, clock
        )
        self._api = Spotify(requests_session=make_session(settings.spotify_api_url))
        self._api.prefix = settings.spotify_api_url
        self._token_is_new = False

    def search(self, query: str, *, limit: int, offset: int) -> ItemPage:
        """Return one page of tracks.

        Raises `InvalidLimit` where the credentials do not get `limit` items a page.
        """
        try:
            response = self._call(
                lambda: self._api.search(query, limit=limit, offset=offset, type="track")
            )
        except BadRequest as error:
            if _INVALID_LIMIT in str(error).casefold():
                raise InvalidLimit(limit) from error
            raise
        return _get_items(response.get("tracks"))

    def tracks(self, ids: Sequence[str]) -> list[Any]:
        """Return tracks by id (at most 50), in the order of `ids`, None where unknown.

        Raises `EndpointClosed` in development mode.
        """
        tracks = list_in(self._get_batch(TRACKS_ENDPOINT, ids), "tracks", "Spotify's")
        if len(tracks) != len(ids):
            raise InvalidResponse("Spotify returned fewer tracks than were requested.")
        return tracks

    def track(self, track_id: str) -> Any:
        """Return one track, unparsed; open to every credential.

        Raises `NotFound` for an unknown id, `BadRequest` where it is no id.
        """
        return self._get(f"{TRACKS_ENDPOINT}/{track_id}")

    def audio_features(self, ids: Sequence[str]) -> list[Any]:
        """Return audio features by track id (at most 100), None where unknown.

        Raises `EndpointClosed` where the credentials have no access.
        """
        response = self._get_batch(AUDIO_FEATURES_ENDPOINT, ids)
        return list_in(response, "audio_features", "Spotify's")

    def audio_analysis(self, track_id: str) -> dict[str, Any]:
        """Return one track's audio analysis, unparsed.

        Raises `EndpointClosed` where the credentials have no access, `NotFound` where the track
        was never analysed.
        """
        try:
            return self._get(f"{AUDIO_ANALYSIS_ENDPOINT}/{track_id}")
        except AccessDenied as error:
            raise EndpointClosed(AUDIO_ANALYSIS_ENDPOINT) from error

    def playlist(self, playlist_id: str) -> tuple[ItemPage, int, str | None]:
        """Return a playlist's first items, the page limit and its version.

        Raises `AccessDenied` where the response has no items: it is another user's playlist.
        """
        response = self._call(
            lambda: self._api.playlist(playlist_id, additional_types=_ITEM_TYPES)
        )
        page = response.get("items", response.get("tracks"))  # its name before 2026
        if page is None:
            raise AccessDenied("The playlist's items are not accessible.")
        items, version = _get_items(page), response.get("snapshot_id")
        limit = page.get("limit")
        return (
            items,
            limit
            if type(limit) is int and 0 < limit <= _MAX_PLAYLIST_PAGE
            else min(len(items.items), _MAX_PLAYLIST_PAGE),
            version if isinstance(version, str) else None,
        )

    def playlist_items(self, playlist_id: str, *, limit: int, offset: int) -> ItemPage:
        response = self._call(
            lambda: self._api.playlist_items(
                playlist_id, limit=limit, offset=offset, additional_types=_ITEM_TYPES
            )
        )
        return _get_items(response)

    def fetch_token(self) -> None:
        """Fetch an access token unless there is a valid one: one request, which is not counted.

        Raises the errors of `AccessTokens.get`.
        """
        token, is_new = self._tokens.get(self._timeout)
        self._token_is_new |= is_new
        self._api.set_auth(token)

    def _get(self, path: str) -> dict[str, Any]:
        # `next` fetches any path; spotipy's own methods append a slash, and warn at every call
        return self._call(lambda: self._api.next({"next": path}))

    def _get_batch(self, endpoint: str, ids: Sequence[str]) -> dict[str, Any]:
        try:
            return self._get(f"{endpoint}?ids={','.join(ids)}")
        except (AccessDenied, NotFound) as error:
            raise EndpointClosed(endpoint) from error

    def _call(self, call: Callable[[], Any]) -> dict[str, Any]:
        began = self._clock.monotonic()
        self.fetch_token()
        left = self._timeout - (self._clock.monotonic() - began)
        if left <= 0:
            raise SourceUnavailable("The source did not respond in time.")
        self._api.requests_timeout = left  # one deadline for both: a stop waits for no more
        with self._translated_errors():
            response = call()
        self._token_is_new = False
        if not isinstance(response, dict):
            raise InvalidResponse("Spotify's response is empty, or was cut short.")
        return response

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except (SpotifyException, *_SPOTIPY_CRASHES) as error:
            raise self._translate(error) from error
        except requests.RequestException as error:
            raise to_collector_error(error, self._clock.now()) from error

    def _translate(self, error: Exception) -> CollectorError:
        response = _response_of(error)
        if response is None:
            if isinstance(error, _SPOTIPY_CRASHES):
                return InvalidResponse("Spotify's response has an unexpected shape.")
            return BadRequest(f"No request was sent to Spotify: {error}")
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            return self._unauthorised_error(response)
        return error_for_response(response, self._clock.now())

    def _unauthorised_error(self, response: requests.Response) -> CollectorError:
        """Drop an expired token; where a new one is refused, the credentials are bad."""
        if self._token_is_new:
            message, _ = error_details(response)
            return BadCredentials(
                f"Spotify refuses a token it has just given out ({message}). {CREDENTIALS_HELP}"
            )
        self._tokens.drop()
        return TokenExpired()


class SpotifyService:
    """Base class of the sources and providers that use a `SpotifyClient`."""

    licence: Final = "terms"
    ids_of: Final = source_ids.SPOTIFY
    has_undated: Final = False
    """Tracks without a year are in no range of years, and a search cannot ask for them."""

    def __init__(self, settings: CollectorSettings, clock: Clock) -> None:
        """Raise `BadCredentials` where there are none."""
        self.account = spotify_account(settings)
        self.base_url = settings.spotify_base_url
        self._client = SpotifyClient(settings, clock)
        self._clock = clock


def has_credentials(settings: CollectorSettings) -> bool:
    secret = settings.spotify_client_secret
    return bool(settings.spotify_client_id and secret and secret.get_secret_value())


def require_credentials(settings: CollectorSettings) -> tuple[str, str]:
    """Return the client id and secret; raise `BadCredentials` where one is missing."""
    client_id, secret = settings.spotify_client_id, settings.spotify_client_secret
    values = {
        "SPOTIPY_CLIENT_ID": client_id or "",
        "SPOTIPY_CLIENT_SECRET": secret.get_secret_value() if secret else "",
    }
    missing = [name for name, value in values.items() if not value]
    if len(missing) == 1:
        raise BadCredentials(f"{missing[0]} is missing. {CREDENTIALS_HELP}")
    if missing:
        raise BadCredentials(
            f"There are no Spotify credentials. {CREDENTIALS_HELP} {NO_ACCOUNT_HELP}"
        )
    credentials = values["SPOTIPY_CLIENT_ID"], values["SPOTIPY_CLIENT_SECRET"]
    if not all(part.isascii() and part.isprintable() for part in credentials):
        raise BadCredentials(
            "The Spotify credentials hold characters that no credential has: copy them again. "
            + CREDENTIALS_HELP
        )
    return credentials


def spotify_account(settings: CollectorSettings) -> Account:
    client_id, _ = require_credentials(settings)
    credential = fingerprint(client_id, settings.spotify_api_url)
    name = (settings.spotify_account or "").strip()
    if not name:
        return Account(NAME, credential, settings.rate)
    return Account(
        NAME,
        fingerprint("account", name, settings.spotify_api_url),
        settings.rate,
        name=name,
        replaced_credential=credential,
    )


def _response_of(error: BaseException | None) -> requests.Response | None:
    """Return the response behind spotipy's error, which it raises while handling HTTPError."""
    while error is not None:
        if isinstance(error, requests.HTTPError):
            return error.response
        error = error.__cause__ or error.__context__
    return None


def _get_items(paging: Any) -> ItemPage:
    items = list_in(paging, "items", "Spotify's")
    total = paging.get("total")
    return ItemPage(items, total if type(total) is int and total >= 0 else None)
