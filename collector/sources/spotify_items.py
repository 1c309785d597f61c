"""Parse Spotify's track objects: lenient where an optional field is missing. Pure.

Where a required field is missing the item is rejected with a reason; an unreadable optional field
becomes None. Nothing here raises, for any item.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from collector.datasets.parsing import cells
from collector.records import ArtistCredit, DurationMs, SourceTrack
from genrebase.store import names, source_ids

_MAX_NAME_LENGTH: Final = 2_000
"""Characters. Longer texts are no names, and normalising them would take minutes."""
_MAX_ARTISTS: Final = 500
"""Maximum artists of one track: a longer list is invalid, and storing it would take minutes."""
_MAX_INTEGER: Final = 2**31 - 1
_MAX_TEXT_LENGTH: Final = 32
"""Characters of a number, date or ISRC."""


class RejectReason(StrEnum):
    """Why an item is not used as a track."""

    NOTHING = "nothing there"
    NO_OBJECT = "not an object"
    NO_TRACK = "not a track"
    LOCAL = "a local file"
    NO_ID = "no id"
    NO_TITLE = "no title"
    NO_ARTIST = "no artist"
    TOO_MANY_ARTISTS = "too many artists"
    NO_NAME = "no name"
    TOO_LONG = "name too long"
    NOT_REQUESTED = "more than were requested"


def parse_track(item: Any, last_year: int) -> SourceTrack | RejectReason:
    """Return an item as a track, or the reason to reject it.

    A release year after `last_year` is a mistake and ignored.
    """
    if not isinstance(item, dict):
        return RejectReason.NOTHING if item is None else RejectReason.NO_OBJECT
    if item.get("type", "track") != "track":
        return RejectReason.NO_TRACK
    if item.get("is_local") is True:
        return RejectReason.LOCAL
    source_id = item.get("id")
    if not isinstance(source_id, str) or not source_ids.is_spotify_id(source_id):
        return RejectReason.NO_ID
    title = item.get("name")
    if not isinstance(title, str):
        return RejectReason.NO_TITLE
    artists = _credits(item.get("artists"))
    if isinstance(artists, RejectReason):
        return artists
    if len(title) > _MAX_NAME_LENGTH:
        return RejectReason.TOO_LONG
    return _to_track(item, source_id, names.clean(title), artists, last_year)


def _to_track(
    item: Mapping[str, Any],
    source_id: str,
    title: str,
    artists: tuple[ArtistCredit, ...],
    last_year: int,
) -> SourceTrack | RejectReason:
    artist = artists[0].name
    if cells.is_missing(title) and cells.is_missing(artist):
        return RejectReason.NO_NAME
    if len(names.name_key(title, artist).encode()) > names.MAX_KEY_BYTES:
        return RejectReason.TOO_LONG
    album = _object(item.get("album"))
    release_date, release_year = cells.parse_date(_text(album.get("release_date")), last_year)
    duration = _whole(item.get("duration_ms"), 1, _MAX_INTEGER)
    return SourceTrack(
        source=source_ids.SPOTIFY,
        source_id=source_id,
        title=title,
        artists=artists,
        album=_album(album.get("name")),
        release_date=release_date,
        release_year=release_year,
        duration_ms=None if duration is None else DurationMs(duration),
        explicit=_flag(item.get("explicit")),
        popularity=_whole(item.get("popularity"), 0, 100),
        isrc=cells.parse_isrc(_text(_object(item.get("external_ids")).get("isrc"))),
    )


def _credits(artists: Any) -> tuple[ArtistCredit, ...] | RejectReason:
    """Return the credits; a track without a readable first artist is rejected."""
    if not isinstance(artists, list) or not artists:
        return RejectReason.NO_ARTIST
    if len(artists) > _MAX_ARTISTS:
        return RejectReason.TOO_MANY_ARTISTS
    credits_: list[ArtistCredit] = []
    for position, artist in enumerate(artists):
        credit = _credit(artist)
        if isinstance(credit, ArtistCredit):
            credits_.append(credit)
        elif position == 0:
            return credit
    return tuple(dict.fromkeys(credits_))


def _credit(artist: Any) -> ArtistCredit | RejectReason:
    name, artist_id = _object(artist).get("name"), _object(artist).get("id")
    if not isinstance(name, str):
        return RejectReason.NO_ARTIST
    if len(name) > _MAX_NAME_LENGTH or len(names.normalise(name).encode()) > names.MAX_KEY_BYTES:
        return RejectReason.TOO_LONG
    has_id = isinstance(artist_id, str) and source_ids.is_spotify_id(artist_id)
    return ArtistCredit(names.clean(name), artist_id if has_id else None)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _album(value: Any) -> str | None:
    if not isinstance(value, str) or len(value) > _MAX_NAME_LENGTH:
        return None
    return names.clean(value) or None


def _text(value: Any) -> str:
    """Return a short text or a number as text, an empty text for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, int) and abs(value) > _MAX_INTEGER:
        return ""  # Python refuses to write out very long numbers
    text = str(value)
    return text if len(text) <= _MAX_TEXT_LENGTH else ""


def _whole(value: Any, low: int, high: int) -> int | None:
    return cells.parse_integer(_text(value), low, high)


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else cells.parse_bool(_text(value))
