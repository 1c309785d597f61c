"""Let tracks inside a JSON object of an album or artist inherit its members. Pure."""

from collections.abc import Mapping
from typing import Any, Final

_TRACK_LISTS: Final = frozenset({"tracks", "items", "songs", "listens"})
"""Names of inner lists that hold the tracks, although the outer objects resemble tracks."""
_ALBUMS: Final = frozenset({"album", "release", "record"})
_ARTISTS: Final = frozenset({"artist", "band"})
_ARTIST_MEMBERS: Final = frozenset(
    {"artist", "artists", "artist_name", "album_artist", "artist-credit"}
)
_INHERITED: Final = _ARTIST_MEMBERS | {"genre", "genres", "year", "release_date", "album"}
_KINDS: Final = ("artist", "genre", "album")
"""A track with a member of one of these kinds does not inherit that kind."""


def is_track_list(path: str) -> bool:
    """Return whether the name of a list is that of tracks."""
    return path.rsplit(".", 1)[-1] in _TRACK_LISTS


def inherit(
    path: str, record: Mapping[str, Any], inherited: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the members that tracks inherit from the object around them and its outer objects.

    Only albums and artists pass on members: objects with such a name, or with an artist. The name
    of a playlist is not an album.
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
