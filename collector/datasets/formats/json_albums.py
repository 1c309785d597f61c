"""What the tracks inside a JSON object of an album or artist take from it. Pure."""

from collections.abc import Mapping
from typing import Any, Final

_TRACK_LISTS: Final = frozenset({"tracks", "items", "songs", "listens"})
"""Lists inside other objects that hold the tracks, although the outer ones look like some."""
_ALBUMS: Final = frozenset({"album", "release", "record"})
_ARTISTS: Final = frozenset({"artist", "band"})
_ARTIST_MEMBERS: Final = frozenset(
    {"artist", "artists", "artist_name", "album_artist", "artist-credit"}
)
_INHERITED: Final = _ARTIST_MEMBERS | {"genre", "genres", "year", "release_date", "album"}
_KINDS: Final = ("artist", "genre", "album")
"""A track that has a member of a kind inherits none of it."""


def is_track_list(path: str) -> bool:
    """Return whether a list is named as one of tracks."""
    return path.rsplit(".", 1)[-1] in _TRACK_LISTS


def inherit(
    path: str, record: Mapping[str, Any], inherited: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the members that tracks inside an object take from it and from those around it.

    Only an album or an artist has them: an object that is named so, or that has an artist. The
    name of a playlist is no album.
    """
    kind = path.rsplit(".", 1)[-1].casefold().removesuffix("s")
    has_artist = not _ARTIST_MEMBERS.isdisjoint(record)
    if kind not in _ALBUMS | _ARTISTS and not has_artist:
        return inherited
    members = {name: value for name, value in record.items() if name in _INHERITED and value}
    name = record.get("name") or record.get("title")
    if name:
        members.setdefault("artist" if kind in _ARTISTS else "album", name)
    return {**inherited, **members}


def complete(track: Mapping[str, Any], inherited: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a track with the inherited members that it lacks."""
    own = {kind for kind in _KINDS if any(kind in name.casefold() for name in track)}
    return {
        **track,
        **{
            name: value
            for name, value in inherited.items()
            if name not in track and not any(kind in name for kind in own)
        },
    }
