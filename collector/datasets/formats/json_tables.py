"""Read JSON and JSON lines: every list of objects is a table, at any place in the document.

That covers lists of tracks, Spotify's privacy exports, slices of playlists and listens.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from json import JSONDecodeError
from typing import IO, Any, Final

from collector.datasets.formats import json_albums, json_frames, json_values, text_encoding
from collector.datasets.formats.byte_source import ByteSource
from collector.datasets.formats.json_columns import JsonColumns
from collector.datasets.formats.table import (
    BrokenRow,
    DamagedFile,
    DatasetReader,
    HeaderCheck,
    NamesTracks,
    NotADataset,
    Row,
    TableEntry,
)

_TITLES: Final = frozenset({"title", "name", "track_name", "song", "track"})
_OF_TRACKS: Final = re.compile("duration|length|isrc|artist-credit", re.IGNORECASE)
"""Members that objects with a title have if they are tracks."""
_MAX_LISTS: Final = 1_000
_MAX_NAMED: Final = 12
_INDEX: Final = "{}"
"""The table of a document that is an object of objects, such as tracks by id."""


class JsonDocument:
    """A JSON file and its lists of objects, which one pass over the file determines."""

    def __init__(self, source: ByteSource, encoding: str) -> None:
        """Survey the lists; raise `NotADataset` if the file is not JSON."""
        self.source, self._encoding = source, encoding
        self.lists: dict[str, JsonColumns] = {}
        self.names: dict[str, None] = {}
        """Names of members, for the message about a document without lists."""
        with self._opened() as text:
            self.is_lines = json_values.is_json_lines(text)
        try:
            for path, record in self.records():
                if record is not None and (path in self.lists or len(self.lists) < _MAX_LISTS):
                    self.lists.setdefault(path, JsonColumns()).add(record)
        except DamagedFile as error:
            if not self.lists:
                raise NotADataset(
                    f"{source.name} begins like JSON, but is none ({error.__cause__})."
                ) from error

    @contextmanager
    def _opened(self) -> Iterator[IO[str]]:
        with self.source.open() as file:
            text, encoding, _ = text_encoding.open_text(file, self.source.head, self._encoding)
            try:
                with text:
                    yield text
            except UnicodeError as error:
                raise NotADataset(
                    f"{self.source.name} cannot be read as {encoding}: name its encoding with "
                    "--encoding."
                ) from error

    def records(self) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
        """Yield the objects of all lists with the path of their list; None for a broken line."""
        with self._opened() as text:
            try:
                if self.is_lines:
                    for value in json_values.read_lines(text):
                        if isinstance(value, dict):
                            yield from _walk("", value, {})
                        else:
                            yield "", None
                else:
                    yield from self._document_records(text)
            except JSONDecodeError as error:
                raise DamagedFile.because(self.source.name, error) from error

    def _document_records(self, text: IO[str]) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
        whole = json_frames.WholeObject()
        header: list[str] | None = None
        members: dict[str, Any] = {}
        """Those of the document, before its list of tracks."""
        for name, value, is_element in json_values.read_members(text):
            if name and len(self.names) < _MAX_NAMED:
                self.names[name] = None
            if name:
                whole.add(name, value, is_element=is_element)
                if not is_element:
                    members[name] = value
            if is_element and isinstance(value, dict):
                yield from _walk(name, value, json_albums.inherit("", members, {}))
            elif isinstance(value, dict):
                yield _INDEX, {"id": name, **value}
                yield from _walk_members(name, value, {})
            elif is_element and not name and isinstance(value, list):
                if header is None:
                    header = json_frames.as_header(value)
                elif header:
                    yield "", dict(zip(header, value, strict=False))
        yield from whole.records()

    def table_paths(self, names_tracks: NamesTracks) -> list[str]:
        """Return the paths of the lists of tracks; of all lists if none holds tracks."""
        paths = [path for path, columns in self.lists.items() if names_tracks(columns.header())]
        paths = [path for path in paths if not self._is_shadowed(path, paths)]
        frames = [path for path in (json_frames.COLUMNS,) if path in self.lists]
        others = [path for path in self.lists if path not in {_INDEX, json_frames.WHOLE}]
        return paths or frames or [path for path in others if not self._is_cell(path)]

    def _is_cell(self, path: str) -> bool:
        """Return whether a list belongs to tracks, such as their artists."""
        if json_albums.is_track_list(path) or _is_of_tracks(self.lists[path].header()):
            return False
        return any(
            _is_inside(path, outer) and not _TITLES.isdisjoint(header) and _is_of_tracks(header)
            for outer, header in (
                (outer, columns.header()) for outer, columns in self.lists.items()
            )
        )

    def _is_shadowed(self, path: str, paths: list[str]) -> bool:
        """Return whether tracks inside these objects, or those around them, are the table."""
        inner = [other for other in paths if _is_inside(other, path)]
        outer = [other for other in paths if _is_inside(path, other)]
        if any(map(json_albums.is_track_list, inner)):
            return True
        return (bool(outer) and not json_albums.is_track_list(path)) or self._is_cell(path)


def _is_inside(inner: str, outer: str) -> bool:
    if inner == outer or outer in {_INDEX, json_frames.COLUMNS}:
        return False
    return outer in {"", json_frames.WHOLE} or inner.startswith(f"{outer}.")


def _is_of_tracks(header: list[str]) -> bool:
    return any(_OF_TRACKS.search(name) for name in header)


def _walk(
    path: str, record: Mapping[str, Any], inherited: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield an object and those of the lists inside it; tracks get what they inherit."""
    is_track = json_albums.is_track_list(path)
    yield path, json_albums.complete(record, inherited) if is_track and inherited else record
    yield from _walk_members(path, record, json_albums.inherit(path, record, inherited))


def _walk_members(
    path: str, value: Mapping[str, Any], inherited: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, member in value.items():
        inner = f"{path}.{name}" if path else name
        if isinstance(member, dict):
            yield from _walk_members(inner, member, inherited)
        elif isinstance(member, list):
            for element in member:
                if isinstance(element, dict):
                    yield from _walk(inner, element, inherited)


class JsonTable(DatasetReader):
    """One list of objects of a JSON document."""

    is_json = True

    def __init__(self, document: JsonDocument, path: str, passed_over: list[str]) -> None:
        """Read the objects of the list at `path`; a note names the lists `passed_over`."""
        self._document, self._path, self._passed_over = document, path, passed_over
        self._columns = document.lists[path]
        self.header = self._columns.header()

    def rows(self) -> Iterator[Row | BrokenRow]:
        cells, check = self._columns.cells, HeaderCheck(self.header)
        for path, record in self._document.records():
            if record is None:
                yield BrokenRow.NOT_JSON
            elif path == self._path:
                row = cells(record)
                yield check.apply(row) if row and row[0] in check.first_cells else row

    def estimate_rows(self, done: int) -> float | None:  # noqa: ARG002 - counted when it was opened
        return float(self._columns.objects)

    def notes(self) -> list[str]:
        """Name the lists of the document that hold no tracks."""
        if not self._passed_over:
            return []
        return [f"Lists without tracks were passed over: {', '.join(self._passed_over)}."]


def tables(source: ByteSource, encoding: str, names_tracks: NamesTracks) -> list[TableEntry]:
    """Return the lists of tracks of a JSON file as tables.

    Raises `NotADataset`, with a description of the contents, if there is no list of objects.
    """
    document = JsonDocument(source, encoding)
    paths = document.table_paths(names_tracks)
    if not paths:
        raise NotADataset(f"{source.name} is JSON without a list of tracks{_contents(document)}.")
    others = [
        path
        for path in document.lists
        if path not in {*paths, _INDEX, json_frames.WHOLE, ""}
        and not any(_is_inside(path, taken) for taken in paths)
        and not any(_is_inside(taken, path) for taken in paths)
    ]
    return [
        TableEntry(
            "" if len(paths) == 1 else path or "list",
            partial(JsonTable, document, path, others if path == paths[0] else []),
        )
        for path in paths
    ]


def _contents(document: JsonDocument) -> str:
    if not document.names:
        return ""
    return f": it is an object with {', '.join(document.names)}"
