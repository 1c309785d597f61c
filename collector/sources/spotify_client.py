"""Spotify's Web API through spotipy: one request per call, every error translated into ours.

spotipy is kept from what it does by itself: sleeping out bans inside its own retries, writing a
token file, waiting for tokens without an end, and printing tokens into the log.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import requests
from spotipy import Spotify, SpotifyException
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.oauth2 import SpotifyClientCredentials, SpotifyOauthError

from collector.errors import (
    AccessDenied,
    BadCredentials,
    BadRequest,
    CollectorError,
    EndpointClosed,
    InvalidLimit,
    InvalidResponse,
    NotFound,
    RateLimited,
    SourceUnavailable,
    TokenExpired,
)
from collector.http import client
from collector.records import Account
from collector.settings import CollectorSettings
from genrebase.runtime.clock import Clock

NAME: Final = "spotify"
TRACKS_ENDPOINT: Final = "tracks"
AUDIO_FEATURES_ENDPOINT: Final = "audio-features"
AUDIO_ANALYSIS_ENDPOINT: Final = "audio-analysis"

CREDENTIALS_HELP: Final = (
    "Create an app at https://developer.spotify.com/dashboard and set SPOTIPY_CLIENT_ID and "
    "SPOTIPY_CLIENT_SECRET in the environment or in .env."
)

_ITEM_TYPES: Final = ("track", "episode")
"""Without it, episodes would come in the shape of tracks."""
_UNAUTHORISED: Final = 401
_INVALID_LIMIT: Final = "invalid limit"
_STUMBLES: Final = (AttributeError, KeyError, TypeError, RecursionError)
"""What spotipy raises over an answer that is no object where it expects one."""


class SpotifyClient:
    """The Web API with client credentials. Use one per thread."""

    def __init__(self, settings: CollectorSettings, clock: Clock) -> None:
        """Make it; raise `BadCredentials` where there are none. Asks nothing yet."""
        client_id, secret = require_credentials(settings)
        logging.getLogger("spotipy").setLevel(logging.CRITICAL)  # errors are raised, tokens secret
        self._clock = clock
        self._tokens = MemoryCacheHandler()
        self._auth = SpotifyClientCredentials(
            client_id,
            secret,
            requests_session=client.make_session(settings.spotify_token_url),
            requests_timeout=settings.timeout,
            cache_handler=self._tokens,
        )
        self._auth.OAUTH_TOKEN_URL = settings.spotify_token_url
        self._api = Spotify(
            auth_manager=self._auth,
            requests_session=client.make_session(settings.spotify_api_url),
            requests_timeout=settings.timeout,
        )
        self._api.prefix = settings.spotify_api_url
        self._token_is_new = False

    def search(self, query: str, *, limit: int, offset: int) -> list[Any]:
        """Return the items of one page of tracks, as they are.

        Raises `InvalidLimit` where the credentials do not get `limit` items a page.
        """
        try:
            answer = self._call(
                lambda: self._api.search(query, limit=limit, offset=offset, type="track")
            )
        except BadRequest as error:
            if _INVALID_LIMIT in str(error).casefold():
                raise InvalidLimit(limit) from error
            raise
        return _list_in(answer.get("tracks"), "items")

    def tracks(self, ids: Sequence[str]) -> list[Any]:
        """Return tracks by their ids (at most 50), in the order asked, null where unknown.

        Raises `EndpointClosed` in development mode.
        """
        found = _list_in(self._get_several(TRACKS_ENDPOINT, ids), "tracks")
        if len(found) != len(ids):
            raise InvalidResponse("Spotify answered with fewer tracks than were asked for.")
        return found

    def track(self, track_id: str) -> Any:
        """Return one track, as it is; open to every credential.

        Raises `NotFound` where there is none of this id, `BadRequest` where it is no id.
        """
        return self._call(lambda: self._api.next({"next": f"{TRACKS_ENDPOINT}/{track_id}"}))

    def audio_features(self, ids: Sequence[str]) -> list[Any]:
        """Return audio features by track ids (at most 100), null where unknown.

        Raises `EndpointClosed` where the credentials may not ask for them.
        """
        return _list_in(self._get_several(AUDIO_FEATURES_ENDPOINT, ids), "audio_features")

    def audio_analysis(self, track_id: str) -> dict[str, Any]:
        """Return one track's audio analysis, as it is.

        Raises `EndpointClosed` where the credentials may not ask for it, `NotFound` where this
        track was never analysed.
        """
        try:
            return self._call(
                lambda: self._api.next({"next": f"{AUDIO_ANALYSIS_ENDPOINT}/{track_id}"})
            )
        except AccessDenied as error:
            raise EndpointClosed(AUDIO_ANALYSIS_ENDPOINT) from error

    def playlist(self, playlist_id: str) -> tuple[list[Any], int, str | None]:
        """Return a playlist's first items, how many come at most, and its version.

        Raises `AccessDenied` where it is shown without its items: it is not our own.
        """
        answer = self._call(lambda: self._api.playlist(playlist_id, additional_types=_ITEM_TYPES))
        page = answer.get("items", answer.get("tracks"))  # its name before 2026
        if page is None:
            raise AccessDenied("The playlist's items are not shown.")
        items, version = _list_in(page, "items"), answer.get("snapshot_id")
        limit = page.get("limit")
        return (
            items,
            limit if isinstance(limit, int) else len(items),
            version if isinstance(version, str) else None,
        )

    def playlist_items(self, playlist_id: str, *, limit: int, offset: int) -> list[Any]:
        """Return the items of one page of a playlist, as they are."""
        answer = self._call(
            lambda: self._api.playlist_items(
                playlist_id, limit=limit, offset=offset, additional_types=_ITEM_TYPES
            )
        )
        return _list_in(answer, "items")

    def fetch_token(self) -> None:
        """Fetch an access token unless there is a valid one; not counted by Spotify's limit."""
        before = self._tokens.get_cached_token()
        with self._translating():
            self._auth.get_access_token(as_dict=False)
        if self._tokens.get_cached_token() is not before:
            self._token_is_new = True

    def _get_several(self, endpoint: str, ids: Sequence[str]) -> dict[str, Any]:
        # `next` fetches any path; spotipy's own methods append a slash, and warn at every call
        path = f"{endpoint}?ids={','.join(ids)}"
        try:
            return self._call(lambda: self._api.next({"next": path}))
        except (AccessDenied, NotFound) as error:
            raise EndpointClosed(endpoint) from error

    def _call(self, call: Callable[[], Any]) -> dict[str, Any]:
        self.fetch_token()
        with self._translating():
            answer = call()
        self._token_is_new = False
        if not isinstance(answer, dict):
            raise InvalidResponse("Spotify answered with nothing, or cut its answer short.")
        return answer

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except (SpotifyException, SpotifyOauthError, *_STUMBLES) as error:
            raise self._translated(error) from error
        except requests.RequestException as error:
            raise client.to_collector_error(error, self._clock.now()) from error

    def _translated(self, error: Exception) -> CollectorError:
        response = _response_behind(error)
        if response is None:
            if isinstance(error, _STUMBLES):
                return InvalidResponse("Spotify's answer has another shape than it should.")
            return BadRequest(f"Spotify was not asked: {error}")
        if isinstance(error, SpotifyOauthError) or response.url == self._auth.OAUTH_TOKEN_URL:
            return self._refused_token(response)
        if response.status_code == _UNAUTHORISED:
            return self._refused_call(response)
        return client.error_for_response(response, self._clock.now())

    def _refused_token(self, response: requests.Response) -> CollectorError:
        refusal = client.error_for_response(response, self._clock.now())
        if isinstance(refusal, RateLimited | SourceUnavailable | NotFound):
            return refusal
        message, _ = client.error_details(response)
        return BadCredentials(
            f"Spotify does not take these credentials ({message}). {CREDENTIALS_HELP}"
        )

    def _refused_call(self, response: requests.Response) -> CollectorError:
        """Forget an expired token once; a fresh one refused means the credentials are bad."""
        if self._token_is_new:
            message, _ = client.error_details(response)
            return BadCredentials(
                f"Spotify refuses a token it has just given out ({message}). {CREDENTIALS_HELP}"
            )
        self._tokens.save_token_to_cache(None)
        return TokenExpired()


def has_credentials(settings: CollectorSettings) -> bool:
    """Say whether there are credentials at all."""
    secret = settings.spotify_client_secret
    return bool(settings.spotify_client_id and secret and secret.get_secret_value())


def require_credentials(settings: CollectorSettings) -> tuple[str, str]:
    """Return the client id and secret; raise `BadCredentials` where one is missing."""
    secret = settings.spotify_client_secret
    if not settings.spotify_client_id or not secret or not secret.get_secret_value():
        raise BadCredentials(f"There are no Spotify credentials. {CREDENTIALS_HELP}")
    found = settings.spotify_client_id, secret.get_secret_value()
    if not all(part.isascii() and part.isprintable() for part in found):
        raise BadCredentials(
            "The Spotify credentials hold characters that no credential has: copy them again. "
            + CREDENTIALS_HELP
        )
    return found


def spotify_account(settings: CollectorSettings) -> Account:
    """Return the account that requests to Spotify are counted under."""
    client_id, _ = require_credentials(settings)
    return Account(
        NAME, client.fingerprint(client_id, settings.spotify_api_url), settings.spotify_rate_limit
    )


def _response_behind(error: BaseException | None) -> requests.Response | None:
    """Return the response that spotipy's error came from: it raises while handling HTTPError."""
    while error is not None:
        if isinstance(error, requests.HTTPError):
            return error.response
        error = error.__cause__ or error.__context__
    return None


def _list_in(answer: Any, name: str) -> list[Any]:
    found = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise InvalidResponse(f"Spotify's answer has no list of {name!r}.")
    return found
