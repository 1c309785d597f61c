"""What parsers of sources' items share: limits, reasons to reject an item, optional fields. Pure.

Where a required field is missing an item is rejected with a reason; an unreadable optional field
becomes None. Nothing here raises, for any value.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from collector.datasets.parsing import cells
from collector.records import ArtistCredit, DurationMs
from genrebase.store import names

MAX_NAME_LENGTH: Final = 2_000
"""Characters. Longer texts are no names, and normalising them would take minutes."""
MAX_ARTISTS: Final = 500
"""Maximum artists of one track: a longer list is invalid, and storing it would take minutes."""
MAX_INTEGER: Final = 2**31 - 1
GONE: Final = "no longer there"
"""Why an item or a file cannot be downloaded that its source listed before."""
_MAX_TEXT_LENGTH: Final = 32
"""Characters of a number, date or ISRC."""


class RejectReason(StrEnum):
    """Why an item is not used as a track."""

    NOTHING = "nothing there"
    DAMAGED = "a damaged record"
    OTHER_GENRE = "of another genre"
    NOT_STORED = "not stored before"
    NO_OBJECT = "not an object"
    NO_TRACK = "not a track"
    LOCAL = "a local file"
    VIDEO = "a video"
    NO_ID = "no id"
    NO_TITLE = "no title"
    NO_ARTIST = "no artist"
    TOO_MANY_ARTISTS = "too many artists"
    TOO_MANY_GENRES = "too many genres"
    NO_NAME = "no name"
    TOO_LONG = "name too long"
    NOT_REQUESTED = "more than were requested"


def parse_credits(
    artists: Any, parse_credit: Callable[[Any], ArtistCredit | RejectReason]
) -> tuple[ArtistCredit, ...] | RejectReason:
    """Return a list's credits, each once; without a readable first artist, the reason."""
    if not isinstance(artists, list) or not artists:
        return RejectReason.NO_ARTIST
    if len(artists) > MAX_ARTISTS:
        return RejectReason.TOO_MANY_ARTISTS
    credits_: list[ArtistCredit] = []
    for position, artist in enumerate(artists):
        credit = parse_credit(artist)
        if isinstance(credit, ArtistCredit):
            credits_.append(credit)
        elif position == 0:
            return credit
    return tuple(dict.fromkeys(credits_))


def parse_names(
    title: Any,
    artists: Any,
    parse_credit: Callable[[Any], ArtistCredit | RejectReason],
    clean: Callable[[str], str],
) -> tuple[str, tuple[ArtistCredit, ...]] | RejectReason:
    """Return the title and the credits of a track, or the reason to reject it."""
    reason = check_title(title)
    if reason is not None:
        return reason
    credited = parse_credits(artists, parse_credit)
    if isinstance(credited, RejectReason):
        return credited
    title = clean(title)
    return check_name(title, credited[0].name) or (title, credited)


def check_artist_name(name: Any) -> RejectReason | None:
    """Return why an artist's name cannot be used, None if it can."""
    if not isinstance(name, str):
        return RejectReason.NO_ARTIST
    if len(name) > MAX_NAME_LENGTH or len(names.normalise(name).encode()) > names.MAX_KEY_BYTES:
        return RejectReason.TOO_LONG
    return None


def check_title(title: Any) -> RejectReason | None:
    """Return why a title cannot be used, None if it can."""
    if not isinstance(title, str):
        return RejectReason.NO_TITLE
    return RejectReason.TOO_LONG if len(title) > MAX_NAME_LENGTH else None


def check_name(title: str, artist: str) -> RejectReason | None:
    """Return why a title and its primary artist do not name a track, None if they do."""
    if cells.is_missing(title) and cells.is_missing(artist):
        return RejectReason.NO_NAME
    if len(names.name_key(title, artist).encode()) > names.MAX_KEY_BYTES:
        return RejectReason.TOO_LONG
    return None


def get_object(value: Any) -> Mapping[str, Any]:
    """Return a JSON object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def get_objects(value: Any) -> Iterable[Mapping[str, Any]]:
    """Return the JSON objects of a list, nothing for anything else."""
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else ()


def get_name(value: Any) -> str | None:
    """Return a name such as an album's, None for an empty or unreadable one."""
    if not isinstance(value, str) or len(value) > MAX_NAME_LENGTH:
        return None
    return names.clean(value) or None


def get_text(value: Any) -> str:
    """Return a short text or a number as text, an empty text for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return ""  # Python refuses to write out very long numbers
    text = str(value)
    return text if len(text) <= _MAX_TEXT_LENGTH else ""


def get_integer(value: Any, low: int, high: int) -> int | None:
    """Return an integer of this range, rounded; None for anything else."""
    return cells.parse_integer(get_text(value), low, high)


def get_duration(value: Any) -> DurationMs | None:
    """Return a duration given in milliseconds, None for an impossible one."""
    duration = get_integer(value, 1, MAX_INTEGER)
    return None if duration is None else DurationMs(duration)


def get_flag(value: Any) -> bool | None:
    """Return a boolean, also one written as text; None for anything else."""
    return value if isinstance(value, bool) else cells.parse_bool(get_text(value))


def get_isrc(value: Any) -> str | None:
    """Return an ISRC in capitals without hyphens, None for anything else."""
    return cells.parse_isrc(get_text(value))
