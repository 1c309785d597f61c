"""Parse the tables of the Free Music Archive's dataset, as published.

Defferrard et al., "FMA: A Dataset for Music Analysis", ISMIR 2017: `tracks.csv` has two header
rows and one that names the index, `features.csv` three and that one, `genres.csv` one.
"""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Final

from collector.datasets.formats import dialect
from collector.datasets.formats.byte_source import ByteSource
from collector.datasets.parsing import cells, genre_cells
from collector.datasets.rows import ParsedRow, RowRejection, is_name_too_long
from collector.records import ArtistCredit, DurationMs, SourceTrack
from genrebase import licences
from genrebase.errors import GenrebaseError, UserError, as_clause

SOURCE: Final = "fma"
"""The source of the ids; also the origin, the provider of the features and the mapping's name."""

TRACKS_FILE, FEATURES_FILE, GENRES_FILE = "tracks.csv", "features.csv", "genres.csv"
SUBSETS: Final = ("small", "medium", "large", "full")
"""Each contains those before it; a track's row names the smallest one that contains it."""

_RENAMED: Final = {"rmse": "rms"}
"""Features that have another name in newer versions of librosa."""
_MAX_SECONDS: Final = 2**31 / 1000 - 1

_MAX_CELL: Final = 1 << 24
"""Maximum characters of a cell: some contain an artist's biography."""


@dataclass(frozen=True, slots=True)
class GenreTree:
    """The tree of genres."""

    titles: Mapping[int, str]
    broad_of: Mapping[str, str]
    """The top genre of each genre, by title."""


FmaTracks = Mapping[str, ParsedRow]
"""Tracks by id, without leading zeros."""


def is_fma_folder(folder: Path) -> bool:
    """Return whether a folder holds FMA's tables."""
    return (folder / TRACKS_FILE).is_file()


def is_fma_tracks(path: Path) -> bool:
    """Return whether a file is the table of tracks, by its two header rows."""
    try:
        with _open(path) as rows:
            return dialect.is_fma_tracks(next(rows, []), next(rows, []))
    except (GenrebaseError, OSError):
        return False


def read_genre_tree(path: Path) -> GenreTree:
    """Read `genres.csv`; return an empty tree if the file is missing."""
    if not path.is_file():
        return GenreTree({}, {})
    with _open(path) as rows:
        header = next(rows, [])
        try:
            at, title, top = (header.index(name) for name in ("genre_id", "title", "top_level"))
        except ValueError:
            raise UserError(
                f"{path} lacks one of the columns genre_id, title, top_level."
            ) from None
        genres = [(int(row[at]), cells.clean(row[title]), int(row[top])) for row in rows if row]
    titles = {number: name for number, name, _ in genres}
    return GenreTree(titles, {name: titles.get(top, name) for _, name, top in genres})


def read_tracks(
    path: Path, genre_tree: GenreTree, last_year: int, subset: str = SUBSETS[-1]
) -> Iterator[ParsedRow | RowRejection]:
    """Yield the rows of `tracks.csv` that are in a subset as tracks, or why a row is rejected."""
    subsets = SUBSETS[: SUBSETS.index(subset) + 1]
    with _open(path) as rows:
        upper, lower = next(rows, []), next(rows, [])
        at = {names: place for place, names in enumerate(zip(upper, lower, strict=False))}
        missing = [".".join(names) for names in dialect.FMA_TRACKS if names not in at]
        if missing:
            raise UserError(
                f"{path} is not FMA's table of tracks: it lacks {', '.join(missing)} in its first "
                "two rows. Unpack fma_metadata.zip as it is."
            )
        for row in rows:
            if row and row[0].strip().isdigit():
                published = _Row(row, at)
                parsed = published.parse(genre_tree, last_year)
                if isinstance(parsed, RowRejection) or published.subset in subsets:
                    yield parsed


def load_tracks(path: Path, last_year: int) -> FmaTracks:
    """Read the tracks of `tracks.csv`, with the genres of `genres.csv` in the same folder."""
    if not path.is_file():
        raise UserError(f"{path}: there is no such file; name FMA's tracks.csv.")
    rows = read_tracks(path, read_genre_tree(path.parent / GENRES_FILE), last_year)
    return {row.track.source_id: row for row in rows if isinstance(row, ParsedRow)}


@dataclass(frozen=True, slots=True)
class _Row:
    values: Sequence[str]
    at: Mapping[tuple[str, str], int]

    def __getitem__(self, names: tuple[str, str]) -> str:
        position = self.at.get(names)
        if position is None or position >= len(self.values):
            return ""
        cell = self.values[position]
        return "" if cells.is_missing(cell) else cells.clean(cell)

    @property
    def subset(self) -> str:
        named = self["set", "subset"]
        return named if named in SUBSETS else SUBSETS[-1]

    def parse(self, genre_tree: GenreTree, last_year: int) -> ParsedRow | RowRejection:
        title, artist = self["track", "title"], self["artist", "name"]
        if not title and not artist:
            return RowRejection.NO_NAME
        if is_name_too_long(title, artist):
            return RowRejection.TOO_LONG
        released, year = cells.parse_date(self["album", "date_released"], last_year)
        licence = self["track", "license"]
        seconds = cells.parse_number(self["track", "duration"], 0.001, _MAX_SECONDS)
        track = SourceTrack(
            source=SOURCE,
            source_id=str(int(self.values[0])),
            title=title,
            artists=(ArtistCredit(artist),),
            album=self["album", "title"] or None,
            release_date=released,
            release_year=year,
            duration_ms=None if seconds is None else DurationMs(round(seconds * 1000)),
            split=self["set", "split"] or None,
            licence=licences.parse_licence(licence) if licence else None,
            match_by_name=bool(artist),
        )
        return ParsedRow(track, self._genres(genre_tree))

    def _genres(self, genre_tree: GenreTree) -> tuple[str, ...]:
        """Return the top genre, then the other genres of the track."""
        numbers = self["track", "genres_all"].strip("[]").split(",")
        listed = [int(number) for number in numbers if number.strip().isdigit()]
        titles = genre_tree.titles
        others = [titles[number] for number in listed if number in titles]
        return genre_cells.split_genres([self["track", "genre_top"], *others])


class FmaFeatures:
    """The rows of `features.csv`, their columns renamed to ours and sorted by name."""

    def __init__(self, path: Path) -> None:
        """Read the header; raise `UserError` if it is not FMA's."""
        self._path = path
        with _open(path) as rows:
            header = [next(rows, []) for _ in range(3)]
        if [row[:1] for row in header] != [["feature"], ["statistics"], ["number"]]:
            raise UserError(
                f"{path} is not FMA's table of features: its first three rows are not feature, "
                "statistics and number. Unpack fma_metadata.zip as it is."
            )
        named = enumerate(zip(*header, strict=False))
        columns = sorted(
            (_RENAMED.get(feature, feature), *rest, position)
            for position, (feature, *rest) in named
            if position
        )
        self.columns = tuple("_".join(map(str, names[:3])) for names in columns)
        self._positions = [int(names[3]) for names in columns]

    @property
    def schema(self) -> str:
        """The name of the descriptor schema."""
        return f"{SOURCE}{len(self.columns)}"

    def rows(self) -> Iterator[tuple[str, list[float]]]:
        """Yield track ids and their values; NaN for a missing one."""
        with _open(self._path) as rows:
            for row in rows:
                if row and row[0].strip().isdigit() and len(row) > max(self._positions):
                    yield (
                        str(int(row[0])),
                        [_number(row[position]) for position in self._positions],
                    )


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


@contextmanager
def _open(path: Path) -> Iterator[Iterator[list[str]]]:
    previous_limit = csv.field_size_limit(_MAX_CELL)
    try:
        with ByteSource(path).open() as file, TextIOWrapper(file, "utf-8-sig", newline="") as text:
            yield csv.reader(text)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise GenrebaseError(f"{path} cannot be read: {as_clause(error)}.") from error
    finally:
        csv.field_size_limit(previous_limit)
