"""Parse Spotify's track objects: lenient where an optional field is missing. Pure."""

from typing import Any

from collector.datasets.parsing import cells
from collector.records import ArtistCredit, SourceTrack
from collector.sources import item_fields as fields
from collector.sources.item_fields import RejectReason
from genrebase.store import names, source_ids


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
    named = fields.parse_names(item.get("name"), item.get("artists"), _credit, names.clean)
    if isinstance(named, RejectReason):
        return named
    title, artists = named
    album = fields.get_object(item.get("album"))
    release_date, release_year = cells.parse_date(
        fields.get_text(album.get("release_date")), last_year
    )
    return SourceTrack(
        source=source_ids.SPOTIFY,
        source_id=source_id,
        title=title,
        artists=artists,
        album=fields.get_name(album.get("name")),
        release_date=release_date,
        release_year=release_year,
        duration_ms=fields.get_duration(item.get("duration_ms")),
        explicit=fields.get_flag(item.get("explicit")),
        popularity=fields.get_integer(item.get("popularity"), 0, 100),
        isrc=fields.get_isrc(fields.get_object(item.get("external_ids")).get("isrc")),
    )


def _credit(artist: Any) -> ArtistCredit | RejectReason:
    entry = fields.get_object(artist)
    name: Any = entry.get("name")
    artist_id = entry.get("id")
    reason = fields.check_artist_name(name)
    if reason is not None:
        return reason
    has_id = isinstance(artist_id, str) and source_ids.is_spotify_id(artist_id)
    return ArtistCredit(names.clean(name), artist_id if has_id else None)
