"""Spotify's audio features, for credentials that still have access to them."""

from collections.abc import Mapping, Sequence
from typing import Final

from collector.providers.feature_values import parse_audio_features
from collector.records import AudioFeatures
from collector.sources import spotify_client
from collector.sources.spotify_client import SpotifyService


class SpotifyAudioFeatures(SpotifyService):
    """Provides audio features, 100 ids per request."""

    name: Final = spotify_client.NAME
    batch_size: Final = 100
    endpoint: Final = spotify_client.AUDIO_FEATURES_ENDPOINT
    may_have_ended: Final = False

    def fetch(self, ids: Sequence[str]) -> Mapping[str, AudioFeatures | None]:
        """Fetch the features of `ids`.

        Features are joined by their own id, never by position: a response that is shorter than
        `ids` must not give a track another one's features.
        """
        features: dict[str, AudioFeatures | None] = dict.fromkeys(ids)
        for document in self._client.audio_features(ids):
            source_id = document.get("id") if isinstance(document, dict) else None
            if isinstance(source_id, str) and source_id in features:
                features[source_id] = parse_audio_features(document)
        return features
