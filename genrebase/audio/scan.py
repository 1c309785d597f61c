"""Which sound files there are in a folder, in an order that is always the same."""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from genrebase.audio.records import UnreadableFile
from genrebase.errors import NothingToDo, UserError

_KINDS: Final = (
    "aac aif aifc aiff ape au caf flac m4a mp2 mp3 mpc oga ogg opus rf64 snd w64 wav wave wma wv"
)
SUFFIXES: Final = frozenset(f".{kind}" for kind in _KINDS.split())
"""Endings of sound files; those that cannot be decoded are told of, not passed over."""

_LONGEST_KEY: Final = 2_000
"""Bytes of a path as a key of an index; PostgreSQL's have a limit of 2,704."""


@dataclass(frozen=True, slots=True)
class AudioFile:
    """A file as it lies there."""

    path: Path
    """Absolute."""
    relative_path: str
    """Its path in the folder that was asked for, with slashes."""
    size: int
    modified: int
    """Nanoseconds since 1970."""

    @property
    def key(self) -> str:
        """The path as text that every database stores; a very long one by its SHA-256."""
        encoded = os.fsencode(self.path)
        if len(encoded) > _LONGEST_KEY:
            return f"sha256:{hashlib.sha256(encoded).hexdigest()}"
        return display_path(self.path)


def display_path(path: Path) -> str:
    """Return a path as text; bytes that are no characters as their codes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def find_audio_files(asked: Path) -> tuple[list[AudioFile], list[UnreadableFile]]:
    """Return the sound files of a folder (or the one file), and what cannot be looked at.

    Hidden files and folders are passed over. Raises `UserError` where there is nothing of this
    name, `NothingToDo` where the folder holds no sound.
    """
    if not asked.exists():
        raise UserError(f"{display_path(asked)}: there is no such file or folder.")
    root = asked.absolute()
    problems: list[UnreadableFile] = []
    paths = _walk(root, problems) if root.is_dir() else [root]
    files = []
    for path in paths:
        try:
            found = path.stat()
        except OSError as error:
            problems.append(
                UnreadableFile(display_path(path), f"it cannot be looked at: {error.strerror}")
            )
            continue
        if not stat.S_ISREG(found.st_mode):
            problems.append(UnreadableFile(display_path(path), "it is no file"))
            continue
        inside = path.relative_to(root).as_posix() if path != root else path.name
        files.append(AudioFile(path, inside, found.st_size, found.st_mtime_ns))
    if not files and not problems:
        raise NothingToDo(
            f"{display_path(asked)} holds no sound files ({' '.join(sorted(SUFFIXES))})."
        )
    return files, problems


def _walk(root: Path, problems: list[UnreadableFile]) -> Iterator[Path]:
    def on_error(error: OSError) -> None:
        where = display_path(Path(error.filename or root))
        problems.append(UnreadableFile(where, f"the folder cannot be read: {error.strerror}"))

    for folder, folders, names in os.walk(root, onerror=on_error):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(folder, name)
