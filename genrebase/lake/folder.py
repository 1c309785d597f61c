"""The folder of a lake: versions side by side, of which one is the current.

    DIR/current -> versions/7            replaced in one step
    DIR/tracks -> current/tracks         and so on for every table and view
    DIR/versions/7/tracks/part-*.parquet
    DIR/versions/7/manifest.json

A version is written as `versions/8.partial` and renamed when it is complete. Versions share the
files that are equal in both, by hard links. The version before the current one stays until the
next run, for queries that have begun to read it.
"""

import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from genrebase.errors import UserError
from genrebase.lake.parts import LakePart
from genrebase.lake.version_writer import (
    FORMAT,
    JOURNAL,
    EarlierParts,
    VersionWriter,
    begin_journal,
    read_journal,
)

MANIFEST: Final = "manifest.json"
CURRENT: Final = "current"
_MARKER: Final = ".genrebase-lake"
"""Marks a folder as ours; it is locked while a version is written."""
_VERSIONS: Final = "versions"
_PARTIAL: Final = ".partial"


class LakeFolder:
    """A locked folder; create it by `open_folder`."""

    def __init__(self, path: Path) -> None:
        """Manage the lake in a folder that is ours."""
        self.path = path
        self._versions = path / _VERSIONS

    def begin(self) -> VersionWriter:
        """Begin a version; parts of the current one and of interrupted runs are used again."""
        current = self._current()
        manifest = read_manifest(self.path) or {}
        earlier: list[EarlierParts] = []
        if current is not None and manifest.get("format") == FORMAT:
            earlier.append(EarlierParts(current, parts_of(manifest), is_complete=True))
        number = 1 + max((int(_number(one)) for one in self._all()), default=0)
        for folder in self._all():
            if folder.name.endswith(_PARTIAL):
                parts = list(read_journal(folder))
                earlier.append(EarlierParts(folder, parts, is_complete=False))
            elif folder != current:
                shutil.rmtree(folder)
        folder = self._versions / f"{number}{_PARTIAL}"
        folder.mkdir(parents=True)
        begin_journal(folder)
        return VersionWriter(folder, earlier)

    def publish(self, version: VersionWriter, manifest: Mapping[str, Any]) -> int:
        """Complete a version, make it the current one, and return its number."""
        number = int(_number(version.folder))
        previous = self._current()
        document = {"format": FORMAT, "version": number, **manifest}
        text = json.dumps(document, indent=1, ensure_ascii=False)
        (version.folder / MANIFEST).write_text(text, encoding="utf-8")
        (version.folder / JOURNAL).unlink(missing_ok=True)
        complete = version.folder.with_name(str(number))
        version.folder.rename(complete)
        names = sorted(path.name for path in complete.iterdir())
        for name in names:
            self._link(self.path / name, Path(CURRENT) / name)
        self._link(self.path / CURRENT, Path(_VERSIONS) / str(number))
        for path in self.path.iterdir():  # of views that are no more
            if path.is_symlink() and path.name not in {CURRENT, *names}:
                path.unlink()
        for folder in self._all():
            if folder not in (complete, previous):
                shutil.rmtree(folder)
        return number

    def _link(self, link: Path, target: Path) -> None:
        """Point a link to a path relative to this folder, in one step."""
        if link.is_symlink() and link.readlink() == target:
            return
        temporary = self.path / f".{link.name}.new"
        temporary.unlink(missing_ok=True)
        try:
            temporary.symlink_to(target)
        except OSError as error:
            raise UserError(
                f"{self.path} cannot hold symbolic links ({error.strerror}): name a folder on "
                "another file system."
            ) from error
        temporary.replace(link)

    def _current(self) -> Path | None:
        link = self.path / CURRENT
        return self.path / link.readlink() if link.is_symlink() else None

    def _all(self) -> list[Path]:
        return sorted(self._versions.iterdir()) if self._versions.is_dir() else []


@contextmanager
def open_folder(path: Path) -> Iterator[LakeFolder]:
    """Lock the folder of a lake; create it where there is none.

    Raises `UserError` for a folder with something else in it, or if another process has it.
    """
    marker = path / _MARKER
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file: name a folder.")
    try:
        if path.is_dir() and any(path.iterdir()) and not marker.exists():
            raise UserError(
                f"{path} is not empty, and not a lake of Genrebase: name another folder, which "
                "may be missing or empty."
            )
        path.mkdir(mode=0o700, parents=True, exist_ok=True)  # a copy of the whole database
        lock = marker.open("a")
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror}): name another folder."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(
                f"Another process is writing {path}: wait until it has ended."
            ) from None
        yield LakeFolder(path)


def read_manifest(path: Path) -> dict[str, Any] | None:
    """Return the manifest of a lake's current version; None where there is none."""
    try:
        manifest: dict[str, Any] = json.loads((path / CURRENT / MANIFEST).read_text("utf-8"))
    except FileNotFoundError:
        return None
    return manifest


def parts_of(manifest: Mapping[str, Any]) -> list[LakePart]:
    """Return all parts that a manifest lists."""
    return [
        LakePart(relation=relation["name"], **part)
        for relation in manifest["relations"]
        for part in relation["parts"]
    ]


def part_fields(part: LakePart) -> dict[str, Any]:
    """Return a part as a manifest lists it, below its relation."""
    fields = asdict(part)
    del fields["relation"]
    return fields


def _number(folder: Path) -> str:
    return folder.name.removesuffix(_PARTIAL)
