"""Read the tags of an audio file: ID3, Vorbis, MP4 and similar.

Reading them needs the extra `audio` (mutagen).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_FRAMES: Final = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "date": "TDRC",
    "genre": "TCON",
    "isrc": "TSRC",
}
"""Of ID3, for the kinds of files whose tags mutagen knows by these names only (WAV, AIFF)."""


@dataclass(frozen=True, slots=True)
class AudioTags:
    """The tags of a file; empty where there are none."""

    title: str = ""
    artists: tuple[str, ...] = ()
    album: str = ""
    date: str = ""
    genres: tuple[str, ...] = ()
    isrc: str = ""


def read_tags(path: Path) -> AudioTags:
    """Return the tags of a file; empty ones where there are none or they are damaged."""
    import mutagen  # of an extra: others want the record only
    from mutagen.id3 import ID3

    try:
        found: Any = mutagen.File(path, easy=True)
    except (mutagen.MutagenError, OSError, ValueError, KeyError, IndexError):
        return AudioTags()  # the sound may be whole all the same: the decoder says so
    if found is None or found.tags is None:
        return AudioTags()
    said = _frames(found.tags) if isinstance(found.tags, ID3) else found.tags
    return AudioTags(
        title=_first(said, "title"),
        artists=tuple(_values(said, "artist")),
        album=_first(said, "album"),
        date=_first(said, "date"),
        genres=tuple(_values(said, "genre")),
        isrc=_first(said, "isrc"),
    )


def _frames(tags: Any) -> dict[str, list[str]]:
    known = {name: tags.get(frame) for name, frame in _FRAMES.items()}
    said = {
        name: [str(value) for value in frame.text]
        for name, frame in known.items()
        if frame is not None
    }
    if known["genre"] is not None:
        said["genre"] = list(known["genre"].genres)  # (17) is Rock
    return said


def _clean(text: str) -> str:
    """Drop what no database stores (NUL, lone surrogates) and the blanks around."""
    return text.replace("\0", "").encode(errors="ignore").decode().strip()


def _values(said: Mapping[str, Iterable[str]], name: str) -> list[str]:
    try:
        values = [_clean(str(value)) for value in said[name]]
    except (KeyError, ValueError):  # not every kind of tag knows every name
        return []
    return list(dict.fromkeys(value for value in values if value))


def _first(said: Mapping[str, Iterable[str]], name: str) -> str:
    return next(iter(_values(said, name)), "")
