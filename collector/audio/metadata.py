"""Derive the metadata of a track from an audio file's tags and file name. Pure."""

import re
from typing import Final

from collector.datasets.parsing import cells
from collector.records import ArtistCredit, DurationMs, SourceTrack
from genrebase.audio.records import AudioAnalysis
from genrebase.audio.tags import AudioTags
from genrebase.store import names

SOURCE: Final = "audio"
"""The source whose ids are hashes of sounds; also the origin and provider of what is extracted."""

_DASH: Final = re.compile(r"\s+[-–—]\s+")
_NUMBER: Final = re.compile(r"\d{1,3}")
_LEADING: Final = re.compile(r"\d{1,3}[.)]\s+")
_MAX_PARTS: Final = 3
MAX_NAME_LENGTH: Final = 400
"""Characters of a name that are kept: it is an index key."""


def to_track(
    stem: str, analysis: AudioAnalysis, last_year: int, recording: str | None = None
) -> SourceTrack:
    """Return a file as a track; `stem` is its name without the suffix.

    `recording` is the file name of the recording that it is a piece of, without the suffix; it
    counts where no artist is known. Title and artist come from the tags, else from the file name
    (`Artist - Title`, a track number before it is dropped). Without an artist only the sound
    identifies the track.
    """
    tags = analysis.tags
    artist, title = parse_file_name(stem)
    artists = tags.artists or ((artist,) if artist and not tags.title else ())
    released, year = cells.parse_date(tags.date, last_year)
    return SourceTrack(
        source=SOURCE,
        source_id=analysis.digest,
        title=_short(tags.title or title),
        artists=tuple(ArtistCredit(_short(name)) for name in artists) or (ArtistCredit(""),),
        album=tags.album or None,
        release_date=released,
        release_year=year,
        duration_ms=DurationMs(max(1, round(analysis.seconds * 1000))),
        isrc=cells.parse_isrc(tags.isrc),
        match_by_name=bool(artists),
        recording=None if artists or recording is None else _short(parse_file_name(recording)[1]),
    )


def is_tagged(tags: AudioTags) -> bool:
    """Return whether a name, or a part of it, comes from tags."""
    return bool(tags.title or tags.artists)


def parse_file_name(stem: str) -> tuple[str, str]:
    """Return (artist, title) of a file name without its suffix; "" for an unknown artist."""
    plain = names.clean(stem)
    if " " not in plain:
        plain = plain.replace("_", " ").strip() or plain
    parts = [part for part in _DASH.split(plain) if part]
    if len(parts) > 1:
        first = _LEADING.sub("", parts[0], count=1)
        numbered = _NUMBER.fullmatch(first) is not None
        parts = parts[1:] if numbered and len(parts) <= _MAX_PARTS else [first, *parts[1:]]
    if len(parts) < 2:
        return "", (parts or [plain])[0]
    return parts[0], " - ".join(parts[1:])


def _short(name: str) -> str:
    return name[:MAX_NAME_LENGTH]
