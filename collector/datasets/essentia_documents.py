"""Read low-level documents of Essentia: AcousticBrainz' sample dump, or one's own.

They are JSON files in a folder, a zip or a tar archive, or one file. AcousticBrainz names them by
the recording, `MBID-N.json`, and its dumps hold the submissions of a recording one after another.
"""

import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, islice
from pathlib import Path, PurePosixPath
from typing import Any, Final

from collector.acousticbrainz_submissions import RecordingSubmissions
from collector.datasets import essentia_descriptors
from collector.datasets.acousticbrainz import parse_document, value_at
from collector.datasets.dumps import archive
from collector.datasets.dumps.archive import DumpArchive
from collector.datasets.formats.byte_source import DAMAGED, ByteSource
from collector.datasets.formats.table import DamagedFile, NotADataset
from collector.datasets.parsing import cells, genre_cells
from collector.datasets.rows import ParsedRow, RowRejection, is_name_too_long
from collector.records import ArtistCredit, DurationMs, SourceTrack
from genrebase.counts import counted
from genrebase.errors import as_clause
from genrebase.store import names, source_ids
from genrebase.store.tables import ESSENTIA_PROVIDER

MAX_DOCUMENT: Final = 1 << 22
"""Bytes; AcousticBrainz' have about 100 kB."""
_MOST_READ: Final = MAX_DOCUMENT + 1
"""Bytes of a file that are read: a byte more than a document has."""
_LOOKED_AT: Final = 1_000
"""Files of an archive or folder among which the first JSON file decides what they are."""
_MAX_SUBMISSIONS: Final = 1_000
"""Documents of one recording that are summarised together; AcousticBrainz has a few dozen."""
_MAX_SECONDS: Final = 2**31 / 1000 - 1
_PARTS: Final = ("lowlevel", "rhythm", "tonal")
_HIDDEN: Final = (".", "__MACOSX")
_NAME: Final = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-\d+)?\.json")
_SUFFIX: Final = ".json"
_OPTIONAL_TAGS: Final = ("musicbrainz_recordingid", "musicbrainz_trackid")
"""Where tags have the recording's MBID: today, and in files tagged before 2015 or so."""

NamedContent = tuple[str, Callable[[], bytes]]
"""The name of a file, and a function that reads it before the next one is taken."""


@dataclass(slots=True)
class EssentiaFiles:
    """A folder, archive or file with documents."""

    path: Path
    is_published: bool
    """Whether the files are named as AcousticBrainz names them."""
    passed_over: int = 0
    """Other files, so far."""
    _archives: list[DumpArchive] = field(default_factory=list)

    def estimate(self, done: int) -> float | None:
        """Estimate how many documents an archive has after `done` were read; None if unknown."""
        share = self._archives[-1].progress() if self._archives else None
        return done / share if share else None

    def notes(self) -> list[str]:
        """Return a sentence on the files that were passed over."""
        passed_over = counted(self.passed_over, "file")
        return [f"{passed_over} passed over: not JSON."] if self.passed_over else []

    def rows(self, last_year: int) -> Iterator[ParsedRow | RowRejection]:
        """Yield one row per document: a track, or why it is rejected.

        The numbers and descriptors of all documents of a recording come with its last one.
        """
        numbered = enumerate(self._documents())
        for _, group in groupby(numbered, key=_recording_or_position):
            documents = (one for _, one in group)
            while some := _parse_some(documents, last_year):
                yield from some

    def _documents(self) -> Iterator[tuple[str, bytes | None]]:
        """Yield the names and contents of documents; None: too large."""
        for name, read in _contents(self.path, self._archives):
            if _is_hidden(name):
                continue
            if not name.endswith(_SUFFIX):
                self.passed_over += 1
                continue
            content = read()
            yield name, content if len(content) <= MAX_DOCUMENT else None


def recognise(path: Path) -> EssentiaFiles | None:
    """Return the documents that a path holds, None if its first files are none."""
    with suppress(NotADataset, DamagedFile, OSError), closing(_contents(path, [])) as files:
        for name, read in islice(files, _LOOKED_AT):
            if name.endswith(_SUFFIX) and not _is_hidden(name):
                is_published = _mbid_of_name(name) is not None
                return None if _load(read()) is None else EssentiaFiles(path, is_published)
    return None


def fingerprint(path: Path) -> str:
    """Return a hash that identifies the files of a folder by their names, sizes and times."""
    digest = hashlib.sha256()
    for file in _files_of(path):
        stat = file.stat()
        line = f"{file.relative_to(path).as_posix()}\0{stat.st_size}\0{stat.st_mtime_ns}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def count_files(path: Path) -> int:
    """Return the number of documents of a folder."""
    return sum(file.name.endswith(_SUFFIX) for file in _files_of(path))


def _contents(path: Path, archives: list[DumpArchive]) -> Generator[NamedContent, None, None]:
    if path.is_dir():
        for file in _files_of(path):
            yield file.relative_to(path).as_posix(), partial(_read_file, file)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as opened:
            members = sorted(one.filename for one in opened.infolist() if not one.is_dir())
            for member in members:
                yield member, partial(_read_member, opened, member)
    elif archive.is_tar(path):
        dump = DumpArchive(path)
        archives.append(dump)
        with dump.members() as files:
            for name, content in files:
                yield name, partial(content.read, _MOST_READ)
    else:
        yield path.name, partial(_read_file, path)


def _read_file(path: Path) -> bytes:
    with ByteSource(path).open() as file:
        return file.read(_MOST_READ)


def _read_member(opened: zipfile.ZipFile, member: str) -> bytes:
    """Read a member of an open zip archive, which opening it anew would list anew.

    Raises `NotADataset` for a password, `DamagedFile` for damage.
    """
    name = f"{opened.filename}/{member}"
    try:
        with opened.open(member) as file:
            return file.read(_MOST_READ)
    except (RuntimeError, NotImplementedError) as error:  # a password, an unknown method
        raise NotADataset(
            f"{name} cannot be read: {as_clause(error)}. Unpack it first."
        ) from error
    except DAMAGED as error:
        raise DamagedFile.because(name, error) from error


def _files_of(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _is_hidden(name: str) -> bool:
    return any(part.startswith(_HIDDEN) for part in PurePosixPath(name).parts if part != ".")


def _mbid_of_name(name: str) -> str | None:
    match = _NAME.fullmatch(PurePosixPath(name).name.lower())
    return match[1] if match else None


def _recording_or_position(numbered: tuple[int, tuple[str, bytes | None]]) -> str | int:
    position, (name, _) = numbered
    return _mbid_of_name(name) or position


def _load(content: bytes | None) -> dict[str, Any] | None:
    """Return a low-level document, None for anything else."""
    if content is None:
        return None
    try:
        document = json.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return None
    is_document = isinstance(document, dict) and sum(part in document for part in _PARTS) > 1
    return document if is_document else None


def _parse_some(
    documents: Iterator[tuple[str, bytes | None]], last_year: int
) -> list[ParsedRow | RowRejection]:
    """Return the rows of the first `_MAX_SUBMISSIONS` documents of one recording."""
    rows: list[ParsedRow | RowRejection] = []
    submissions, values = [], []
    last: tuple[int, ParsedRow] | None = None
    for name, content in islice(documents, _MAX_SUBMISSIONS):
        document = _load(content)
        if document is None:
            rows.append(RowRejection.NO_DOCUMENT)
            continue
        row = _parse(name, content or b"", document, last_year)
        if isinstance(row, ParsedRow):
            last = (len(rows), row)
            submissions.append(parse_document(document))
            values.append(essentia_descriptors.descriptors(document))
        rows.append(row)
    if last is not None:
        position, row = last
        recording = RecordingSubmissions(row.track.source_id, tuple(submissions))
        medians = essentia_descriptors.medians(values)
        rows[position] = row._replace(values=medians, recording=recording)
    return rows


def _parse(
    name: str, content: bytes, document: Mapping[str, Any], last_year: int
) -> ParsedRow | RowRejection:
    """Return the track of a document, by its file's own tags."""
    tags = value_at(document, ("metadata", "tags"))
    properties = value_at(document, ("metadata", "audio_properties"))
    read = _Tags(tags if isinstance(tags, Mapping) else {})
    try:
        title = read.first("title") or PurePosixPath(name).stem
        artists = [names.clean(one) for one in read.all("artists") or read.all("artist")]
        album, genres = read.first("album"), genre_cells.split_genres(read.all("genre"))
    except UnicodeEncodeError as error:
        return RowRejection.of_text(error)
    artists = [artist for artist in artists if not cells.is_missing(artist)]
    longest = max(artists, key=len, default="")
    if is_name_too_long(title, artists[0] if artists else "") or is_name_too_long("", longest):
        return RowRejection.TOO_LONG
    source, source_id = _address(name, content, read, properties)
    released, year = cells.parse_date(read.first("originaldate", "date"), last_year)
    track = SourceTrack(
        source,
        source_id,
        title,
        _credits(artists, read, source) or (ArtistCredit(""),),
        album or None,
        released,
        year,
        _duration(properties),
        isrc=cells.parse_isrc(read.first("isrc")),
        match_by_name=bool(artists) and bool(read.first("title")),
    )
    return ParsedRow(track, genres)


@dataclass(frozen=True, slots=True)
class _Tags:
    """The tags of the analysed file: lists of text."""

    tags: Mapping[str, Any]

    def all(self, name: str) -> list[str]:
        values = self.tags.get(name)
        values = values if isinstance(values, list) else [values]
        texts = (cells.clean(value) for value in values if isinstance(value, str))
        return [text for text in texts if not cells.is_missing(text)]

    def first(self, *names_: str) -> str:
        """Return the first value of the first of these tags that there is."""
        return next((values[0] for name in names_ if (values := self.all(name))), "")


def _address(name: str, content: bytes, tags: _Tags, properties: object) -> tuple[str, str]:
    """Return source and id: the recording's MBID, else a hash of the audio or the document.

    The name of AcousticBrainz' file counts before the tags: it is what its other data go by.
    """
    tagged = source_ids.parse_mbid(tags.first(*_OPTIONAL_TAGS))
    mbid = _mbid_of_name(name) or tagged
    if mbid is not None:
        return source_ids.MUSICBRAINZ, mbid
    md5 = value_at(properties, ("md5_encoded",))
    if not isinstance(md5, str) or not re.fullmatch("[0-9a-f]{32}", md5):
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return ESSENTIA_PROVIDER, f"md5:{md5}"


def _credits(artists: Sequence[str], tags: _Tags, source: str) -> tuple[ArtistCredit, ...]:
    ids = [source_ids.parse_mbid(one) for one in tags.all("musicbrainz_artistid")]
    if source != source_ids.MUSICBRAINZ or len(ids) != len(artists):
        ids = [None] * len(artists)
    return tuple(ArtistCredit(name, id_) for name, id_ in zip(artists, ids, strict=True))


def _duration(properties: object) -> DurationMs | None:
    length = value_at(properties, ("length",))
    if isinstance(length, bool) or not isinstance(length, int | float):
        return None
    return DurationMs(round(length * 1000)) if 0.001 <= length <= _MAX_SECONDS else None
