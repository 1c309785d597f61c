"""Spotify's own audio features, for credentials that still may ask for them."""

from collections.abc import Mapping, Sequence
from typing import Final, Self

from collector.providers.values import parse_audio_features
from collector.records import Account, AudioFeatures
from collector.settings import CollectorSettings
from collector.sources import spotify_client
from collector.sources.spotify_client import SpotifyClient
from genrebase.runtime.clock import Clock


class SpotifyAudioFeatures:
    """Asks `audio-features`, 100 ids a request."""

    name: Final = "spotify"
    batch_size: Final = 100
    endpoint: Final = spotify_client.AUDIO_FEATURES_ENDPOINT

    def __init__(self, client: SpotifyClient, account: Account) -> None:
        """Ask through `client`, at the expense of `account`."""
        self.account = account
        self._client = client

    @classmethod
    def from_settings(cls, settings: CollectorSettings, clock: Clock) -> Self:
        """Make it; raise `BadCredentials` where there are none."""
        return cls(SpotifyClient(settings, clock), spotify_client.spotify_account(settings))

    def fetch(self, ids: Sequence[str]) -> Mapping[str, AudioFeatures | None]:
        """Fetch the features of `ids`.

        An answer is joined by its own id where it carries one: an answer that is shorter than what
        was asked must not give a track another one's features.
        """
        known = dict.fromkeys(ids, None)
        found: dict[str, AudioFeatures | None] = {**known}
        for answered in self._client.audio_features(ids):
            source_id = answered.get("id") if isinstance(answered, dict) else None
            if isinstance(source_id, str) and source_id in known:
                found[source_id] = parse_audio_features(answered)
        return found
