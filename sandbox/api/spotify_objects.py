"""JSON objects of the Web API's and ReccoBeats' responses. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar
from urllib.parse import urlencode

from sandbox import Json, ids
from sandbox.tracks.catalogue import SandboxArtist, id_of_artist
from sandbox.tracks.playlists import NonTrackItem, PlaylistEntry, SandboxPlaylist
from sandbox.tracks.track_columns import SandboxTrack

MAX_RESULTS: Final = 1_000
"""A query returns no row at or beyond this offset."""
_OPEN: Final = "https://open.spotify.com"
_MARKETS: Final = ("DE", "FR", "GB", "JP", "US")
_DATE_PRECISIONS: Final = {4: "year", 7: "month", 10: "day"}

T = TypeVar("T")


def error_object(status: int, message: str | None = None, reason: str | None = None) -> Json:
    """Return the Web API's error object."""
    fields = {"status": status, "message": message, "reason": reason}
    return {"error": {key: value for key, value in fields.items() if value is not None}}


@dataclass(frozen=True, slots=True)
class PageSlice:
    """Offset and limit of a page."""

    offset: int
    limit: int

    def apply(self, rows: Sequence[T]) -> Sequence[T]:
        return rows[self.offset : self.offset + self.limit]


@dataclass(frozen=True, slots=True)
class ObjectBuilder:
    """Builds the objects of one server."""

    api: str
    """Address of the Web API, without a slash at the end."""
    all_fields: bool
    """Whether to include the fields that development mode lost in 2026."""

    def track(self, track: SandboxTrack) -> Json:
        document = {
            "album": self._album(track),
            "artists": [_artist(self.api, name) for name in track.artists],
            "disc_number": 1,
            "duration_ms": track.duration_ms,
            "explicit": track.explicit,
            "external_ids": {"isrc": track.isrc} if track.isrc else {},
            **_links(self.api, "track", track.id),
            "is_local": False,
            "name": track.title,
            "preview_url": None,
            "track_number": 1,
        }
        if self.all_fields:
            document["available_markets"] = _MARKETS
            document["popularity"] = track.popularity
        return document

    def artist(self, artist: SandboxArtist) -> Json:
        """Return a full artist object."""
        document = {**_artist(self.api, artist.name), "images": []}
        if self.all_fields:
            document["followers"] = {"href": None, "total": artist.popularity**3}
            document["genres"] = artist.genres
            document["popularity"] = artist.popularity
        return document

    def search_page(
        self, items: Sequence[Json], total: int, page: PageSlice, query: str, types: str
    ) -> Json:
        """Return a page of a search; `query` and `types` as the request has them."""
        # `query`, not `q`, as in Spotify's own links.
        address = f"{self.api}/search?{urlencode({'query': query, 'type': types})}&"
        return _page(address, items, total, page, MAX_RESULTS)

    def playlist(self, playlist: SandboxPlaylist, page: Json | None) -> Json:
        """Return a playlist object; without `page` where its items may not be read."""
        document = {
            **_links(self.api, "playlist", playlist.id),
            "collaborative": False,
            "description": None,
            "images": [],
            "name": playlist.name,
            "owner": {
                **_links(self.api, "user", playlist.owner),
                "display_name": playlist.owner,
            },
            "public": True,
            "snapshot_id": playlist.snapshot_id,
        }
        if page is not None:
            document["tracks" if self.all_fields else "items"] = page
        return document

    def playlist_page(
        self,
        playlist: SandboxPlaylist,
        entries: Sequence[tuple[PlaylistEntry, SandboxTrack | None]],
        page: PageSlice,
    ) -> Json:
        """Return a page of a playlist from entries and their tracks, None for other items."""
        items = [self._entry(playlist, entry, track) for entry, track in entries]
        address = f"{self.api}/playlists/{playlist.id}/items?"
        return _page(address, items, len(playlist.entries), page, None)

    def _entry(
        self, playlist: SandboxPlaylist, entry: PlaylistEntry, track: SandboxTrack | None
    ) -> Json:
        item = _non_track(self.api, entry) if track is None else self.track(track)
        document = {
            "added_at": "2024-01-01T00:00:00Z",
            "added_by": _links(self.api, "user", playlist.owner),
            "is_local": entry == NonTrackItem.LOCAL,
            "item": item,
        }
        if self.all_fields:
            document["track"] = item  # its name before 2026
        return document

    def features(self, track: SandboxTrack | None) -> Json | None:
        """Return an audio features object, None where the track has no features."""
        if track is None or not track.features:
            return None
        return {
            **track.features,
            "analysis_url": f"{self.api}/audio-analysis/{track.id}",
            "duration_ms": track.duration_ms,
            "id": track.id,
            "track_href": f"{self.api}/tracks/{track.id}",
            "type": "audio_features",
            "uri": f"spotify:track:{track.id}",
        }

    def _album(self, track: SandboxTrack) -> Json:
        is_single = track.album.casefold() == track.title.casefold()
        document = {
            "album_type": "single" if is_single else "album",
            "artists": [_artist(self.api, track.artists[0])],
            **_links(self.api, "album", track.album_id),
            "images": [],
            "name": track.album,
            "release_date": track.release_date,
            "release_date_precision": _DATE_PRECISIONS.get(len(track.release_date), "day"),
            "total_tracks": 1 if is_single else 10,
        }
        if self.all_fields:
            document["available_markets"] = _MARKETS
        return document


def reccobeats_features(track: SandboxTrack) -> Json:
    """Return ReccoBeats' features of a track: another id, no time signature, no duration."""
    features = {name: value for name, value in track.features.items() if name != "time_signature"}
    return {
        "id": ids.uuid_from_text(track.id),
        "href": f"{_OPEN}/track/{track.id}",
        "isrc": track.isrc,
        **features,
    }


def _page(
    address: str, items: Sequence[Json], total: int, page: PageSlice, max_results: int | None
) -> Json:
    """Return a page object; `next` is null beyond `max_results`, if there is such a limit."""

    def link(offset: int) -> str:
        return f"{address}offset={offset}&limit={page.limit}"

    next_offset = page.offset + page.limit
    has_next = next_offset < total and (
        max_results is None or next_offset + page.limit <= max_results
    )
    return {
        "href": link(page.offset),
        "items": items,
        "limit": page.limit,
        "next": link(next_offset) if has_next else None,
        "offset": page.offset,
        "previous": link(max(0, page.offset - page.limit)) if page.offset else None,
        "total": total,
    }


def _non_track(api: str, entry: PlaylistEntry) -> Json | None:
    """Return a playlist item that is not a track."""
    if entry == NonTrackItem.EPISODE:
        show = {
            **_podcast_object(api, "show"),
            "available_markets": _MARKETS,
            "copyrights": [],
            "media_type": "audio",
            "publisher": "Somebody",
            "total_episodes": 1,
        }
        return {
            **_podcast_object(api, "episode"),
            "audio_preview_url": None,
            "duration_ms": 1_800_000,
            "is_playable": True,
            "release_date": "2024-01-01",
            "release_date_precision": "day",
            "show": show,
        }
    if entry == NonTrackItem.LOCAL:
        artist = {"name": "Somebody", "id": None, "type": "artist", "uri": None}
        return {
            "album": {"name": "", "id": None, "album_type": None, "artists": []},
            "artists": [artist],
            "duration_ms": 180_000,
            "id": None,
            "is_local": True,
            "name": "A file",
            "type": "track",
            "uri": "spotify:local:Somebody::A+file:180",
        }
    return None


def _podcast_object(api: str, kind: str) -> Json:
    """Return the fields that an episode and its show share."""
    return {
        **_links(api, kind, ids.id_from_text(kind)),
        "description": "",
        "explicit": False,
        "html_description": "",
        "images": [],
        "is_externally_hosted": False,
        "languages": ["en"],
        "name": f"One {kind}",
    }


@lru_cache(maxsize=65_536)
def _artist(api: str, name: str) -> Json:
    """Return a simplified artist object; it is never modified, so tracks share it."""
    return {**_links(api, "artist", id_of_artist(name)), "name": name}


def _links(api: str, kind: str, id_: str) -> Json:
    return {
        "external_urls": {"spotify": f"{_OPEN}/{kind}/{id_}"},
        "href": f"{api}/{kind}s/{id_}",
        "id": id_,
        "type": kind,
        "uri": f"spotify:{kind}:{id_}",
    }
