"""AcousticBrainz' API: numbers of recordings by MusicBrainz id, without a key.

The service collects nothing since 2022 and was announced to end: it may be gone, or fail, on any
day. Its high-level data (guesses of genre and mood) are never requested.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import requests

from collector.acousticbrainz_submissions import Submission
from collector.datasets.acousticbrainz import API_FEATURES, parse_document
from collector.errors import CollectorError, InvalidResponse, RateLimited
from collector.http.backoff import parse_retry_after
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
from genrebase.store.tables import ACOUSTICBRAINZ_PROVIDER

MAX_SUBMISSIONS: Final = 25
"""Submissions of one request, of all its recordings together."""

_WAIT_HEADERS: Final = ("Retry-After", "X-RateLimit-Reset-In")
"""Where a 429 has the number of seconds to wait; the first is not promised."""


class AcousticBrainz:
    """Provides AcousticBrainz' numbers, 25 submissions per request; unknown ids are left out."""

    name: Final = ACOUSTICBRAINZ_PROVIDER
    licence: Final = "cc0"
    ids_of: Final = source_ids.MUSICBRAINZ
    endpoint: Final = "acousticbrainz/low-level"
    may_have_ended: Final = True

    def __init__(self, settings: CollectorSettings, clock: Clock) -> None:
        """Request the first submissions of each recording, as many as the settings say."""
        address = settings.acousticbrainz_api_url
        self.account = Account(self.name, fingerprint(address), settings.acousticbrainz_rate)
        self.batch_size = MAX_SUBMISSIONS // settings.acousticbrainz_submissions
        self._offsets = range(settings.acousticbrainz_submissions)
        self._client = ServiceClient(
            address, clock, settings.timeout, settings.user_agent, _error_for
        )

    def fetch(self, ids: Sequence[str]) -> Mapping[str, tuple[Submission, ...] | None]:
        """Fetch the submissions of recordings by their MBIDs, in small letters.

        Ids that are no MBIDs are not sent: one of them would make the service refuse all.
        """
        found: dict[str, tuple[Submission, ...] | None] = dict.fromkeys(ids)
        mbids = [one for one in found if source_ids.parse_mbid(one) == one]
        if not mbids:
            return found
        listed = ";".join(f"{mbid}:{offset}" for mbid in mbids for offset in self._offsets)
        response = self._client.get_json(
            "low-level", recording_ids=listed, features=";".join(API_FEATURES)
        )
        if not isinstance(response, dict):
            raise InvalidResponse("AcousticBrainz' response is no object.")
        for mbid in mbids:
            found[mbid] = _submissions(response.get(mbid)) or None
        return found


def _submissions(documents: Any) -> tuple[Submission, ...]:
    """Return the submissions of a recording that have any number."""
    if not isinstance(documents, dict):
        return ()
    parsed = (parse_document(document) for document in documents.values())
    return tuple(one for one in parsed if one != Submission())


def _error_for(response: requests.Response, now: datetime) -> CollectorError:
    if response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
        return error_for_response(response, now)
    waits = (parse_retry_after(response.headers.get(name), now) for name in _WAIT_HEADERS)
    _, reason = error_details(response)
    return RateLimited(next((wait for wait in waits if wait is not None), None), reason)
