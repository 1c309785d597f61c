"""The JSON objects of the Web API and of ReccoBeats. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from sandbox import ids
from sandbox.catalogue import SandboxArtist, artist_id_of
from sandbox.playlists import NonTrackItem, PlaylistEntry, SandboxPlaylist
from sandbox.track_columns import SandboxTrack

MAX_RESULTS: Final = 1_000
"""A query answers no row at or beyond this offset."""
_OPEN: Final = "https://open.spotify.com"
_MARKETS: Final = ("DE", "FR", "GB", "JP", "US")
_PRECISIONS: Final = {4: "year", 7: "month", 10: "day"}

Json = dict[str, Any]
T = TypeVar("T")


def error_object(status: int, message: str | None = None, reason: str | None = None) -> Json:
    """Return the Web API's error object."""
    said = {"status": status, "message": message, "reason": reason}
    return {"error": {key: value for key, value in said.items() if value is not None}}


@dataclass(frozen=True, slots=True)
class PageSlice:
    """Which part of a list."""

    offset: int
    limit: int

    def apply(self, rows: Sequence[T]) -> Sequence[T]:
        """Return the rows of it."""
        return rows[self.offset : self.offset + self.limit]


@dataclass(frozen=True, slots=True)
class ObjectBuilder:
    """Objects as one server shows them."""

    api: str
    """The Web API's own address, without a slash at the end."""
    all_fields: bool
    """Whether the fields are there that development mode lost in 2026."""

    def track(self, track: SandboxTrack) -> Json:
        """Return a track object."""
        shape = {
            "album": self._album(track),
            "artists": [self._credit(name) for name in track.artists],
            "disc_number": 1,
            "duration_ms": track.duration_ms,
            "explicit": track.explicit,
            "external_ids": {"isrc": track.isrc} if track.isrc else {},
            **self._links("track", track.id),
            "is_local": False,
            "name": track.title,
            "preview_url": None,
            "track_number": 1,
        }
        if self.all_fields:
            shape["available_markets"] = _MARKETS
            shape["popularity"] = track.popularity
        return shape

    def artist(self, artist: SandboxArtist) -> Json:
        """Return a full artist object."""
        shape = {**self._credit(artist.name), "images": []}
        if self.all_fields:
            shape["followers"] = {"href": None, "total": artist.popularity**3}
            shape["genres"] = artist.genres
            shape["popularity"] = artist.popularity
        return shape

    def page(
        self, kind: str, items: Sequence[Json], total: int, asked: "SearchPageRequest"
    ) -> Json:
        """Return a page of a search; `next` stops where the reach ends."""
        # `query`, not `q`: so it stands in Spotify's own links.
        address = f"{self.api}/search?{urlencode({'query': asked.query, 'type': asked.types})}&"
        return {kind: _page(address, items, total, asked.part, MAX_RESULTS)}

    def playlist(self, playlist: SandboxPlaylist, page: Json | None) -> Json:
        """Return a playlist object; without a `page` of items where they are not shown."""
        shape = {
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
            shape["tracks" if self.all_fields else "items"] = page
        return shape

    def playlist_page(
        self,
        playlist: SandboxPlaylist,
        entries: Sequence[tuple[PlaylistEntry, SandboxTrack | None]],
        part: PageSlice,
    ) -> Json:
        """Return a page of a playlist: each entry with its track, where it is one."""
        items = [self._entry(playlist, entry, track) for entry, track in entries]
        address = f"{self.api}/playlists/{playlist.id}/items?"
        return _page(address, items, len(playlist.entries), part, None)

    def _entry(
        self, playlist: SandboxPlaylist, entry: PlaylistEntry, track: SandboxTrack | None
    ) -> Json:
        item = _odd(self.api, entry) if track is None else self.track(track)
        shape = {
            "added_at": "2024-01-01T00:00:00Z",
            "added_by": _links(self.api, "user", playlist.owner),
            "is_local": entry == NonTrackItem.LOCAL,
            "item": item,
        }
        if self.all_fields:
            shape["track"] = item  # its name before 2026
        return shape

    def features(self, track: SandboxTrack | None) -> Json | None:
        """Return an audio features object, None where nothing is known."""
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
        shape = {
            "album_type": "single" if is_single else "album",
            "artists": [self._credit(track.artists[0])],
            **self._links("album", track.album_id),
            "images": [],
            "name": track.album,
            "release_date": track.release_date,
            "release_date_precision": _PRECISIONS.get(len(track.release_date), "day"),
            "total_tracks": 1 if is_single else 10,
        }
        if self.all_fields:
            shape["available_markets"] = _MARKETS
        return shape

    def _credit(self, name: str) -> Json:
        return _credit(self.api, name)

    def _links(self, kind: str, id_: str) -> Json:
        return _links(self.api, kind, id_)


@dataclass(frozen=True, slots=True)
class SearchPageRequest:
    """Which page of which search."""

    query: str
    types: str
    """As they were written, between commas."""
    part: PageSlice


def reccobeats_features(track: SandboxTrack) -> Json:
    """Return ReccoBeats' features of a track: another id, no time signature, no duration."""
    known = {name: value for name, value in track.features.items() if name != "time_signature"}
    return {
        "id": ids.uuid_from_text(track.id),
        "href": f"{_OPEN}/track/{track.id}",
        "isrc": track.isrc,
        **known,
    }


def _page(
    address: str, items: Sequence[Json], total: int, part: PageSlice, reach: int | None
) -> Json:
    """Return a page; `next` stops where the reach ends, if there is one."""

    def at(offset: int) -> str:
        return f"{address}offset={offset}&limit={part.limit}"

    following = part.offset + part.limit
    has_next = following < total and (reach is None or following + part.limit <= reach)
    return {
        "href": at(part.offset),
        "items": items,
        "limit": part.limit,
        "next": at(following) if has_next else None,
        "offset": part.offset,
        "previous": at(max(0, part.offset - part.limit)) if part.offset else None,
        "total": total,
    }


def _odd(api: str, entry: PlaylistEntry) -> Json | None:
    """Return what stands in a playlist and is no track."""
    if entry == NonTrackItem.EPISODE:
        show = {
            **_spoken(api, "show"),
            "available_markets": _MARKETS,
            "copyrights": [],
            "media_type": "audio",
            "publisher": "Somebody",
            "total_episodes": 1,
        }
        return {
            **_spoken(api, "episode"),
            "audio_preview_url": None,
            "duration_ms": 1_800_000,
            "is_playable": True,
            "release_date": "2024-01-01",
            "release_date_precision": "day",
            "show": show,
        }
    if entry == NonTrackItem.LOCAL:
        credit = {"name": "Somebody", "id": None, "type": "artist", "uri": None}
        return {
            "album": {"name": "", "id": None, "album_type": None, "artists": []},
            "artists": [credit],
            "duration_ms": 180_000,
            "id": None,
            "is_local": True,
            "name": "A file",
            "type": "track",
            "uri": "spotify:local:Somebody::A+file:180",
        }
    return None


def _spoken(api: str, kind: str) -> Json:
    """Return what an episode and its show have in common."""
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
def _credit(api: str, name: str) -> Json:
    """Return a simplified artist object; nobody changes it, so tracks share it."""
    return {**_links(api, "artist", artist_id_of(name)), "name": name}


def _links(api: str, kind: str, id_: str) -> Json:
    return {
        "external_urls": {"spotify": f"{_OPEN}/{kind}/{id_}"},
        "href": f"{api}/{kind}s/{id_}",
        "id": id_,
        "type": kind,
        "uri": f"spotify:{kind}:{id_}",
    }
