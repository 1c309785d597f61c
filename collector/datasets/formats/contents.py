"""Recognise what a file holds by its first bytes, and list its tables."""

import re
import zipfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

from collector.datasets.formats import (
    json_tables,
    mtg_jamendo,
    sqlite_tables,
    tar_members,
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
from genrebase.audio.file_suffixes import SUFFIXES
from genrebase.counts import counted
from genrebase.errors import as_clause

_PARQUET: Final = b"PAR1"
_ZIP: Final = b"PK\x03\x04"
_EMPTY_ZIP: Final = b"PK\x05\x06"
_SQLITE: Final = b"SQLite format 3\0"
_OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LIST_OF_FILES: Final = (
    "a list of audio files (M3U or PLS), no table: import their folder with collector import-audio"
)
_DOCUMENT: Final = re.compile(
    r"(?:readme|licen[cs]e|copying|changes|changelog|citation|about)(?:[._-].*)?|.*\.(?:md|rst|pdf)",
    re.IGNORECASE,
)
"""Names of files about a dataset."""
_NO_TABLES: Final = {
    b"#EXTM3U": _LIST_OF_FILES,
    b"[playlist]": _LIST_OF_FILES,
    b"version https://git-lfs": "a pointer of Git LFS, not the file: fetch it (git lfs pull)",
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
    stack: ExitStack
    """The tables can be opened until it is closed."""


def tables(path: Path, options: ReadOptions) -> list[TableEntry]:
    """Return the tables of a file.

    Raises `NotADataset` if the file cannot be read or holds no table.
    """
    if path.is_dir():
        return _folder_tables(path, options)
    if path.exists() and not path.is_file():
        raise NotADataset(f"{path} is a pipe, which can be read only once: save it to a file.")
    try:
        source = ByteSource(path)
    except OSError as error:
        raise NotADataset(f"{path} cannot be read: {error.strerror}.") from error
    if source.head.startswith((_ZIP, _EMPTY_ZIP)):
        return _zip_tables(source, options)
    if tar_members.is_tar(source.head):
        files = options.stack.enter_context(tar_members.unpacked(source))
        members = {name: file for name, file in files.items() if _is_visible(name)}
        return _all_tables(members, source.name, options)
    return _tables_of(source, options)


def _tables_of(source: ByteSource, options: ReadOptions) -> list[TableEntry]:
    head = source.head
    if head.startswith(_PARQUET):
        return [TableEntry("", partial(_open_parquet, source, options.stack))]
    if head.startswith(_SQLITE):
        path = options.stack.enter_context(source.as_path())
        return sqlite_tables.tables(path, source.name, options.stack)
    if head.startswith((_ZIP, _EMPTY_ZIP, _OLD_WORKBOOK)):
        return _workbook_tables(source, options)
    if tar_members.is_tar(head):
        raise NotADataset(f"{source.name} is an archive inside an archive: unpack it.")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for mark, what in _NO_TABLES.items():
        if text.startswith(mark):
            raise NotADataset(f"{source.name} is {what}.")
    if _is_list_of_files(text):
        raise NotADataset(f"{source.name} is {_LIST_OF_FILES}.")
    if mtg_jamendo.is_mtg_jamendo(head):
        return [TableEntry("", partial(mtg_jamendo.MtgJamendoTable, source))]
    if _is_json(head):
        return json_tables.tables(source, options.encoding, options.names_tracks)
    return [TableEntry("", partial(DelimitedText, source, options.encoding, options.names_tracks))]


def is_document(name: str) -> bool:
    """Return whether a file is about a dataset, by its name: `README.txt`, `LICENSE`."""
    return _DOCUMENT.fullmatch(PurePosixPath(name).name) is not None


def _is_list_of_files(head: bytes) -> bool:
    """Return whether all lines are names of audio files, or comments, as in M3U."""
    lines = [line.strip() for line in head.decode("utf-8", "replace").splitlines()]
    complete = lines if len(lines) == 1 else lines[:-1]
    names = [line for line in complete if line and not line.startswith("#")]
    return bool(names) and all(map(_is_audio, names))


def _is_audio(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def _is_json(head: bytes) -> bool:
    """Return whether a text begins like a JSON list of objects, or a JSON object."""
    encoding = text_encoding.detect_unicode(head) or "utf-8-sig"
    return _JSON.match(head.decode(encoding, "replace")) is not None


def _open_parquet(source: ByteSource, stack: ExitStack) -> DatasetReader:
    return ParquetTable(stack.enter_context(source.as_path()), source.name)


def _workbook_tables(source: ByteSource, options: ReadOptions) -> list[TableEntry]:
    path = options.stack.enter_context(source.as_path())
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
        raise NotADataset(
            f"{name} is a zip archive that cannot be read: {as_clause(error)}."
        ) from error


def _is_workbook(archive: zipfile.ZipFile) -> bool:
    return not _WORKBOOK_PARTS.isdisjoint(archive.namelist())


def _zip_tables(source: ByteSource, options: ReadOptions) -> list[TableEntry]:
    """Return the tables of an archive's members; opening a member that is no table raises."""
    with ExitStack() as closing:
        path = options.stack.enter_context(source.as_path())
        archive = closing.enter_context(_opened_zip(path, source.name))
        if _is_workbook(archive):
            return _workbook_tables(source, options)
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
    sources = {name: partial(ByteSource, path, name) for name in names if _is_visible(name)}
    return _member_tables(sources, source.name, options)


def _folder_tables(folder: Path, options: ReadOptions) -> list[TableEntry]:
    """Return the tables of the files in a folder, such as an unpacked archive."""
    files = {
        file.relative_to(folder).as_posix(): file
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    members = {name: file for name, file in files.items() if _is_visible(name)}
    if members and all(map(_is_audio, members)):
        raise NotADataset(
            f"{folder} is a folder of audio files without a table: collector import-audio {folder}"
        )
    return _all_tables(members, str(folder), options)


def _all_tables(files: Mapping[str, Path], name: str, options: ReadOptions) -> list[TableEntry]:
    sources = {
        member: partial(ByteSource, file, name=f"{name}/{member}")
        for member, file in files.items()
    }
    return _member_tables(sources, name, options)


def _is_visible(name: str) -> bool:
    return not any(part.startswith(_HIDDEN) for part in PurePosixPath(name).parts)


def _member_tables(
    sources: Mapping[str, Callable[[], ByteSource]],
    name: str,
    options: ReadOptions,
) -> list[TableEntry]:
    """Return the tables of the members of an archive or a folder, by their names."""
    if not sources:
        raise NotADataset(f"{name} is an archive or a folder without files.")
    if len(sources) > _MAX_MEMBERS:
        raise NotADataset(
            f"{name} holds {counted(len(sources), 'file')}: name those that hold tracks."
        )
    return [
        entry
        for member, open_source in sources.items()
        for entry in _tables_of_member(member, open_source, options)
    ]


def _tables_of_member(
    member: str, open_source: Callable[[], ByteSource], options: ReadOptions
) -> list[TableEntry]:
    if is_document(member):
        return [TableEntry(member, partial(_refuse, NotADataset("about the data, no table.")))]
    try:
        entries = _tables_of(open_source(), options)
    except (NotADataset, DamagedFile) as error:
        return [TableEntry(member, partial(_refuse, error))]
    return [
        TableEntry(f"{member}/{entry.name}" if entry.name else member, entry.open)
        for entry in entries
    ]


def _refuse(error: Exception) -> DatasetReader:
    raise error
