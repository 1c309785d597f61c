"""Ids of sources: names of sources, Spotify ids in pasted text, MusicBrainz ids. Pure."""

import re
from typing import Final

SPOTIFY: Final = "spotify"
MUSICBRAINZ: Final = "musicbrainz"
INTERNET_ARCHIVE: Final = "internetarchive"
"""Its ids are an item's identifier and a file's name, with a slash between."""
JAMENDO: Final = "jamendo"
NAME_ONLY: Final = "name"
"""The source of a track that came without an id."""

FILE_PREFIX: Final = "csv:"

ID_LENGTH: Final = 22
"""A Spotify id is 22 characters of base 62."""

_BASE62: Final = rf"[0-9A-Za-z]{{{ID_LENGTH}}}"
_ID: Final = re.compile(_BASE62)
_TRACK: Final = re.compile(rf"(?:spotify:track:|(?:^|/)tracks?/)({_BASE62})(?:[/?#].*)?$")
_MAX_MBID_LENGTH: Final = 100
_MBID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RECORDING: Final = re.compile(rf"(?:^|/)recording/({_MBID.pattern})(?:[/?#.].*)?$")
_PLAYLIST: Final = re.compile(rf"(?:playlist:|(?:^|/)playlists?/)({_BASE62})(?:[/?#].*)?$")


def is_file_source(source: str) -> bool:
    """Return whether ids of a source are a file's own, such as the numbers of its rows."""
    return source.startswith(FILE_PREFIX)


def is_spotify_id(text: str) -> bool:
    """Return whether `text` is a Spotify id, without blanks around it."""
    return len(text) == ID_LENGTH and text.isalnum() and text.isascii()


def parse_mbid(text: str) -> str | None:
    """Return a MusicBrainz id (a UUID) in small letters, None for any other text."""
    plain = text.strip().lower() if len(text) <= _MAX_MBID_LENGTH else ""
    return plain if _MBID.fullmatch(plain) else None


def parse_recording_id(text: str) -> str | None:
    """Return the MBID of a recording from its MBID or its page's URL, None for other text."""
    match = _RECORDING.search(text.strip().lower())
    return match[1] if match else parse_mbid(text)


def parse_track_id(text: str) -> str | None:
    """Return the Spotify id of a track from its id, URI or URL, None for any other text."""
    return _find(text, _TRACK)


def parse_playlist_id(text: str) -> str | None:
    """Return the Spotify id of a playlist from its id, URI or URL, None for any other text."""
    return _find(text, _PLAYLIST)


def _find(text: str, pattern: re.Pattern[str]) -> str | None:
    if is_spotify_id(text):
        return text
    stripped = text.strip()
    if _ID.fullmatch(stripped):
        return stripped
    match = pattern.search(stripped)
    return match.group(1) if match else None
