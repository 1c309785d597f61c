"""Recognise what a file holds by its first bytes, and list its tables."""

import re
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

from collector.datasets.formats import (
    json_tables,
    mtg_jamendo,
    sqlite_tables,
    text_encoding,
    workbook,
)
from collector.datasets.formats.byte_source import ByteSource
from collector.datasets.formats.delimited import DelimitedText
from collector.datasets.formats.parquet import ParquetTable
from collector.datasets.formats.table import (
    DamagedFile,
    DatasetReader,
    NamesTracks,
    NotADataset,
    TableEntry,
)
from genrebase.counts import counted

_PARQUET: Final = b"PAR1"
_ZIP: Final = b"PK\x03\x04"
_EMPTY_ZIP: Final = b"PK\x05\x06"
_SQLITE: Final = b"SQLite format 3\0"
_OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_TAR: Final = (257, b"ustar")
"""Offset and mark of a tar archive."""
_NO_TABLES: Final = {
    b"#EXTM3U": "a list of audio files (M3U), no table: import their folder with collector "
    "import-audio",
    b"<": "XML or HTML, no table: save it as CSV, or export it as text (iTunes and Music: File, "
    "Library, Export Playlist, as text)",
}
"""What files hold that begin so, and what to do."""
_WORKBOOK_PARTS: Final = frozenset({"xl/workbook.xml", "xl/workbook.bin", "content.xml"})
_MAX_WORKBOOK: Final = 1 << 30
"""Bytes of a workbook's parts, decompressed; they are held in memory."""
_MAX_MEMBERS: Final = 10_000
_HIDDEN: Final = ("__MACOSX", ".")
_JSON: Final = re.compile(r'\s*(\{\s*["}]|\[\s*([]\[{"]|-?\d|null|true|false))')


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How the tables of a file are read."""

    encoding: str
    names_tracks: NamesTracks
    table: str | None = None
    """The name of the table to read; None: all tables."""

    def may_hold(self, member: str) -> bool:
        """Return whether a member of an archive may hold the requested table."""
        return self.table is None or self.table == member or self.table.startswith(f"{member}/")


def tables(path: Path, options: "ReadOptions", stack: ExitStack) -> list[TableEntry]:
    """Return the tables of a file; they can be opened until `stack` is closed.

    Raises `NotADataset` if the file cannot be read or holds no table.
    """
    try:
        source = ByteSource(path)
    except OSError as error:
        raise NotADataset(f"{path} cannot be read: {error.strerror}.") from error
    if source.head.startswith((_ZIP, _EMPTY_ZIP)):
        return _zip_tables(source, options, stack)
    return _tables_of(source, options, stack)


def _tables_of(source: ByteSource, options: ReadOptions, stack: ExitStack) -> list[TableEntry]:
    head = source.head
    if head.startswith(_PARQUET):
        return [TableEntry("", partial(_open_parquet, source, stack))]
    if head.startswith(_SQLITE):
        path = stack.enter_context(source.as_path())
        return sqlite_tables.tables(path, source.name, stack)
    if head.startswith((_ZIP, _EMPTY_ZIP, _OLD_WORKBOOK)):
        return _workbook_tables(source, options, stack)
    if head[_TAR[0] :].startswith(_TAR[1]):
        raise NotADataset(f"{source.name} is a tar archive: unpack it and name its files.")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for mark, what in _NO_TABLES.items():
        if text.startswith(mark):
            raise NotADataset(f"{source.name} is {what}.")
    if mtg_jamendo.is_mtg_jamendo(head):
        return [TableEntry("", partial(mtg_jamendo.MtgJamendoTable, source))]
    if _is_json(head):
        return json_tables.tables(source, options.encoding, options.names_tracks)
    return [TableEntry("", partial(DelimitedText, source, options.encoding))]


def _is_json(head: bytes) -> bool:
    """Return whether a text begins like a JSON list of objects, or a JSON object."""
    encoding = text_encoding.detect_unicode(head) or "utf-8-sig"
    return _JSON.match(head.decode(encoding, "replace")) is not None


def _open_parquet(source: ByteSource, stack: ExitStack) -> DatasetReader:
    return ParquetTable(stack.enter_context(source.as_path()), source.name)


def _workbook_tables(
    source: ByteSource, options: ReadOptions, stack: ExitStack
) -> list[TableEntry]:
    path = stack.enter_context(source.as_path())
    if not source.head.startswith(_OLD_WORKBOOK):
        with _opened_zip(path, source.name) as archive:
            if not _is_workbook(archive):
                raise NotADataset(f"{source.name} is an archive inside an archive: unpack it.")
            if sum(info.file_size for info in archive.infolist()) > _MAX_WORKBOOK:
                raise NotADataset(
                    f"{source.name} is a workbook of more than {_MAX_WORKBOOK >> 30} GiB: "
                    "save it as CSV."
                )
    return workbook.tables(path, source.name, options.names_tracks)


def _opened_zip(path: Path, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise NotADataset(f"{name} is a zip archive that cannot be read: {error}.") from error


def _is_workbook(archive: zipfile.ZipFile) -> bool:
    return not _WORKBOOK_PARTS.isdisjoint(archive.namelist())


def _zip_tables(source: ByteSource, options: ReadOptions, stack: ExitStack) -> list[TableEntry]:
    """Return the tables of an archive's members; opening a member that is no table raises."""
    with ExitStack() as closing:
        path = stack.enter_context(source.as_path())
        archive = closing.enter_context(_opened_zip(path, source.name))
        if _is_workbook(archive):
            return _workbook_tables(source, options, stack)
        members = [info.filename for info in archive.infolist() if _is_visible(info)]
    if not members:
        raise NotADataset(f"{source.name} is a zip archive without files.")
    if len(members) > _MAX_MEMBERS:
        raise NotADataset(
            f"{source.name} is a zip archive of {counted(len(members), 'file')}: unpack it and "
            "name those that hold tracks."
        )
    entries: list[TableEntry] = []
    for member in filter(options.may_hold, members):
        entries += _member_tables(path, member, options, stack)
    return entries


def _is_visible(info: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(info.filename).parts
    return not info.is_dir() and not any(part.startswith(_HIDDEN) for part in parts)


def _member_tables(
    path: Path, member: str, options: ReadOptions, stack: ExitStack
) -> list[TableEntry]:
    try:
        entries = _tables_of(ByteSource(path, member), options, stack)
    except (NotADataset, DamagedFile) as error:
        return [TableEntry(member, partial(_refuse, error))]
    return [
        TableEntry(f"{member}/{entry.name}" if entry.name else member, entry.open)
        for entry in entries
    ]


def _refuse(error: Exception) -> DatasetReader:
    raise error
