"""Derive a track from an item of an archive, one of its files, and the tags of the file. Pure."""

from pathlib import PurePosixPath

from collector.audio import metadata
from collector.datasets.parsing import cells
from collector.records import ArtistCredit, ListedItem, RemoteFile, SourceTrack
from collector.sources import item_fields as fields
from collector.sources.archive_items import parse_artist
from genrebase.audio.records import AudioAnalysis
from genrebase.store import names


def to_track(
    source: str, item: ListedItem, file: RemoteFile, analysis: AudioAnalysis, last_year: int
) -> SourceTrack | fields.RejectReason:
    """Return the track of a file, or why it has no usable name.

    The archive's own fields come first, then the file's tags, then its name. The item's artist
    stands for a file that names none, unless it is by various artists. Without an artist only its
    id identifies the track. The duration is that of the decoded audio.
    """
    tags = analysis.tags
    stem = PurePosixPath(file.name).stem
    named = metadata.to_track(stem, analysis, last_year)
    title = _short(file.title) or named.title
    credits_ = _credits(file.artist) or tuple(ArtistCredit(_short(one)) for one in tags.artists)
    if not credits_ and item.artist:
        credits_ = (ArtistCredit(_short(item.artist)),)
    credits_ = credits_ or named.artists
    if len(credits_) > fields.MAX_ARTISTS:
        return fields.RejectReason.TOO_MANY_ARTISTS
    reason = fields.check_title(title) or fields.check_name(title, credits_[0].name)
    if reason is not None:
        return reason
    released, year = cells.parse_date(item.release_date or tags.date, last_year)
    return SourceTrack(
        source=source,
        source_id=f"{item.item_id}/{file.name}",
        title=title,
        artists=credits_,
        album=item.title or tags.album or None,
        release_date=released,
        release_year=year,
        duration_ms=named.duration_ms,
        isrc=file.isrc or named.isrc,
        match_by_name=bool(credits_[0].name),
        licence=item.licence,
    )


def _credits(artists: str | None) -> tuple[ArtistCredit, ...]:
    """Return the artists of a field, separated by semicolons; those that name nobody left out."""
    parts = (parse_artist(part) for part in (artists or "").split(";"))
    return tuple(dict.fromkeys(ArtistCredit(_short(part)) for part in parts if part))


def _short(name: str | None) -> str:
    return names.clean(name or "")[: metadata.MAX_NAME_LENGTH].strip()
