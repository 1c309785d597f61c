"""Read the tables of MTG-Jamendo: a row has one cell for each of its tags.

Bogdanov et al., "The MTG-Jamendo Dataset for Automatic Music Tagging", 2019: the columns are
TRACK_ID, ARTIST_ID, ALBUM_ID, PATH, DURATION (seconds) and TAGS such as `genre---rock`.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from collector.datasets.formats.byte_source import ByteSource
from collector.datasets.formats.table import BrokenRow, DamagedFile, DatasetReader, Row
from genrebase import licences

_HEADER: Final = ("TRACK_ID", "ARTIST_ID", "ALBUM_ID", "PATH", "DURATION", "TAGS")
_FIRST_LINE: Final = "\t".join(_HEADER).encode()
_CATEGORIES: Final = ("genre", "instrument", "mood/theme")
_MARK: Final = "---"
_PLAIN: Final = len(_HEADER) - 1


def is_mtg_jamendo(head: bytes) -> bool:
    """Return whether a file begins with the header of MTG-Jamendo."""
    return head.removeprefix(b"\xef\xbb\xbf").startswith(_FIRST_LINE)


class MtgJamendoTable(DatasetReader):
    """A table of MTG-Jamendo; without names of tracks and artists, their ids are the names."""

    licence = licences.of_source("mtg-jamendo")
    header = ("track_id", "track_name", "artist_name", "path", "duration_s", *_CATEGORIES)

    def __init__(self, source: ByteSource) -> None:
        self._source = source

    def rows(self) -> Iterator[Row | BrokenRow]:
        """Yield the rows; the tags of a category are one cell, a JSON list."""
        with self._source.open() as file:
            lines = iter(file)
            next(lines, None)
            try:
                for line in lines:
                    if line.strip():
                        yield _row(
                            line.decode("utf-8", "surrogateescape").rstrip("\r\n").split("\t")
                        )
            except OSError as error:
                raise DamagedFile.because(self._source.name, error) from error

    def estimate_rows(self, done: int) -> float | None:
        return self._source.estimate(done)

    def notes(self) -> list[str]:
        """Return a sentence on the ids that are used as names."""
        return ["MTG-Jamendo names no tracks and artists here: their ids stand for the names."]


def _row(cells: Sequence[str]) -> Row | BrokenRow:
    tags = [tag.strip() for tag in cells[_PLAIN:] if tag.strip()]
    if len(cells) < _PLAIN:
        return BrokenRow.WIDTH
    if list(cells[: len(_HEADER)]) == list(_HEADER):
        return BrokenRow.HEADER
    track_id, artist_id, _album, path, duration = cells[:_PLAIN]
    lists = [
        [tag.removeprefix(category + _MARK) for tag in tags if tag.startswith(category + _MARK)]
        for category in _CATEGORIES
    ]
    texts = (json.dumps(tags, ensure_ascii=False) if tags else "" for tags in lists)
    return (track_id, track_id, artist_id, path, duration, *texts)
