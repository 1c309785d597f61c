"""Parse Discogs' monthly dump of releases: the tracks of each release, with its genres and styles.

The dump is XML without a declaration. Every record begins at the start of a line (`<release `), so
the records are parsed one by one: a damaged record does not end the dump.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Final
from xml.etree import ElementTree as ET

from collector.datasets.parsing import cells
from collector.records import ArtistCredit, DurationMs, GenreVote, Level, SourceTrack
from collector.sources import item_fields
from collector.sources.item_fields import RejectReason
from genrebase.store import names

SOURCE: Final = "discogs"
LICENCE: Final = "cc0"

_ROOT: Final = b"<releases"
_RECORD: Final = b"<release "
_END: Final = b"</releases>"
_SANDBOX: Final = re.compile(rb'<releases sandbox="([0-9a-f]{1,64})"')
_MAX_RECORD: Final = 1 << 26
"""Bytes of one record; the longest releases have some hundred kilobytes."""
_MAX_PIECE: Final = 1 << 20
"""Bytes of a line that are read at once: a damaged dump may have no second line."""
_MAX_TRACKS: Final = 10_000
"""Tracks of one release."""
_NUMBER: Final = re.compile(r" \(\d+\)$")
"""Follows the name of an artist that another one has, too."""
_TRAILING_ARTICLE: Final = re.compile(r"(.+), (The|A|An|Die|Der|Das|Les|Le|La|Los|Las|El)$")
"""Old records sort a name by its second word: `Persuader, The`."""
_VARIOUS: Final = "194"
"""The id of the artist of releases by various artists."""
_DURATION: Final = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)")


def is_releases(head: bytes) -> bool:
    """Return whether a file that begins so is the dump of releases."""
    return head.lstrip().startswith(_ROOT) and _RECORD in head


def sandbox_checksum(head: bytes) -> str | None:
    """Return the checksum of the catalogue of a sandbox's dump; None: a dump of Discogs."""
    match = _SANDBOX.match(head.lstrip())
    return match[1].decode() if match else None


def read_records(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the records of a dump, each as one `<release>` element.

    A record that is longer than 64 MiB is cut, and does not parse. Lines of any length are read.
    """
    lines: list[bytes] = []
    size = 0
    is_first = True
    """Whether this piece is the first one of its line."""
    while content := file.readline(_MAX_PIECE):
        begins_line, is_first = is_first, content.endswith(b"\n")
        if begins_line and content.lstrip().startswith(_ROOT):
            content = content.partition(b">")[2].lstrip()
        if begins_line and content.startswith(_RECORD):
            if lines:
                yield b"".join(lines)
            lines, size = [], 0
        elif not lines:
            continue
        size += len(content)
        if size <= _MAX_RECORD:
            lines.append(content)
    if lines:
        yield b"".join(lines).rstrip().removesuffix(_END)


@dataclass(frozen=True, slots=True)
class Release:
    """A release: its genres, and its tracks."""

    votes: Sequence[tuple[GenreVote, int]]
    """Its styles, then its genres, each once and in the order of the record: the place is the
    rank."""
    tracks: Sequence[SourceTrack | RejectReason]


def parse_record(record: bytes, last_year: int) -> Release | RejectReason:
    """Return a release, or why the record is not one.

    An entry of its list of tracks without position and duration is a heading, not a track.
    """
    try:
        release = ET.fromstring(record)  # noqa: S314 - a record has no document type, so no entity
    except (ET.ParseError, ValueError):
        return RejectReason.DAMAGED
    release_id = release.get("id") or ""
    if not release_id.isdigit():
        return RejectReason.NO_ID
    return Release(_votes(release), _parse_tracks(release, release_id, last_year))


def _parse_tracks(
    release: ET.Element, release_id: str, last_year: int
) -> list[SourceTrack | RejectReason]:
    album = item_fields.get_name(_text(release, "title"))
    released, year = cells.parse_date(release.findtext("released") or "", last_year)
    own_credits = _credits(release.find("artists"))
    tracks: list[SourceTrack | RejectReason] = []
    seen: set[str] = set()
    for number, element in enumerate(_tracks(release), 1):
        if number > _MAX_TRACKS:
            tracks.append(RejectReason.NOT_REQUESTED)
            break
        position = _text(element, "position")
        duration = _duration(_text(element, "duration"))
        if not position and duration is None:
            continue
        if not position or position in seen:
            position = f"@{number}"
        seen.add(position)
        title = _text(element, "title")
        artists = _credits(element.find("artists")) or own_credits
        reason = _reject_reason(title, artists)
        if reason is not None:
            tracks.append(reason)
            continue
        track = SourceTrack(
            SOURCE,
            f"{release_id}#{position}",
            title,
            tuple(artists),
            album,
            released,
            year,
            duration,
        )
        tracks.append(track)
    return tracks


def _tracks(release: ET.Element) -> Iterator[ET.Element]:
    """Yield the tracks of a release; one that is made of parts is replaced by these."""
    for element in release.iterfind("tracklist/track"):
        parts = element.findall("sub_tracks/track")
        if parts and not _text(element, "position"):
            yield from parts
        else:
            yield element


def _votes(release: ET.Element) -> Sequence[tuple[GenreVote, int]]:
    texts = [
        *(element.text or "" for element in release.iterfind("styles/style")),
        *(element.text or "" for element in release.iterfind("genres/genre")),
    ]
    different = {names.normalise(text): names.clean(text) for text in reversed(texts)}
    ordered = [key for key in dict.fromkeys(map(names.normalise, texts)) if key]
    return tuple(
        (GenreVote(different[key], 1, Level.RELEASE), rank) for rank, key in enumerate(ordered)
    )


def _credits(artists: ET.Element | None) -> list[ArtistCredit]:
    """Return the credited artists without `Various`, their names without Discogs' numbers."""
    credited: dict[str, ArtistCredit] = {}
    for artist in () if artists is None else artists.iterfind("artist"):
        artist_id = _text(artist, "id")
        name = _artist_name(_text(artist, "name"))
        if name and artist_id != _VARIOUS:
            own_id = artist_id if artist_id.isdigit() else None
            credited.setdefault(names.normalise(name), ArtistCredit(name, own_id))
    return list(credited.values())


def _artist_name(text: str) -> str:
    return _TRAILING_ARTICLE.sub(r"\2 \1", _NUMBER.sub("", text))


def _reject_reason(title: str, artists: Sequence[ArtistCredit]) -> RejectReason | None:
    if not artists:
        return RejectReason.NO_ARTIST
    if len(artists) > item_fields.MAX_ARTISTS:
        return RejectReason.TOO_MANY_ARTISTS
    return (
        item_fields.check_title(title)
        or next(filter(None, (item_fields.check_artist_name(one.name) for one in artists)), None)
        or item_fields.check_name(title, artists[0].name)
    )


def _duration(text: str) -> DurationMs | None:
    """Return `M:SS` or `H:MM:SS` in milliseconds."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return DurationMs(1_000 * (3_600 * hours + 60 * minutes + seconds)) or None


def _text(element: ET.Element, tag: str) -> str:
    """Return the text of a child on one line."""
    return " ".join(names.clean(element.findtext(tag) or "").split())
