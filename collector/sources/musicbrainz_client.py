"""MusicBrainz' web service, version 2: one request per call, translated errors.

Requests are identified by their User-Agent only. Requests beyond the rate limit, and those that a
busy server refuses, get 503, with different messages and without a Retry-After.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Self

import requests

from collector.credential_limits import Account
from collector.errors import AccessDenied, BadCredentials, CollectorError, NotFound, RateLimited
from collector.http.backoff import OVERLOADED, parse_retry_after
from collector.http.client import (
    error_details,
    error_for_response,
    fingerprint,
    get,
    get_json,
    to_collector_error,
)
from collector.http.session import make_session
from collector.settings import CollectorSettings
from genrebase.runtime.clock import Clock
from genrebase.store import source_ids

NAME: Final = source_ids.MUSICBRAINZ

CONTACT_HELP: Final = (
    "MusicBrainz asks every program for a contact and refuses requests without one: set "
    "COLLECTOR_CONTACT to your e-mail address or web page."
)


_RECORDING: Final = "artist-credits isrcs tags genres releases"
"""What a recording's lookup includes."""
_SLOW: Final = 3
"""A response takes up to 30 seconds at times: its timeout is a multiple of the setting."""
_FIRST_WAIT_SECONDS: Final = 5.0
"""The service serves again as soon as the rate has fallen; a busy one needs longer."""
_PAUSE_SECONDS: Final = 1.0
"""From a response to the next request: so no second has two requests, however late one arrives."""
_RATE_EXCEEDED: Final = "rate limit"
_REDIRECTS: Final = (301, 302, 303, 307, 308)


class MergedRecording(NotFound):
    """The recording was merged into another one."""

    def __init__(self, mbid: str) -> None:
        super().__init__(f"The recording was merged into {mbid}.")
        self.mbid = mbid
        """The MBID of the other one."""


class MusicBrainzClient:
    """The web service. Use one per thread."""

    def __init__(self, address: str, user_agent: str, clock: Clock, timeout: float) -> None:
        """Send requests to `address` (with a slash at its end); makes no request yet."""
        self._address = address
        self._clock = clock
        self._timeout = _SLOW * timeout
        self._session = make_session(address, user_agent)

    @classmethod
    def from_settings(cls, settings: CollectorSettings, clock: Clock) -> Self:
        """Return the client; raise `BadCredentials` for the public service without a contact."""
        if settings.musicbrainz_base_url is None and settings.contact is None:
            raise BadCredentials(CONTACT_HELP)
        return cls(settings.musicbrainz_api_url, settings.user_agent, clock, settings.timeout)

    def search(self, query: str, *, limit: int, offset: int) -> Any:
        """Return a page of the recordings of a query in Lucene's syntax, unparsed."""
        return self._get_json("recording", query=query, limit=str(limit), offset=str(offset))

    def recording(self, mbid: str) -> Any:
        """Return a recording, unparsed.

        Raises `NotFound` for an unknown MBID, or `MergedRecording` where the service redirects to
        another one; it may also return the other one at once.
        """
        return self._get_json(f"recording/{mbid}", inc=_RECORDING)

    def genres(self) -> list[str]:
        """Return the names of all genres, in one request."""
        try:
            response = get(
                self._session,
                f"{self._address}genre/all",
                params={"fmt": "txt"},
                timeout=self._timeout,
            )
        except requests.RequestException as error:
            raise to_collector_error(error, self._clock.now(), _error_for) from error
        return response.text.splitlines()

    def _get_json(self, path: str, **params: Any) -> Any:
        return get_json(
            self._session,
            f"{self._address}{path}",
            params={**params, "fmt": "json"},
            timeout=self._timeout,
            now=self._clock.now(),
            error_for=_error_for,
        )


def musicbrainz_account(settings: CollectorSettings) -> Account:
    """Return the account of the requests: their limit is that of an internet address."""
    credential = fingerprint(settings.musicbrainz_api_url)
    rate = settings.musicbrainz_rate_limit
    return Account(
        NAME, credential, rate, _FIRST_WAIT_SECONDS, pause=min(rate.interval, _PAUSE_SECONDS)
    )


def _error_for(response: requests.Response, now: datetime) -> CollectorError:
    status = response.status_code
    message, _ = error_details(response)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        seconds = parse_retry_after(response.headers.get("Retry-After"), now)
        exceeded = _RATE_EXCEEDED in message.casefold()
        return RateLimited(seconds, None if exceeded else OVERLOADED)
    if status == HTTPStatus.FORBIDDEN:
        return AccessDenied(f"MusicBrainz refuses the request: {message}. {CONTACT_HELP}")
    if status in _REDIRECTS:
        location = response.headers.get("Location", "")
        mbid = source_ids.parse_recording_id(location) if "/recording/" in location else None
        if mbid is not None:
            return MergedRecording(mbid)
    return error_for_response(response, now)
