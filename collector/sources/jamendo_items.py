"""Parse Jamendo's responses: tracks with their licence, genres and download address. Pure.

Every response has status 200; an error is a code in its headers.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from collector.datasets.parsing import cells, genre_names
from collector.errors import (
    AccessDenied,
    BadCredentials,
    BadRequest,
    CollectorError,
    InvalidResponse,
    RateLimited,
    SourceUnavailable,
)
from collector.records import ArtistCredit, DurationMs, GenreVote, Level, ListedItem, SourceTrack
from collector.sources import item_fields as fields
from collector.sources.item_fields import RejectReason
from genrebase import licences
from genrebase.store import names, source_ids

CLIENT_ID_HELP: Final = (
    "set COLLECTOR_JAMENDO_CLIENT_ID to your client id, free at https://devportal.jamendo.com."
)
_EXCEPTION, _INVALID_CLIENT, _RATE_LIMIT, _SUSPENDED = 1, 5, 6, 11
"""Error codes that are not about the request's own form."""
_MAX_TAGS: Final = 200
_MAX_ADDRESS: Final = 2_000
_MAX_SECONDS: Final = 2_000_000


_AND: Final = re.compile(r"\s*(?:&|\+|\band\b|['’]?\bn\b['’]?)\s*")
_NOT_IN_TAGS: Final = re.compile(r"[\W_]+")


class JamendoTrack(NamedTuple):
    """A track, its genres, and where its file is."""

    track: SourceTrack
    genres: tuple[GenreVote, ...]
    item: ListedItem
    """The track as an item with one file."""
    download: str | None
    """The address of its file; None where it may not be downloaded."""


def tag_of(genre: str) -> str:
    """Return a genre in the spelling of Jamendo's tags: in one word, `hiphop`, `drumnbass`."""
    return _NOT_IN_TAGS.sub("", _AND.sub("n", names.normalise(genre)))


def results_of(document: Any) -> tuple[list[Any], int | None]:
    """Return the unparsed results of a response, and how many there are in all, if it says so.

    Raises the error that its code stands for, and `InvalidResponse` for anything else.
    """
    headers = fields.get_object(fields.get_object(document).get("headers"))
    code = fields.get_integer(headers.get("code"), 0, fields.MAX_INTEGER)
    results = fields.get_object(document).get("results")
    if code is None or not isinstance(results, list):
        raise InvalidResponse("Jamendo's response has no code, or no list of 'results'.")
    if code:
        raise _error(code, fields.get_name(headers.get("error_message")) or "it did not say why")
    return results, fields.get_integer(headers.get("results_fullcount"), 0, fields.MAX_INTEGER)


def _error(code: int, message: str) -> CollectorError:
    text = " ".join(message.split())[:200]
    if code == _RATE_LIMIT:
        return RateLimited()
    if code == _INVALID_CLIENT:
        return BadCredentials(f"Jamendo does not accept the client id: {CLIENT_ID_HELP}")
    if code == _SUSPENDED:
        return AccessDenied(
            "Jamendo has suspended the application of this client id: ask Jamendo, or "
            f"{CLIENT_ID_HELP}"
        )
    if code == _EXCEPTION:
        return SourceUnavailable(f"Jamendo failed: {text}")
    return BadRequest(f"Jamendo does not understand the request (code {code}): {text}")


def parse_track(document: Any, last_year: int) -> JamendoTrack | RejectReason:
    """Return a track, or the reason to reject it; a year after `last_year` is ignored."""
    if not isinstance(document, dict):
        return RejectReason.NOTHING if document is None else RejectReason.NO_OBJECT
    track_id = _id(document.get("id"))
    if track_id is None:
        return RejectReason.NO_ID
    title: Any = document.get("name")
    artist: Any = document.get("artist_name")
    reason = fields.check_title(title) or fields.check_artist_name(artist)
    if reason is not None:
        return reason
    title, artist = _line(title), _line(artist)
    reason = fields.check_name(title, artist)
    if reason is not None:
        return reason
    tags = fields.get_object(fields.get_object(document.get("musicinfo")).get("tags"))
    genres = _genres(tags.get("genres"))
    album = fields.get_name(document.get("album_name"))
    seconds = fields.get_integer(document.get("duration"), 1, _MAX_SECONDS)
    released, year = cells.parse_date(fields.get_text(document.get("releasedate")), last_year)
    licence = licences.parse_licence(_text(document.get("license_ccurl")))
    track = SourceTrack(
        source=source_ids.JAMENDO,
        source_id=track_id,
        title=title,
        artists=(ArtistCredit(artist, _id(document.get("artist_id"))),),
        album=None if album is None else _line(album),
        release_date=released,
        release_year=year,
        duration_ms=None if seconds is None else DurationMs(seconds * 1000),
        licence=licence,
    )
    subjects = tuple(genre.name for genre in genres)
    item = ListedItem(track_id, track.album, artist, released, subjects, licence)
    return JamendoTrack(track, genres, item, _download(document))


def _download(document: Mapping[str, Any]) -> str | None:
    address = _text(document.get("audiodownload"))
    return address if fields.get_flag(document.get("audiodownload_allowed")) and address else None


def _genres(listed: Any) -> tuple[GenreVote, ...]:
    """Return the tags that are genres, one vote each: the artist's own words."""
    tags = listed[:_MAX_TAGS] if isinstance(listed, list) else []
    known = (genre_names.clean_name(tag.casefold()) for tag in tags if isinstance(tag, str))
    return tuple(GenreVote(name, 1, Level.RECORDING) for name in dict.fromkeys(known) if name)


def _id(value: Any) -> str | None:
    """Return an id, a number that is written as text."""
    text = fields.get_text(value)
    return text if text.isascii() and text.isdigit() else None


def _line(text: str) -> str:
    """Return a name on one line, with single blanks."""
    return " ".join(names.clean(text).split())


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _MAX_ADDRESS else ""
