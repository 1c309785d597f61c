"""The tables of the Free Music Archive's dataset, as published: headers of several rows.

Defferrard et al., "FMA: A Dataset for Music Analysis", ISMIR 2017: `read_tracks.csv` has two header
rows and one that names the index, `features.csv` three and that one, `genres.csv` one.
"""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collector.datasets import cells
from collector.datasets.rows import RowRejection, is_name_too_long
from collector.records import ArtistCredit, DurationMs, SourceTrack
from genrebase.errors import GenrebaseError, UserError

SOURCE: Final = "fma"
"""Whose ids they are; also the origin, the provider of the features and the mapping's name."""

TRACKS_FILE, FEATURES_FILE, GENRES_FILE = "tracks.csv", "features.csv", "genres.csv"
SUBSETS: Final = ("small", "medium", "large", "full")
"""Each holds those before it; a track's row tells the smallest one that holds it."""

_OURS: Final = {"rmse": "rms"}
"""Features that librosa calls by another name since."""
_LONGEST_SECONDS: Final = 2**31 / 1000 - 1

_LONGEST_CELL: Final = 1 << 24
"""Characters: artists tell their lives in a cell."""
_NEEDED: Final = (("track", "title"), ("artist", "name"), ("track", "genre_top"))


class NotFmaTable(UserError):
    """A table is not laid out as FMA's are."""


@dataclass(frozen=True, slots=True)
class GenreTree:
    """Which genres there are."""

    titles: Mapping[int, str]
    broad_of: Mapping[str, str]
    """The top genre of each, by their titles."""


@dataclass(frozen=True, slots=True)
class FmaTrack:
    """One row of `read_tracks.csv`."""

    track: SourceTrack
    genres: tuple[str, ...]
    """The top genre first, then all others that the track was given."""
    subset: str


FmaTracks = Mapping[str, FmaTrack]
"""By their ids, without the zeros before them."""


def is_fma_folder(folder: Path) -> bool:
    """Say whether a folder holds FMA's tables."""
    return (folder / TRACKS_FILE).is_file()


def read_genre_tree(path: Path) -> GenreTree:
    """Read `genres.csv`; no tree where there is none."""
    if not path.is_file():
        return GenreTree({}, {})
    with _rows(path) as rows:
        header = next(rows, [])
        try:
            at, title, top = (header.index(name) for name in ("genre_id", "title", "top_level"))
        except ValueError:
            raise NotFmaTable(
                f"{path} lacks one of the columns genre_id, title, top_level."
            ) from None
        found = [(int(row[at]), cells.clean(row[title]), int(row[top])) for row in rows if row]
    titles = {number: name for number, name, _ in found}
    return GenreTree(titles, {name: titles.get(top, name) for _, name, top in found})


def read_tracks(
    path: Path, genre_tree: GenreTree, last_year: int
) -> Iterator[FmaTrack | RowRejection]:
    """Yield the rows of `read_tracks.csv`, or why one is no track."""
    with _rows(path) as rows:
        upper, lower = next(rows, []), next(rows, [])
        at = {names: place for place, names in enumerate(zip(upper, lower, strict=False))}
        missing = [".".join(names) for names in _NEEDED if names not in at]
        if missing:
            raise NotFmaTable(
                f"{path} is not FMA's table of tracks: it lacks {', '.join(missing)} in its first "
                "two rows. Unpack fma_metadata.zip as it is."
            )
        for row in rows:
            if row and row[0].strip().isdigit():
                yield _Row(row, at).published(genre_tree, last_year)


def load_tracks(path: Path, last_year: int) -> FmaTracks:
    """Read the tracks of `read_tracks.csv`, with the genres of `genres.csv` beside it."""
    if not path.is_file():
        raise UserError(f"{path}: there is no such file; name FMA's tracks.csv.")
    found = read_tracks(path, read_genre_tree(path.parent / GENRES_FILE), last_year)
    return {one.track.source_id: one for one in found if isinstance(one, FmaTrack)}


def is_in_subset(subset: str, track: FmaTrack) -> bool:
    """Say whether a track is part of a subset."""
    return SUBSETS.index(track.subset) <= SUBSETS.index(subset)


@dataclass(frozen=True, slots=True)
class _Row:
    cells: Sequence[str]
    at: Mapping[tuple[str, str], int]

    def __getitem__(self, names: tuple[str, str]) -> str:
        place = self.at.get(names)
        found = "" if place is None or place >= len(self.cells) else self.cells[place]
        return "" if cells.is_missing(found) else cells.clean(found)

    def published(self, known: GenreTree, last_year: int) -> FmaTrack | RowRejection:
        title, artist = self["track", "title"], self["artist", "name"]
        if not title and not artist:
            return RowRejection.NO_NAME
        if is_name_too_long(title, artist):
            return RowRejection.TOO_LONG
        released, year = cells.parse_date(self["album", "date_released"], last_year)
        seconds = cells.parse_number(self["track", "duration"], 0.001, _LONGEST_SECONDS)
        track = SourceTrack(
            source=SOURCE,
            source_id=str(int(self.cells[0])),
            title=title,
            artists=(ArtistCredit(artist),),
            album=self["album", "title"] or None,
            release_date=released,
            release_year=year,
            duration_ms=None if seconds is None else DurationMs(round(seconds * 1000)),
            split=self["set", "split"] or None,
            match_by_name=bool(artist),
        )
        subset = self["set", "subset"]
        return FmaTrack(track, self._genres(known), subset if subset in SUBSETS else SUBSETS[-1])

    def _genres(self, known: GenreTree) -> tuple[str, ...]:
        numbers = self["track", "genres_all"].strip("[]").split(",")
        listed = [int(number) for number in numbers if number.strip().isdigit()]
        others = [known.titles[number] for number in listed if number in known.titles]
        return cells.clean_genre_names([self["track", "genre_top"], *others])


class FmaFeatures:
    """The rows of `features.csv`, under our names of the values, in the order of these names."""

    def __init__(self, path: Path) -> None:
        """Read the header; raise `NotFmaTable` for another one."""
        self._path = path
        with _rows(path) as rows:
            header = [next(rows, []) for _ in range(3)]
        if [row[:1] for row in header] != [["feature"], ["statistics"], ["number"]]:
            raise NotFmaTable(
                f"{path} is not FMA's table of features: its first three rows are not feature, "
                "statistics and number. Unpack fma_metadata.zip as it is."
            )
        named = enumerate(zip(*header, strict=False))
        known = sorted(
            (_OURS.get(one, one), *rest, place) for place, (one, *rest) in named if place
        )
        self.columns = tuple("_".join(map(str, names[:3])) for names in known)
        self._places = [int(names[3]) for names in known]

    @property
    def schema(self) -> str:
        """What the set is called."""
        return f"{SOURCE}{len(self.columns)}"

    def rows(self) -> Iterator[tuple[str, list[float]]]:
        """Yield track ids and values; NaN where there is none."""
        with _rows(self._path) as rows:
            for row in rows:
                if row and row[0].strip().isdigit() and len(row) > max(self._places):
                    yield str(int(row[0])), [_number(row[place]) for place in self._places]


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


@contextmanager
def _rows(path: Path) -> Iterator[Iterator[list[str]]]:
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield csv.reader(file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableTable(f"{path} cannot be read: {error}.") from error
    finally:
        csv.field_size_limit(before)


class UnreadableTable(GenrebaseError):
    """A table breaks off or cannot be decoded; what came before is kept."""
