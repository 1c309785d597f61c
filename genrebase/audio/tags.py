"""Read the tags of an audio file (ID3, Vorbis, MP4, APE, ASF) with mutagen (extra `audio`).

Of containers that mutagen does not read (Matroska, WebM) ffmpeg gives the tags, if it is
installed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from genrebase.audio import ffmpeg

_OWN_NAMES: Final = {
    "title": ("TIT2", "Title"),
    "artist": ("TPE1", "Author"),
    "album": ("TALB", "WM/AlbumTitle"),
    "date": ("TDRC", "WM/Year"),
    "genre": ("TCON", "WM/Genre"),
    "isrc": ("TSRC", "WM/ISRC"),
}
"""Names of tags that mutagen does not translate: ID3 frames (WAV, AIFF), and Windows Media's."""
_MATROSKA: Final = b"\x1a\x45\xdf\xa3"
"""The first bytes of Matroska and WebM files."""
_SEVERAL: Final = re.compile("[;\0]")
"""Separates several artists in one value; a slash or a comma may belong to a name."""


@dataclass(frozen=True, slots=True)
class AudioTags:
    """The tags of a file; a missing tag is empty."""

    title: str = ""
    artists: tuple[str, ...] = ()
    album: str = ""
    date: str = ""
    genres: tuple[str, ...] = ()
    """The values as they stand; one may hold several genres (see `genre_cells`)."""
    isrc: str = ""


def read_tags(path: Path) -> AudioTags:
    """Return the tags of a file; empty ones if it has none or they are damaged."""
    import mutagen  # an extra that `AudioTags` alone does not need
    from mutagen.asf import ASFTags
    from mutagen.id3 import ID3

    try:
        file: Any = mutagen.File(path, easy=True)
    except (mutagen.MutagenError, OSError, ValueError, KeyError, IndexError):
        return AudioTags()  # the audio may be intact: decoding decides
    tags: Any = None if file is None else file.tags
    if tags is None:
        tags = _container_tags(path)
    elif isinstance(tags, ID3):
        tags = _frames(tags)
    elif isinstance(tags, ASFTags):
        tags = {name: tags[own] for name, (_, own) in _OWN_NAMES.items() if own in tags}
    return AudioTags(
        title=_first(tags, "title"),
        artists=tuple(_artists(tags)),
        album=_first(tags, "album"),
        date=_first(tags, "date"),
        genres=tuple(_values(tags, "genre")),
        isrc=_first(tags, "isrc"),
    )


def _frames(tags: Any) -> dict[str, list[str]]:
    frames = {name: tags.get(frame) for name, (frame, _) in _OWN_NAMES.items()}
    texts = {
        name: [str(value) for value in frame.text]
        for name, frame in frames.items()
        if frame is not None
    }
    if frames["genre"] is not None:
        texts["genre"] = list(frames["genre"].genres)  # decodes numbers: (17) is Rock
    return texts


def _container_tags(path: Path) -> dict[str, list[str]]:
    """Return the tags of a Matroska or WebM file, as ffmpeg reads them."""
    with path.open("rb") as file:
        if file.read(len(_MATROSKA)) != _MATROSKA:
            return {}
    return {name: [value] for name, value in ffmpeg.read_tags(path).items()}


def _artists(tags: Mapping[str, Iterable[str]]) -> list[str]:
    names = (name for value in _values(tags, "artist") for name in _SEVERAL.split(value))
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))


def _clean(text: str) -> str:
    """Drop lone surrogates, which no database stores, and surrounding whitespace and NUL."""
    return text.encode(errors="ignore").decode().strip(" \t\r\n\f\v\0")


def _values(tags: Mapping[str, Iterable[str]], name: str) -> list[str]:
    try:
        values = [_clean(str(value)) for value in tags[name]]
    except (KeyError, ValueError):  # not every format has every tag
        return []
    return list(dict.fromkeys(value for value in values if value))


def _first(tags: Mapping[str, Iterable[str]], name: str) -> str:
    return next(iter(_values(tags, name)), "").replace("\0", "")
