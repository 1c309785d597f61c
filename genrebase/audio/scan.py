"""Scan a folder for audio files, recursively and in a stable order."""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from genrebase.audio.records import UnreadableFile
from genrebase.errors import NothingToDo, UserError

_KINDS: Final = (
    "aac aif aifc aiff ape au caf flac m4a mp2 mp3 mpc oga ogg opus rf64 snd w64 wav wave wma wv"
)
SUFFIXES: Final = frozenset(f".{kind}" for kind in _KINDS.split())
"""Suffixes of audio files; a file that cannot be decoded is reported, not skipped silently."""

LIBRARIES: Final = ("librosa", "mutagen", "soundfile", "soxr")
"""Libraries of the extra `audio`, required by the analysis."""

_MAX_KEY_BYTES: Final = 2_000
"""Maximum size of a path as an index key; PostgreSQL's limit is 2,704 bytes."""


@dataclass(frozen=True, slots=True)
class AudioFile:
    """A file on disk."""

    path: Path
    """Absolute."""
    relative_path: str
    """Its path inside the scanned folder, with slashes."""
    size: int
    """Bytes."""
    modified: int
    """Nanoseconds since 1970."""

    @property
    def key(self) -> str:
        """The path as text that every database can store; a very long one as its SHA-256."""
        encoded = os.fsencode(self.path)
        if len(encoded) > _MAX_KEY_BYTES:
            return f"sha256:{hashlib.sha256(encoded).hexdigest()}"
        return display_path(self.path)


def display_path(path: Path) -> str:
    """Return a path as text; undecodable bytes as escape sequences."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def require_libraries(libraries: Sequence[str] = LIBRARIES) -> None:
    """Raise `UserError` if a library of the extra `audio` is not installed."""
    missing = [name for name in libraries if find_spec(name) is None]
    if missing:
        raise UserError(
            f"Analysing audio files needs {', '.join(missing)}: pip install 'genrebase[audio]'."
        )


def find_audio_files(root: Path) -> tuple[list[AudioFile], list[UnreadableFile]]:
    """Return the audio files of a folder (or the one file), and the paths that cannot be read.

    Hidden files and folders are skipped. Raises `UserError` if the path does not exist,
    `NothingToDo` if the folder holds no audio files.
    """
    if not root.exists():
        raise UserError(f"{display_path(root)}: there is no such file or folder.")
    absolute = root.absolute()
    unreadable: list[UnreadableFile] = []
    paths = _walk(absolute, unreadable) if absolute.is_dir() else [absolute]
    files = []
    for path in paths:
        try:
            status = path.stat()
        except OSError as error:
            reason = f"its size and time cannot be read: {error.strerror}"
            unreadable.append(UnreadableFile(display_path(path), reason))
            continue
        if not stat.S_ISREG(status.st_mode):
            unreadable.append(UnreadableFile(display_path(path), "it is not a regular file"))
            continue
        relative = path.relative_to(absolute).as_posix() if path != absolute else path.name
        files.append(AudioFile(path, relative, status.st_size, status.st_mtime_ns))
    if not files and not unreadable:
        raise NothingToDo(
            f"{display_path(root)} holds no audio files ({' '.join(sorted(SUFFIXES))})."
        )
    return files, unreadable


def _walk(root: Path, unreadable: list[UnreadableFile]) -> Iterator[Path]:
    def on_error(error: OSError) -> None:
        folder = display_path(Path(error.filename or root))
        reason = f"the folder cannot be read: {error.strerror}"
        unreadable.append(UnreadableFile(folder, reason))

    for folder, folders, names in os.walk(root, onerror=on_error):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(folder, name)
