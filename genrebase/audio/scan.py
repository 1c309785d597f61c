"""Scan a folder for audio files, recursively and in a stable order."""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from genrebase.audio.file_suffixes import SUFFIXES
from genrebase.audio.records import UnreadableFile
from genrebase.errors import NothingToDo, UserError
from genrebase.extras import install_hint

LIBRARIES: Final = ("librosa", "mutagen", "soundfile", "soxr")
"""Libraries of the extra `audio`, required by the analysis."""

_MAX_KEY_BYTES: Final = 2_000
"""Maximum size of a path as an index key; PostgreSQL's limit is 2,704 bytes."""
_WESTERN: Final = "cp1252"
"""Encoding of names that older Windows systems wrote, in Western Europe and America."""

_Inode = tuple[int, int]
"""Device and number of a folder, the same by every path that leads to it."""


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


@dataclass(slots=True)
class AudioScan:
    """What a folder holds."""

    files: list[AudioFile] = field(default_factory=list)
    unreadable: list[UnreadableFile] = field(default_factory=list)
    """Paths that cannot be read."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Files of other kinds per suffix ("" for none), hidden ones left out."""
    links_followed: int = 0
    """Linked folders that were read."""
    links_repeated: int = 0
    """Linked folders that lead to a folder that was read already."""


def display_path(path: Path) -> str:
    """Return a path as text; undecodable bytes as escape sequences."""
    return printable(str(path))


def printable(text: str) -> str:
    """Return text with the undecodable bytes of file names as escape sequences."""
    return os.fsencode(text).decode("utf-8", "backslashreplace") if _is_odd(text) else text


def name_text(name: str) -> str:
    """Return a file's name as text for people.

    A name that is not UTF-8 is read as Windows-1252 if that fits, else its odd bytes become escape
    sequences.
    """
    if not _is_odd(name):
        return name
    plain = [character for character in name if not "\udc80" <= character <= "\udcff"]
    if "".join(plain).isascii():  # else a part of it is UTF-8
        try:
            text = os.fsencode(name).decode(_WESTERN)
        except UnicodeDecodeError:
            text = ""
        if text.isprintable() and text:
            return text
    return printable(name)


def _is_odd(text: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in text)


def require_libraries(libraries: Sequence[str] = LIBRARIES) -> None:
    """Raise `UserError` if a library of the extra `audio` is not installed."""
    missing = [name for name in libraries if find_spec(name) is None]
    if missing:
        raise UserError(
            f"Analysing audio files needs {', '.join(missing)}. {install_hint('audio')}"
        )


def find_audio_files(root: Path) -> AudioScan:
    """Return the audio files of a folder (or the one file), and what else is there.

    Hidden files and folders are skipped. Linked folders are followed, and every folder is read
    once. Raises `UserError` if the path does not exist, `NothingToDo` if there are no audio files.
    """
    if not root.exists():
        raise UserError(f"{display_path(root)}: there is no such file or folder.")
    absolute = root.absolute()
    scan = AudioScan()
    paths = _Walk(scan).paths(absolute) if absolute.is_dir() else [absolute]
    for path in paths:
        try:
            status = path.stat()
        except OSError as error:
            reason = f"its size and time cannot be read: {error.strerror}"
            scan.unreadable.append(UnreadableFile(display_path(path), reason))
            continue
        if not stat.S_ISREG(status.st_mode):
            reason = "it is not a regular file"
            scan.unreadable.append(UnreadableFile(display_path(path), reason))
            continue
        relative = path.relative_to(absolute).as_posix() if path != absolute else path.name
        scan.files.append(AudioFile(path, relative, status.st_size, status.st_mtime_ns))
    if not scan.files and not scan.unreadable:
        raise NothingToDo(
            f"{display_path(root)} holds no audio files ({' '.join(sorted(SUFFIXES))})."
        )
    return scan


class _Walk:
    """Walks folders: first the real ones, then those behind links, each once."""

    def __init__(self, scan: AudioScan) -> None:
        self._scan = scan
        self._visited: set[_Inode] = set()
        self._links: list[Path] = []

    def paths(self, root: Path) -> Iterator[Path]:
        """Yield the paths of audio files."""
        yield from self._walk(root)
        while self._links:
            links, self._links = self._links, []
            for link in sorted(links):
                if self._is_visited(link):
                    self._scan.links_repeated += 1
                else:
                    self._scan.links_followed += 1
                    yield from self._walk(link)

    def _walk(self, root: Path) -> Iterator[Path]:
        for folder, folders, names in os.walk(root, onerror=self._on_error):
            self._visited.update(self._inodes(Path(folder)))
            present = sorted(name for name in folders if not name.startswith("."))
            links = [name for name in present if Path(folder, name).is_symlink()]
            self._links += [Path(folder, name) for name in links]
            folders[:] = [
                name
                for name in present
                if name not in links and not self._is_visited(Path(folder, name))
            ]
            for name in sorted(names):
                if name.startswith("."):
                    continue
                suffix = Path(name).suffix.lower()
                if suffix in SUFFIXES:
                    yield Path(folder, name)
                else:
                    self._scan.ignored[printable(suffix)] += 1

    def _on_error(self, error: OSError) -> None:
        folder = display_path(Path(error.filename))
        reason = f"the folder cannot be read: {error.strerror}"
        self._scan.unreadable.append(UnreadableFile(folder, reason))

    def _is_visited(self, folder: Path) -> bool:
        return not self._visited.isdisjoint(self._inodes(folder))

    @staticmethod
    def _inodes(folder: Path) -> set[_Inode]:
        try:
            status = folder.stat()
        except OSError:  # reported when the folder is read
            return set()
        return {(status.st_dev, status.st_ino)}
