"""ReccoBeats: audio features by Spotify id, without a key."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import requests

from collector.errors import InvalidResponse
from collector.http import client
from collector.providers.values import parse_audio_features
from collector.records import Account, AudioFeatures
from collector.settings import CollectorSettings
from genrebase.runtime.clock import Clock


class ReccoBeats:
    """Asks `audio-features`, 40 ids a request; what it does not know it leaves out."""

    name: Final = "reccobeats"
    batch_size: Final = 40
    endpoint: Final = "reccobeats/audio-features"

    def __init__(
        self,
        session: requests.Session,
        address: str,
        account: Account,
        clock: Clock,
        timeout: float,
    ) -> None:
        """Ask at `address` (with a slash at its end), at the expense of `account`."""
        self.account = account
        self._session = session
        self._address = f"{address}audio-features"
        self._clock = clock
        self._timeout = timeout

    @classmethod
    def from_settings(cls, settings: CollectorSettings, clock: Clock) -> Self:
        """Make it."""
        address = settings.reccobeats_api_url
        account = Account(
            "reccobeats", client.fingerprint(address), settings.reccobeats_rate_limit
        )
        session = client.make_session(address)
        return cls(session, address, account, clock, settings.timeout)

    def fetch(self, ids: Sequence[str]) -> Mapping[str, AudioFeatures | None]:
        """Fetch the features of `ids`, joined by the id at the end of `href`, never by place."""
        answer = client.get_json(
            self._session,
            self._address,
            params={"ids": ",".join(ids)},
            timeout=self._timeout,
            now=self._clock.now(),
        )
        content = answer.get("content") if isinstance(answer, dict) else None
        if not isinstance(content, list):
            raise InvalidResponse("ReccoBeats' answer has no list of 'content'.")
        found: dict[str, AudioFeatures | None] = dict.fromkeys(ids)
        for features in content:
            source_id = _spotify_id(features)
            if source_id in found:
                found[source_id] = parse_audio_features(features)
        return found


def _spotify_id(features: Any) -> str:
    href = features.get("href") if isinstance(features, dict) else None
    return href.rstrip("/").rsplit("/", 1)[-1].split("?", 1)[0] if isinstance(href, str) else ""
