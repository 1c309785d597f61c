"""Choose the files to download of an Internet Archive item: one per track. Pure.

An item holds what was uploaded (originals) and what the archive made of it (derivatives): the same
track as FLAC, VBR MP3, 64 kbit/s MP3 and Ogg Vorbis.
"""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

from collector.records import RemoteFile
from collector.sources import item_fields as fields
from genrebase.audio.file_suffixes import NEEDS_FFMPEG, SUFFIXES
from genrebase.store import names

NOT_PUBLIC: Final = "not public"
TOO_LARGE: Final = "larger than COLLECTOR_FILE_MB"
UNUSABLE_NAME: Final = "unusable name"
MAX_TRACKS: Final = 500
"""Tracks of one item that are used."""
TOO_MANY: Final = f"beyond the first {MAX_TRACKS} tracks"

_MAX_NAME_BYTES: Final = 1_000
_MAX_BYTES: Final = 2**53
_MD5: Final = re.compile(r"[0-9a-f]{32}")
_DERIVED: Final = re.compile(r"_(?:vbr|\d{2,3}kb)(?:_mp3)?$")
"""The end of a derivative's name, before its suffix: `song_vbr.mp3`, `song_64kb.mp3`."""
_LOW_QUALITY: Final = re.compile(r"\b(?:[1-9]\d|24)\s?kbps\b|sample")
"""Formats of less than 100 kbit/s, and excerpts."""
_ORDER: Final = {".mp3": 0, ".ogg": 1, ".oga": 1, ".opus": 1, ".flac": 2}
"""Formats in the order of preference, by suffix; any other format comes after them."""
_OTHER, _FFMPEG, _LOW = 3, 4, 5


class _Candidate(NamedTuple):
    rank: int
    size: int
    is_derivative: bool
    file: RemoteFile


def choose_files(
    documents: Iterable[Any], max_bytes: int, passed_over: Counter[str]
) -> Iterator[RemoteFile]:
    """Yield one file of at most `max_bytes` per track, in the item's order.

    Preferred are MP3 (original, or the archive's of variable bit rate), then Ogg, then FLAC, then
    others; the smallest of equals. Why no file of a track was chosen is counted in `passed_over`.
    """
    present = {one["name"]: one for one in documents if _is_audio(one)}  # a name is a file's key
    groups: dict[str, list[_Candidate | str]] = {}
    for document in present.values():
        groups.setdefault(_track_key(document, present), []).append(
            _candidate(document, max_bytes)
        )
    for number, candidates in enumerate(groups.values()):
        if number >= MAX_TRACKS:
            passed_over[TOO_MANY] += 1
            continue
        usable = [one for one in candidates if isinstance(one, _Candidate)]
        if usable:
            yield min(usable, key=lambda one: one[:3]).file
        else:
            passed_over[str(candidates[0])] += 1


def _is_audio(document: Any) -> bool:
    name = fields.get_object(document).get("name")
    if not isinstance(name, str) or document.get("source") == "metadata":
        return False
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def _track_key(document: Mapping[str, Any], present: Container[str]) -> str:
    """Return what is equal for the files of one track."""
    name, original = document["name"], document.get("original")
    is_derivative = document.get("source") == "derivative"
    if is_derivative and isinstance(original, str) and original in present:
        name = original
    return _DERIVED.sub("", PurePosixPath(name).with_suffix("").as_posix())


def _candidate(document: Mapping[str, Any], max_bytes: int) -> _Candidate | str:
    """Return a file with its rank, or why it cannot be used."""
    name = document["name"]
    if fields.get_flag(document.get("private")):
        return NOT_PUBLIC
    if names.clean(name) != name or len(name.encode()) > _MAX_NAME_BYTES or not name.isprintable():
        return UNUSABLE_NAME
    size = _size(document.get("size"))
    if size is not None and size > max_bytes:
        return TOO_LARGE
    md5 = document.get("md5")
    file = RemoteFile(
        name=name,
        size=size,
        md5=md5 if isinstance(md5, str) and _MD5.fullmatch(md5) else None,
        title=fields.get_name(document.get("title")),
        artist=fields.get_name(document.get("artist")) or fields.get_name(document.get("creator")),
        isrc=fields.get_isrc(document.get("isrc")),
    )
    is_derivative = document.get("source") == "derivative"
    return _Candidate(_rank(document), max_bytes if size is None else size, is_derivative, file)


def _rank(document: Mapping[str, Any]) -> int:
    kind = document.get("format")
    if isinstance(kind, str) and _LOW_QUALITY.search(kind.casefold()):
        return _LOW
    suffix = PurePosixPath(document["name"]).suffix.lower()
    return _ORDER.get(suffix, _FFMPEG if suffix in NEEDS_FFMPEG else _OTHER)


def _size(value: Any) -> int | None:
    """Return a size in bytes, None for an unreadable one: the archive writes numbers as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16:
        value = int(value)
    is_size = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_BYTES
    return value if is_size else None
