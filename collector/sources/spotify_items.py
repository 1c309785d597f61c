"""From what Spotify calls a track to ours: lenient where a field may be missing. Pure.

What is needed and missing sets the item aside with a reason; what is optional and unreadable
becomes None. Nothing here raises, whatever the item is.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from collector.datasets import cells
from collector.records import ArtistCredit, DurationMs, SourceTrack
from genrebase.store import names, source_ids

_LONGEST_NAME: Final = 2_000
"""Characters. Longer ones are no names, and normalising them would take minutes."""
_LONGEST_MS: Final = 2**31 - 1
_LONGEST_TEXT: Final = 32
"""Characters of a number, date or ISRC, at most."""


class RejectReason(StrEnum):
    """Why an item is no track."""

    NOTHING = "nothing there"
    NO_OBJECT = "not an object"
    NO_TRACK = "not a track"
    LOCAL = "a local file"
    NO_ID = "no id"
    NO_TITLE = "no title"
    NO_ARTIST = "no artist"
    NO_NAME = "no name"
    TOO_LONG = "name too long"


def parse_track(item: Any, last_year: int) -> SourceTrack | RejectReason:
    """Return the track that `item` is, or why it is none.

    A release year after `last_year` is a mistake, and not found.
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
    credits_ = _credits(item.get("artists"))
    if isinstance(credits_, RejectReason):
        return credits_
    if len(title) > _LONGEST_NAME:
        return RejectReason.TOO_LONG
    return _named(item, source_id, names.clean(title), credits_, last_year)


def _named(
    item: Mapping[str, Any],
    source_id: str,
    title: str,
    credits_: tuple[ArtistCredit, ...],
    last_year: int,
) -> SourceTrack | RejectReason:
    artist = credits_[0].name
    if cells.is_missing(title) and cells.is_missing(artist):
        return RejectReason.NO_NAME
    if len(names.name_key(title, artist).encode()) > names.MAX_KEY_BYTES:
        return RejectReason.TOO_LONG
    album = _object(item.get("album"))
    release_date, release_year = cells.parse_date(_text(album.get("release_date")), last_year)
    duration = _whole(item.get("duration_ms"), 1, _LONGEST_MS)
    return SourceTrack(
        source=source_ids.SPOTIFY,
        source_id=source_id,
        title=title,
        artists=credits_,
        album=_album(album.get("name")),
        release_date=release_date,
        release_year=release_year,
        duration_ms=None if duration is None else DurationMs(duration),
        explicit=_flag(item.get("explicit")),
        popularity=_whole(item.get("popularity"), 0, 100),
        isrc=cells.parse_isrc(_text(_object(item.get("external_ids")).get("isrc"))),
    )


def _credits(artists: Any) -> tuple[ArtistCredit, ...] | RejectReason:
    """Return the credits; without a readable first artist a track has no identity."""
    if not isinstance(artists, list) or not artists:
        return RejectReason.NO_ARTIST
    found: list[ArtistCredit] = []
    for position, artist in enumerate(artists):
        credit = _credit(artist)
        if isinstance(credit, ArtistCredit):
            found.append(credit)
        elif position == 0:
            return credit
    return tuple(dict.fromkeys(found))


def _credit(artist: Any) -> ArtistCredit | RejectReason:
    name, known_as = _object(artist).get("name"), _object(artist).get("id")
    if not isinstance(name, str):
        return RejectReason.NO_ARTIST
    if len(name) > _LONGEST_NAME or len(names.normalise(name).encode()) > names.MAX_KEY_BYTES:
        return RejectReason.TOO_LONG
    has_id = isinstance(known_as, str) and source_ids.is_spotify_id(known_as)
    return ArtistCredit(names.clean(name), known_as if has_id else None)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _album(value: Any) -> str | None:
    if not isinstance(value, str) or len(value) > _LONGEST_NAME:
        return None
    return names.clean(value) or None


def _text(value: Any) -> str:
    """Return a short text or a number as text, nothing for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, int) and abs(value) > _LONGEST_MS:
        return ""  # Python refuses to write out very long numbers
    text = str(value)
    return text if len(text) <= _LONGEST_TEXT else ""


def _whole(value: Any, low: int, high: int) -> int | None:
    return cells.parse_integer(_text(value), low, high)


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else cells.parse_bool(_text(value))
