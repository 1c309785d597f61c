"""MusicBrainz' web service, version 2: one request per call, translated errors.

Requests are identified by their User-Agent only. Requests beyond the rate limit, and those that a
busy server refuses, get 503, with different messages and without a Retry-After.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import requests

from collector.errors import AccessDenied, BadCredentials, CollectorError, NotFound, RateLimited
from collector.http.backoff import OVERLOADED, parse_retry_after
from collector.http.client import (
    ServiceClient,
    error_details,
    error_for_response,
    fingerprint,
)
from collector.rate_limits import Account
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


class MergedRecording(NotFound):
    """The recording was merged into another one."""

    def __init__(self, mbid: str) -> None:
        super().__init__(f"The recording was merged into {mbid}.")
        self.mbid = mbid
        """The MBID of the other one."""


class MusicBrainzClient(ServiceClient):
    """The web service."""

    def __init__(self, settings: CollectorSettings, clock: Clock) -> None:
        """Raise `BadCredentials` for the public service without a contact; make no request yet."""
        if settings.musicbrainz_base_url is None and settings.contact is None:
            raise BadCredentials(CONTACT_HELP)
        timeout = _SLOW * settings.timeout
        address = settings.musicbrainz_api_url
        super().__init__(address, clock, timeout, settings.user_agent, _error_for)

    def search(self, query: str, *, limit: int, offset: int) -> Any:
        """Return a page of the recordings of a query in Lucene's syntax, unparsed."""
        page = {"limit": str(limit), "offset": str(offset)}
        return self.get_json("recording", query=query, **page, fmt="json")

    def recording(self, mbid: str) -> Any:
        """Return a recording, unparsed.

        Raises `NotFound` for an unknown MBID, or `MergedRecording` where the service redirects to
        another one; it may also return the other one at once.
        """
        return self.get_json(f"recording/{mbid}", inc=_RECORDING, fmt="json")

    def genres(self) -> list[str]:
        """Return the names of all genres, in one request."""
        return self._get("genre/all", {"fmt": "txt"}, lambda one: one.text).splitlines()


def musicbrainz_account(settings: CollectorSettings) -> Account:
    """Return the account of the requests: their limit is that of an internet address."""
    credential = fingerprint(settings.musicbrainz_api_url)
    rate = settings.musicbrainz_rate
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
    if response.is_redirect:
        location = response.headers["Location"]
        mbid = source_ids.parse_recording_id(location) if "/recording/" in location else None
        if mbid is not None:
            return MergedRecording(mbid)
    return error_for_response(response, now)
