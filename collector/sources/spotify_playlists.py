"""Spotify's playlists as a source: the tracks of the playlists bound to a genre."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from collector.errors import AccessDenied, BadRequest, NotAccessible
from collector.records import Page, PageQuery
from collector.sources.spotify_client import SpotifyService
from collector.sources.spotify_search import parse_page
from genrebase.store import source_ids


class SpotifyPlaylists(SpotifyService):
    """Reads playlists by id."""

    name: Final = "spotify_playlists"
    origin: Final = source_ids.SPOTIFY
    subject_kind: Final = "playlist"
    page_limits: Final = (50,)
    max_results: Final = 100_000
    """Far more than the longest playlist has: none is cut short."""

    def query_for(self, playlist: str) -> str:
        """Return the query for a playlist: its id."""
        return playlist

    def fetch(self, query: PageQuery) -> Page:
        """Fetch one page; the first one has the playlist's version.

        Raises `NotAccessible` where the playlist was removed or these credentials may not read it.
        """
        version = None
        try:
            if query.offset == 0:
                response, limit, version = self._client.playlist(query.query)
            else:
                limit = query.limit
                response = self._client.playlist_items(
                    query.query, limit=limit, offset=query.offset
                )
        except (AccessDenied, BadRequest) as error:
            raise NotAccessible(
                f"The playlist {query.query} cannot be read: it was removed or is another user's; "
                "in development mode only the playlists of the app's owner can be read."
            ) from error
        last_year = self._clock.now().year + 1
        items = [item_of_entry(entry) for entry in response.items]
        return replace(parse_page(items, limit, last_year, version), total=response.total)


def item_of_entry(entry: Any) -> Any:
    """Return the item of a playlist entry: a track, an episode, a local file or None."""
    if not isinstance(entry, Mapping):
        return entry
    item = entry["item"] if "item" in entry else entry.get("track")  # its name before 2026
    if entry.get("is_local") is True and isinstance(item, dict):
        return {**item, "is_local": True}
    return item
