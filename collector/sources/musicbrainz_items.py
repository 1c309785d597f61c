"""Parse MusicBrainz' recordings, of searches and of lookups: lenient as `spotify_items`. Pure.

The two differ in form: a search leaves out an artist's credited name where it is the artist's own,
an empty date, and empty lists; a lookup lists genres beside tags, where a genre is a tag whose
name is in MusicBrainz' list of genres.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from collector.datasets.parsing import cells, genre_names
from collector.records import ArtistCredit, GenreVote, Level, SourceTrack
from collector.sources import item_fields as fields
from collector.sources.item_fields import RejectReason
from genrebase.store import names, source_ids

_MAX_TAGS: Final = 1_000
"""Maximum tags of one recording: a longer list is invalid."""
_MAX_ISRCS: Final = 500
_NO_DATE: Final = "~"
"""Sorts after every date."""


class Recording(NamedTuple):
    """A recording and its tags with votes."""

    track: SourceTrack
    genres: tuple[GenreVote, ...]
    """Its tags with at least one vote, by name; most are genres."""


def parse_recording(item: Any, last_year: int, requested: str = "") -> Recording | RejectReason:
    """Return a recording, or the reason to reject it.

    If `requested`, the MBID that was looked up, is another one, it was merged into the
    recording's. A release year after `last_year` is treated as an error and ignored.
    """
    if not isinstance(item, dict):
        return RejectReason.NOTHING if item is None else RejectReason.NO_OBJECT
    if fields.get_flag(item.get("video")):
        return RejectReason.VIDEO
    mbid = _mbid(item.get("id"))
    if mbid is None:
        return RejectReason.NO_ID
    named = fields.parse_names(item.get("title"), item.get("artist-credit"), _credit, _plain)
    if isinstance(named, RejectReason):
        return named
    title, artists = named
    genres = _genres(item)
    if isinstance(genres, RejectReason):
        return genres
    merged = source_ids.parse_mbid(requested)
    released = fields.get_text(item.get("first-release-date"))
    release_date, release_year = cells.parse_date(released, last_year)
    isrcs = _isrcs(item.get("isrcs"))
    track = SourceTrack(
        source=source_ids.MUSICBRAINZ,
        source_id=mbid,
        title=title,
        artists=artists,
        album=_album(item.get("releases")),
        release_date=release_date,
        release_year=release_year,
        duration_ms=fields.get_duration(item.get("length")),
        isrc=isrcs[0] if isrcs else None,
        merged_ids=(merged,) if merged is not None and merged != mbid else (),
    )
    return Recording(track, genres)


def parse_tag(name: Any) -> str:
    """Return a tag as vocabularies spell genres; an empty text if it is not a genre."""
    if not isinstance(name, str) or len(name) > fields.MAX_NAME_LENGTH:
        return ""
    return genre_names.fold_name(name)


def _genres(item: Mapping[str, Any]) -> tuple[GenreVote, ...] | RejectReason:
    votes: dict[str, int] = {}
    for listed in (item.get("tags"), item.get("genres")):
        if isinstance(listed, list) and len(listed) > _MAX_TAGS:
            return RejectReason.TOO_MANY_GENRES
        for tag in fields.get_objects(listed):
            name = parse_tag(tag.get("name"))
            count = fields.get_integer(tag.get("count"), 1, fields.MAX_INTEGER)
            if name and count is not None:
                votes[name] = max(count, votes.get(name, 0))
    return tuple(GenreVote(name, votes[name], Level.RECORDING) for name in sorted(votes))


def _credit(credit: Any) -> ArtistCredit | RejectReason:
    """Return a credit under the artist's own name, which other catalogues use, too.

    The name that this recording credits is used only if the artist has none.
    """
    entry = fields.get_object(credit)
    artist = fields.get_object(entry.get("artist"))
    name: Any = artist.get("name", entry.get("name"))
    reason = fields.check_artist_name(name)
    if reason is not None:
        return reason
    return ArtistCredit(_plain(name), _mbid(artist.get("id")))


def _album(releases: Any) -> str | None:
    """Return the title of the first official release, else of the first one."""
    listed = [one for one in fields.get_objects(releases) if fields.get_name(one.get("title"))]
    first = min(listed, key=_release_order, default=None)
    title = None if first is None else fields.get_name(first.get("title"))
    return None if title is None else _plain(title)


def _release_order(release: Mapping[str, Any]) -> tuple[bool, str, str]:
    date = fields.get_text(release.get("date")) or _NO_DATE
    return release.get("status") != "Official", date, fields.get_name(release["title"]) or ""


def _isrcs(isrcs: Any) -> list[str]:
    listed = isrcs[:_MAX_ISRCS] if isinstance(isrcs, list) else []
    return sorted({isrc for one in listed if (isrc := fields.get_isrc(one))})


def _mbid(value: Any) -> str | None:
    return source_ids.parse_mbid(value) if isinstance(value, str) else None


def _plain(text: str) -> str:
    return names.plain_punctuation(names.clean(text))
