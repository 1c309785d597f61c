"""Read the tags of an audio file (ID3, Vorbis, MP4 and similar) with mutagen (extra `audio`)."""

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
"""ID3 frames, for file types whose tags mutagen reads by these names only (WAV, AIFF)."""


@dataclass(frozen=True, slots=True)
class AudioTags:
    """The tags of a file; a missing tag is empty."""

    title: str = ""
    artists: tuple[str, ...] = ()
    album: str = ""
    date: str = ""
    genres: tuple[str, ...] = ()
    isrc: str = ""


def read_tags(path: Path) -> AudioTags:
    """Return the tags of a file; empty ones if it has none or they are damaged."""
    import mutagen  # an extra that `AudioTags` alone does not need
    from mutagen.id3 import ID3

    try:
        file: Any = mutagen.File(path, easy=True)
    except (mutagen.MutagenError, OSError, ValueError, KeyError, IndexError):
        return AudioTags()  # the audio may be intact: decoding decides
    if file is None or file.tags is None:
        return AudioTags()
    tags = _frames(file.tags) if isinstance(file.tags, ID3) else file.tags
    return AudioTags(
        title=_first(tags, "title"),
        artists=tuple(_values(tags, "artist")),
        album=_first(tags, "album"),
        date=_first(tags, "date"),
        genres=tuple(_values(tags, "genre")),
        isrc=_first(tags, "isrc"),
    )


def _frames(tags: Any) -> dict[str, list[str]]:
    frames = {name: tags.get(frame) for name, frame in _FRAMES.items()}
    texts = {
        name: [str(value) for value in frame.text]
        for name, frame in frames.items()
        if frame is not None
    }
    if frames["genre"] is not None:
        texts["genre"] = list(frames["genre"].genres)  # decodes numbers: (17) is Rock
    return texts


def _clean(text: str) -> str:
    """Drop what no database stores (NUL, lone surrogates) and surrounding whitespace."""
    return text.replace("\0", "").encode(errors="ignore").decode().strip()


def _values(tags: Mapping[str, Iterable[str]], name: str) -> list[str]:
    try:
        values = [_clean(str(value)) for value in tags[name]]
    except (KeyError, ValueError):  # not every format has every tag
        return []
    return list(dict.fromkeys(value for value in values if value))


def _first(tags: Mapping[str, Iterable[str]], name: str) -> str:
    return next(iter(_values(tags, name)), "")
