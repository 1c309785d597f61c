"""Recognise dumps by the names and first bytes of the members of their archives."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from collector.datasets.dumps import acousticbrainz, archive, musicbrainz
from collector.datasets.dumps.archive import DumpArchive

_MEMBERS: Final = 20
"""Leading members by which a dump is recognised; the tables come after a handful of notes."""
_CSV: Final = ".csv"
_MAX_HEADER: Final = 4_096
"""Bytes of the first line of a table of AcousticBrainz."""
_DERIVED: Final = re.compile(r"(.+_)?(annotation|meta|tag|tag_relation)")
"""The names of tables of `mbdump-derived`; no table of `mbdump` is named so."""
_MAX_NOTE: Final = 1_000
"""Bytes of a note, such as the time of the dump."""


class DumpKind(StrEnum):
    """What an archive holds."""

    MUSICBRAINZ = "mbdump"
    MUSICBRAINZ_DERIVED = "mbdump-derived"
    ACOUSTICBRAINZ = "a table of AcousticBrainz"


@dataclass(frozen=True, slots=True)
class Dump:
    """A recognised archive of a dump."""

    path: Path
    kind: DumpKind
    timestamp: str = ""
    """When MusicBrainz' dump was made; the parts of one dump have the same."""
    part: str = ""
    """The group of numbers of a table of AcousticBrainz."""


def recognise(path: Path) -> Dump | None:
    """Return what a file is, None if it is no dump.

    Raises `NotADataset` for a dump of MusicBrainz with another schema, `DamagedFile` for an
    archive that breaks off.
    """
    if not path.is_file() or not archive.is_tar(path):
        return None
    dump = DumpArchive(path)
    timestamp = ""
    with dump.members() as members:
        for _, (name, content) in zip(range(_MEMBERS), members, strict=False):
            table = name.removeprefix("./").removeprefix(musicbrainz.FOLDER)
            if table != name.removeprefix("./"):
                is_derived = _DERIVED.fullmatch(table) is not None
                kind = DumpKind.MUSICBRAINZ_DERIVED if is_derived else DumpKind.MUSICBRAINZ
                return Dump(path, kind, timestamp)
            if name == musicbrainz.SCHEMA_MEMBER:
                musicbrainz.check_schema(dump, content)
            elif name == "TIMESTAMP":
                timestamp = content.read(_MAX_NOTE).decode("utf-8", "replace").strip()
            elif name.endswith(_CSV):
                header = content.readline(_MAX_HEADER).decode("utf-8", "replace")
                part = acousticbrainz.part_of(header.strip().split(","))
                return Dump(path, DumpKind.ACOUSTICBRAINZ, part=part) if part else None
    return None
