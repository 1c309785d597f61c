"""Spotify's playlists as a source: the tracks of the playlists bound to a genre."""

from collections.abc import Mapping
from typing import Any, Final, Self

from collector.errors import AccessDenied, BadRequest, NotAccessible
from collector.records import Account, Page, PageQuery
from collector.settings import CollectorSettings
from collector.sources import spotify_client
from collector.sources.spotify_client import SpotifyClient
from collector.sources.spotify_search import parse_page
from genrebase.runtime.clock import Clock
from genrebase.store import source_ids


class SpotifyPlaylists:
    """Reads playlists, through one client; what is asked for is a playlist's id."""

    name: Final = "spotify_playlists"
    origin: Final = source_ids.SPOTIFY
    subject_kind: Final = "playlist"
    page_limits: Final = (50,)
    max_results: Final = 100_000
    """Far beyond the longest playlist: none is cut short."""

    def __init__(self, client: SpotifyClient, account: Account, clock: Clock) -> None:
        """Read through `client`, at the expense of `account`."""
        self.account = account
        self._client = client
        self._clock = clock

    @classmethod
    def from_settings(cls, settings: CollectorSettings, clock: Clock) -> Self:
        """Make it; raise `BadCredentials` where there are none."""
        return cls(SpotifyClient(settings, clock), spotify_client.spotify_account(settings), clock)

    def query_for(self, playlist: str) -> str:
        """Return what is asked for the playlist of that id."""
        return playlist

    def fetch(self, query: PageQuery) -> Page:
        """Fetch one page; the first one tells the playlist's version.

        Raises `NotAccessible` where the playlist is gone or not shown to these credentials.
        """
        last_year = self._clock.now().year + 1
        version = None
        try:
            if query.offset == 0:
                items, limit, version = self._client.playlist(query.query)
            else:
                limit = query.limit
                items = self._client.playlist_items(query.query, limit=limit, offset=query.offset)
        except (AccessDenied, BadRequest) as error:
            raise NotAccessible(
                f"The playlist {query.query} cannot be read: it is gone or somebody else's; "
                "in development mode Spotify shows one's own only."
            ) from error
        return parse_page([item_of_entry(entry) for entry in items], limit, last_year, version)


def item_of_entry(entry: Any) -> Any:
    """Return what an entry of a playlist holds: a track, an episode, a local file or nothing."""
    if not isinstance(entry, Mapping):
        return entry
    held = entry["item"] if "item" in entry else entry.get("track")  # its name before 2026
    if entry.get("is_local") is True and isinstance(held, dict):
        return {**held, "is_local": True}
    return held
