"""ReccoBeats: audio features by Spotify id, without a key."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from collector.http.client import ServiceClient, fingerprint, list_in
from collector.providers.feature_values import parse_audio_features
from collector.rate_limits import Account
from collector.records import AudioFeatures
from collector.settings import CollectorSettings
from genrebase.runtime.clock import Clock
from genrebase.store import source_ids


class ReccoBeats:
    """Provides audio features, 40 ids per request; its responses leave out unknown ids."""

    name: Final = "reccobeats"
    licence: Final = "unknown"
    ids_of: Final = source_ids.SPOTIFY
    batch_size: Final = 40
    endpoint: Final = "reccobeats/audio-features"
    may_have_ended: Final = False

    def __init__(self, settings: CollectorSettings, clock: Clock) -> None:
        """Send requests to the address in the settings."""
        address = settings.reccobeats_api_url
        self.account = Account(self.name, fingerprint(address), settings.reccobeats_rate)
        self._client = ServiceClient(address, clock, settings.timeout)

    def fetch(self, ids: Sequence[str]) -> Mapping[str, AudioFeatures | None]:
        """Fetch the features of `ids`, joined by the id that ends `href`, never by position."""
        response = self._client.get_json("audio-features", ids=",".join(ids))
        features: dict[str, AudioFeatures | None] = dict.fromkeys(ids)
        for document in list_in(response, "content", "ReccoBeats'"):
            source_id = _spotify_id(document)
            if source_id in features:
                features[source_id] = parse_audio_features(document)
        return features


def _spotify_id(document: Any) -> str:
    href = document.get("href") if isinstance(document, dict) else None
    return href.rstrip("/").rsplit("/", 1)[-1].split("?", 1)[0] if isinstance(href, str) else ""
